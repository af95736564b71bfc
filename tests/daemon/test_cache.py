from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemon.commands.cache import bytes_of, seconds_of, size_text
from renderer.errors import UsageError
from renderer.store import LocalStore
from tests.renderer.store_contract import put
from tests.renderer.test_pipeline import reelkiln


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("12", 12), ("2K", 2048), ("10G", 10 << 30), ("1.5m", 3 << 19), ("3 GiB", 3 << 30)],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1", "1e9", "10X", "1.55G"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        bytes_of(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (7 << 40, "7.0 TiB")],
)
def test_sizes_are_written_as_people_read_them(size: int, text: str) -> None:
    assert size_text(size) == text


def test_the_cache_is_shown_and_pruned(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    put(store, b"x" * 5000)
    shown = json.loads(reelkiln("cache", "--json", store=store.root).stdout)
    assert shown == {"path": str(store.root), "size_bytes": 5000, "objects": 1, "steps": 0}
    assert "4.8 KiB in 1 objects" in reelkiln("cache", store=store.root).stdout
    done = reelkiln("cache", "gc", "--max-size", "1K", "--json", store=store.root)
    assert json.loads(done.stdout) == {"removed_bytes": 5000, "left_bytes": 0, "in_use_bytes": 0}
    for words in (["--max-size", "much"], []):
        assert reelkiln("cache", "gc", *words, store=store.root).returncode == 2


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 30 * 86_400), ("12 h", 43_200), ("45m", 2700), ("0s", 0)]
)
def test_ages_are_read_as_people_write_them(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds
