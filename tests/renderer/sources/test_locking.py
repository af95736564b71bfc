import json
from pathlib import Path
from typing import Any

import pytest

from renderer.errors import UsageError
from renderer.inputs import Inputs, Pin, inputs_from_json, inputs_of
from renderer.media import MediaInfo, MediaKind
from renderer.sources.locking import changes, lock_path, read_lock, write_lock

MEDIA = MediaInfo(kind=MediaKind.IMAGE, media_type="image/png", demuxer="png_pipe")


def pins(**digests: str) -> Inputs:
    return inputs_of(
        Pin(source=name, sha256=digit * 64, size_bytes=1, media=MEDIA)
        for name, digit in digests.items()
    )


def test_a_lock_lies_beside_its_spec(tmp_path: Path) -> None:
    assert lock_path(tmp_path / "a.b.yaml") == tmp_path / "a.b.lock.json"
    with pytest.raises(UsageError, match="standard input"):
        lock_path(Path("-"))


def test_a_lock_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.lock.json"
    write_lock(path, pins(b="2", a="1"))
    assert read_lock(path) == pins(a="1", b="2")
    assert [p.name for p in tmp_path.iterdir()] == ["a.lock.json"]
    first = path.read_bytes()
    write_lock(path, read_lock(path))
    assert path.read_bytes() == first


def test_changes_are_told_source_by_source() -> None:
    lines = changes(pins(a="1", b="2", c="3"), pins(a="1", b="4", d="5"))
    assert lines == (
        f"changed: b {'2' * 64} -> {'4' * 64}",
        f"gone: c {'3' * 64}",
        f"new: d {'5' * 64}",
    )


def test_no_lock_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_lock(tmp_path / "a.lock.json")
    assert "reelkiln lock" in caught.value.hint


@pytest.mark.parametrize(
    "sha256", ["../../../../etc/passwd", "A" * 64, "a" * 63, "", None, 7, "a" * 64 + "\n"]
)
def test_a_digest_in_a_foreign_lock_cannot_be_a_path(sha256: Any) -> None:
    data = json.loads(json.dumps(pins(a="1").as_json()))
    data["sources"][0]["sha256"] = sha256
    with pytest.raises(ValueError, match="not a SHA-256 digest"):
        inputs_from_json(data)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", "{}", '{"reelkiln_lock": 2, "sources": []}', "[" * 100_000,
     '{"reelkiln_lock": 1, "sources": [{}]}', '{"reelkiln_lock": 1, "sources": [7]}',
     '{"reelkiln_lock": 1, "sources": 7}', "\udcff"],
)  # fmt: skip
def test_a_broken_lock_is_a_sentence_not_a_traceback(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.lock.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match="cannot be read"):
        read_lock(path)
