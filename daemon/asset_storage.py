"""Where the bytes of assets lie, by key; and the plainest such place, a folder.

Keys: `uploads/YYYY-MM-DD/<asset>` and `generated/<job>/<asset>.<digest>`.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from daemon.fs import RealFs, move_new


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


class AssetFolder:
    """The storage in a folder of the daemon."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._fs = RealFs()

    def put_file(self, key: str, path: Path, *, media_type: str = "", move: bool = False) -> object:
        """As `AssetStorage.put_file`; FileExistsError when the key is taken."""
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        if move and path.lstat().st_dev == target.parent.stat().st_dev:
            _synced(path)
            move_new(self._fs, path, target)
            return target
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            shutil.copyfile(path, part, follow_symlinks=False)
            _synced(part)
            move_new(self._fs, part, target)
        finally:
            self._fs.unlink(part)
        if move:
            self._fs.unlink(path)
        return target

    def delete(self, key: str) -> None:
        """As `AssetStorage.delete`."""
        self._fs.unlink(self._path(key))

    def local_path(self, key: str) -> Path | None:
        """As `AssetStorage.local_path`."""
        path = self._path(key)
        return path if path.is_file() else None

    def _path(self, key: str) -> Path:
        if not key or any(part in ("", ".", "..") for part in key.split("/")):
            raise ValueError(f"{key!r} is not a key")
        return self.root / key


def _synced(path: Path) -> None:
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)
