"""Where the bytes of assets lie in the storage, and what is asked of it.

Keys: `uploads/YYYY-MM-DD/<asset>` and `generated/<job>/<asset>.<digest>`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from daemon.signing import HOUR_S
from daemon.storage.contract import Method, Signed


class AssetStorage(Protocol):
    """Bytes by key. Nothing is ever overwritten."""

    def put_file(self, key: str, path: Path, *, media_type: str = "", move: bool = False) -> object:
        """Keep the bytes of a file, all or none; with `move` it is gone afterwards."""
        ...

    def delete(self, key: str) -> None:
        """Remove it; what is not there is no error."""
        ...

    @property
    def is_here(self) -> bool:
        """Whether what is stored can be read in place."""
        ...

    def local_path(self, key: str) -> Path | None:
        """A file to read in place; None where there is none."""
        ...

    def open_range(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes, by pieces. Raises KeyUnknown."""
        ...

    def presign(
        self, method: Method, key: str, *, expires_s: int = HOUR_S, media_type: str = "",
        size_bytes: int | None = None, sha256: str = "", file_name: str = "",
    ) -> Signed:  # fmt: skip
        """A request that needs no key."""
        ...


def upload_key(asset_id: str, now: float) -> str:
    """Where an upload of that moment lies."""
    day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    return f"uploads/{day}/{asset_id}"


def generated_key(job_id: str, asset_id: str, sha256: str) -> str:
    """Where a file that a job made lies: other bytes, other key."""
    return f"generated/{job_id or 'none'}/{asset_id}.{sha256[:16]}"
