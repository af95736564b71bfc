"""A stored thing as a file, and as proven bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.storage.contract import Storage
from renderer.disk import full_disk_told, private_folder

_COPY = "copy-"


@contextmanager
def as_file(storage: Storage, key: str, scratch: Path) -> Iterator[Path]:
    """A file to read: the stored one, or a copy in `scratch` that is gone afterwards.

    Raises KeyUnknown, StorageUnavailable, StorageFull.
    """
    here = storage.local_path(key)
    if here is not None:
        yield here
        return
    with full_disk_told(scratch), private_folder(scratch, _COPY) as folder:
        copy = folder / "data"
        with copy.open("xb") as out:
            out.writelines(storage.open_range(key))
        yield copy


def stored_digest(storage: Storage, key: str) -> str:
    """The SHA-256 of what comes back from the storage, all of it read. Raises KeyUnknown."""
    digest = hashlib.sha256()
    for piece in storage.open_range(key):
        digest.update(piece)
    return digest.hexdigest()
