"""What we ask of a disk: bytes that stay, folders that die with their owner, honest renames."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from renderer.errors import StorageFull

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR})
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS})
_NOREPLACE, _HERE = 1, -100


@contextmanager
def full_disk_told(place: Path) -> Iterator[None]:
    """Turns "no space left", "over quota" and "file too large" into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise StorageFull(
            f"no room left in {place}: {error}; nothing was published",
            hint="free some space, then run it again",
        ) from error


@contextmanager
def private_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder `<parent>/<prefix><time in ns>-<random>`, locked while the block lasts.

    It is removed at the end, also after an error, unless it was renamed away. A process
    that is killed lets go of the lock, which is how `sweep_folders` tells.
    """
    folder, handle = _claimed(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def sweep_folders(parent: Path, prefix: str) -> None:
    """Remove private folders whose owner is gone; those of the living are left alone."""
    for folder in private_folders(parent, prefix):
        handle = _lock_of_the_dead(folder)
        if handle is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)


def private_folders(parent: Path, prefix: str) -> tuple[Path, ...]:
    """Private folders of anybody, oldest first."""
    found = (p for p in parent.iterdir() if p.name.startswith(prefix) and p.is_dir())
    return tuple(sorted(found))


def made_at_ns(folder: Path, prefix: str) -> int:
    """When a private folder was made, in nanoseconds since 1970; 0 for a foreign name."""
    digits = folder.name.removeprefix(prefix).partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def rename_new(source: Path, target: Path) -> bool:
    """Rename the folder `source` to `target`, never replacing; False when it exists.

    The rename is durable when this returns. Raises OSError.
    """
    code = _renameat2(source, target)
    if code in _UNSUPPORTED:
        code = _plain_rename(source, target)
    if code in _TAKEN:
        return False
    if code:
        raise OSError(code, os.strerror(code), str(target))
    sync(target.parent)
    return True


def sync_tree(folder: Path) -> None:
    """Flush every file below `folder`, then the folders, innermost first."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in sorted(names):
            sync(Path(parent, name))
        sync(Path(parent))


def sync(path: Path) -> None:
    """Flush a file or a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _claimed(parent: Path, prefix: str) -> tuple[Path, int]:
    parent.mkdir(parents=True, exist_ok=True)
    while True:
        folder = parent / f"{prefix}{time.time_ns()}-{secrets.token_hex(6)}"
        folder.mkdir()
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue  # a sweeper took it before it had an owner
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            return folder, handle  # a disk without locks: sweepers cannot take it either
        if folder.exists():
            return folder, handle
        os.close(handle)


def _lock_of_the_dead(folder: Path) -> int | None:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None  # gone meanwhile, or no folder: not ours to remove
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _renameat2(source: Path, target: Path) -> int:
    """The error number, 0 when it went well."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return errno.ENOSYS
    done = call(_HERE, os.fsencode(source), _HERE, os.fsencode(target), _NOREPLACE)
    return 0 if done == 0 else ctypes.get_errno()


def _plain_rename(source: Path, target: Path) -> int:
    # Where renameat2 is missing: a folder never replaces a folder that holds something,
    # and every published folder holds its manifest.
    try:
        source.rename(target)
    except OSError as error:
        return error.errno or errno.EIO
    return 0
