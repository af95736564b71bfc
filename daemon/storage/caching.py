"""A storage whose bytes are kept on a near disk once they were read.

What is kept goes by key and tag, and the tag is asked for each time: bytes that were replaced
are never shown. The least lately read goes first when there is no room.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from daemon.storage.around import Around
from daemon.storage.contract import CHUNK_BYTES, Storage, Stored, checked_range
from daemon.storage.errors import StorageUnavailable
from renderer.digest import digest_of
from renderer.disk import full_disk_told, private_folder, sweep_folders

_NEW = "new-"


class Caching(Around):
    """`inner` with a folder of at most `max_bytes` of what was read from it."""

    def __init__(self, inner: Storage, folder: Path, *, max_bytes: int) -> None:
        super().__init__(inner)
        self._folder, self._max_bytes = folder, max_bytes
        (folder / ".new").mkdir(parents=True, exist_ok=True)
        sweep_folders(folder / ".new", _NEW)

    def open_range(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """As `Storage.open_range`, from the near disk; what is larger than it is passed on."""
        found = self.inner.head(key)
        start, last = checked_range(key, start, end, found.size_bytes)
        if found.size_bytes > self._max_bytes:
            return self.inner.open_range(key, start, end)
        return _pieces(self._kept(found), start, last)

    def _kept(self, found: Stored) -> int:
        """The bytes on the near disk, open: however soon they are removed, they can be read."""
        path = self._folder / digest_of([found.key, found.etag, found.size_bytes])
        try:
            number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            os.utime(number)
            return number
        except FileNotFoundError:
            return self._fetched(found, path)

    def _fetched(self, found: Stored, path: Path) -> int:
        self._make_room(found.size_bytes)
        with full_disk_told(self._folder), private_folder(self._folder / ".new", _NEW) as folder:
            part, digest = folder / "data", hashlib.sha256()
            with part.open("xb") as stream:
                for piece in self.inner.open_range(found.key):
                    digest.update(piece)
                    stream.write(piece)
                if stream.tell() != found.size_bytes:
                    raise StorageUnavailable(f"{found.key} was replaced while it was read")
            if found.sha256 not in ("", digest.hexdigest()):
                raise StorageUnavailable(f"{found.key} came with other bytes than were stored")
            number = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
            part.replace(path)
            return number

    def _make_room(self, size: int) -> None:
        kept = [(path, path.stat()) for path in self._folder.iterdir() if path.is_file()]
        used = sum(status.st_size for _, status in kept)
        for path, status in sorted(kept, key=lambda entry: entry[1].st_mtime_ns):
            if used + size <= self._max_bytes:
                return
            path.unlink(missing_ok=True)
            used -= status.st_size


def _pieces(number: int, start: int, end: int) -> Iterator[bytes]:
    with os.fdopen(number, "rb", buffering=0) as stream:
        stream.seek(start)
        while start < end and (data := stream.read(min(CHUNK_BYTES, end - start))):
            start += len(data)
            yield data
