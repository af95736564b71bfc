from __future__ import annotations

from pathlib import Path

import pytest

from daemon.fs import RealFs

_PIECE = 64 * 1024


@pytest.mark.parametrize("size", [0, 1, _PIECE - 1, _PIECE, _PIECE + 1, 2 * _PIECE, 200_000])
@pytest.mark.parametrize("limit", [0, 1, _PIECE, _PIECE + 1, 2 * _PIECE, 1 << 24])
def test_a_file_is_read_whole_or_to_the_limit(tmp_path: Path, size: int, limit: int) -> None:
    data = bytes(number % 251 for number in range(size))
    (tmp_path / "file").write_bytes(data)
    assert RealFs().read(tmp_path / "file", limit) == data[:limit]
