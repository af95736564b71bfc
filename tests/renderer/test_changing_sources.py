from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from renderer import sources
from renderer.errors import SourceChanged
from renderer.inputs import SourceUse
from renderer.media import MediaKind
from renderer.sources import SourcePolicy, acquire
from renderer.store import LocalStore


def test_facts_of_a_file_that_changes_while_it_is_probed_are_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (64, 48)).save(picture)
    real = sources.probe

    def replaced_just_before(path: Path) -> object:
        Image.new("RGB", (32, 32)).save(path)
        return real(path)

    store = LocalStore(tmp_path / "store")
    policy = SourcePolicy(base=tmp_path, roots=(), max_source_bytes=10_000)
    use = SourceUse(source="a.png", expected=frozenset({MediaKind.IMAGE}), path=())
    monkeypatch.setattr(sources, "probe", replaced_just_before)
    with pytest.raises(SourceChanged, match=r"a\.png holds other bytes"):
        acquire([use], policy, store)
    monkeypatch.undo()
    video = acquire([use], policy, store)["a.png"].media.video
    assert video is not None
    assert video.display_size == (32, 32)
