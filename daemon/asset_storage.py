"""Where the bytes of assets lie in the storage, and what is asked of it.

Keys: `uploads/YYYY-MM-DD/<asset>` and `generated/<job>/<asset>.<digest>`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


class AssetStorage(Protocol):
    """Bytes by key. Nothing is ever overwritten."""

    def put_file(self, key: str, path: Path, *, media_type: str = "", move: bool = False) -> object:
        """Keep the bytes of a file, all or none; with `move` it is gone afterwards."""
        ...

    def delete(self, key: str) -> None:
        """Remove it; what is not there is no error."""
        ...

    def local_path(self, key: str) -> Path | None:
        """A file to read in place; None where there is none."""
        ...


def upload_key(asset_id: str, now: float) -> str:
    """Where an upload of that moment lies."""
    day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    return f"uploads/{day}/{asset_id}"


def generated_key(job_id: str, asset_id: str, sha256: str) -> str:
    """Where a file that a job made lies: other bytes, other key."""
    return f"generated/{job_id or 'none'}/{asset_id}.{sha256[:16]}"
