from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from renderer import sources
from renderer.bundle import verify
from renderer.digest import digest_of_bytes
from renderer.errors import SourceChanged
from renderer.fonts import text_engine_fingerprint
from renderer.inputs import SourceUse
from renderer.media import MediaKind
from renderer.pipeline import Renderer
from renderer.sources import SourcePolicy, acquire
from renderer.spec.loading import load
from renderer.store import LocalStore
from renderer.toolchain import Toolchain, find_toolchain


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return find_toolchain(os.environ, text_engine=text_engine_fingerprint())


def test_facts_of_a_file_that_changes_while_it_is_probed_are_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (64, 48)).save(picture)
    real = sources.probe

    def replaced_just_before(path: Path, **named: int) -> object:
        Image.new("RGB", (32, 32)).save(path)
        return real(path, **named)

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


def test_a_source_that_changes_before_its_step_is_named_with_the_spec(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "a.png")
    spec = b"{reelkiln: 1, output: {size: 64x36}, tracks: [{clips: [{image: a.png, length: 2f}]}]}"
    policy = SourcePolicy(base=tmp_path, roots=(tmp_path,), max_source_bytes=10_000)
    renderer = Renderer(store=LocalStore(tmp_path / "s"), toolchain=toolchain, policy=policy)
    prepared = renderer.prepare(load(spec, name="reel.yaml"))
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "a.png")
    with pytest.raises(SourceChanged, match=r"a\.png holds other bytes") as caught:
        renderer.render(prepared, tmp_path / "out")
    assert caught.value.document == "reel.yaml"
    assert not (tmp_path / "out").exists()
    bundle = renderer.render(renderer.prepare(load(spec, name="reel.yaml")), tmp_path / "out")
    sealed = verify(bundle.path).inputs[0].sha256
    assert sealed == digest_of_bytes((tmp_path / "a.png").read_bytes())
