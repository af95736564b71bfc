"""The file system as the daemon's protocol sees it: few calls, each one step of a proof.

`RealFs` makes the system calls. Tests put a file system in its place that fails or dies at the
n-th call, or that forgets whatever was not synced when the power goes.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Protocol

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_PIECE = 64 * 1024


class Fs(Protocol):
    """What the protocol asks of a file system. Every method raises OSError when it fails."""

    def read(self, path: Path, limit: int) -> bytes:
        """At most `limit` bytes of a regular file; symlinks are refused."""
        ...

    def write_new(self, path: Path, data: bytes) -> None:
        """Create a file (FileExistsError when it is there) and sync its bytes."""
        ...

    def write_soon(self, path: Path, data: bytes) -> None:
        """As `write_new`, for bytes that need not outlast the power: nothing is synced."""
        ...

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its new name, in place of what was there."""
        ...

    def rename_new(self, old: Path, new: Path) -> None:
        """Give a file or folder a name that nothing has: FileExistsError otherwise."""
        ...

    def unlink(self, path: Path) -> None:
        """Remove a file; one that is not there is no error."""
        ...

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder outlast the power."""
        ...

    def names(self, folder: Path) -> list[str]:
        """The names in a folder, sorted; none when it is not there."""
        ...

    def stat(self, path: Path) -> os.stat_result | None:
        """What a name stands for, itself if it is a link; None when there is nothing."""
        ...

    def make_folder(self, path: Path) -> None:
        """Make a folder unless it is there."""
        ...


class RealFs:
    """The system calls themselves."""

    def read(self, path: Path, limit: int) -> bytes:
        """As `Fs.read`."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with _opened(path, flags) as number:
            return _read(number, limit)

    def write_new(self, path: Path, data: bytes) -> None:
        """As `Fs.write_new`."""
        with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as number:
            _write(number, data)
            os.fsync(number)

    def write_soon(self, path: Path, data: bytes) -> None:
        """As `Fs.write_soon`."""
        with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as number:
            _write(number, data)

    def rename(self, old: Path, new: Path) -> None:
        """As `Fs.rename`."""
        os.rename(old, new)

    def rename_new(self, old: Path, new: Path) -> None:
        """As `Fs.rename_new`, by renameat2."""
        names = (os.fsencode(old), os.fsencode(new))
        if _libc().renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_NOREPLACE):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(old), None, str(new))

    def unlink(self, path: Path) -> None:
        """As `Fs.unlink`."""
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        """As `Fs.sync_folder`."""
        with _opened(path, os.O_RDONLY | os.O_DIRECTORY) as number:
            os.fsync(number)

    def names(self, folder: Path) -> list[str]:
        """As `Fs.names`."""
        try:
            return sorted(os.listdir(folder))
        except FileNotFoundError:
            return []

    def stat(self, path: Path) -> os.stat_result | None:
        """As `Fs.stat`."""
        try:
            return os.lstat(path)
        except FileNotFoundError:
            return None

    def make_folder(self, path: Path) -> None:
        """As `Fs.make_folder`."""
        path.mkdir(exist_ok=True)


def replace_file(fs: Fs, path: Path, data: bytes, nonce: str) -> None:
    """Give `path` new bytes at once: a reader sees the old ones or the new ones, whole."""
    part = path.with_name(f".{nonce}.part")
    try:
        fs.write_new(part, data)
        fs.rename(part, path)
    except OSError:
        fs.unlink(part)
        raise
    fs.sync_folder(path.parent)


def move_new(fs: Fs, old: Path, new: Path) -> None:
    """Move a file or folder to a name that nothing has, and make that outlast the power.

    The folder that it left is synced: a disk may keep both names, but lets go of the old one only
    once it has the new one. Raises as `move_soon`.
    """
    move_soon(fs, old, new)
    fs.sync_folder(old.parent)


def move_soon(fs: Fs, old: Path, new: Path) -> None:
    """As `move_new`, but when the power goes the old name may come back, also beside the new one.

    Done again, this ends with the new name alone.
    Raises FileExistsError when the name is taken, FileNotFoundError when the old one is gone.
    """
    try:
        fs.rename_new(old, new)
    except FileExistsError:
        if not is_same_file(fs, old, new):
            raise
        fs.unlink(old)


def is_same_file(fs: Fs, one: Path, other: Path) -> bool:
    """Whether two names stand for one file."""
    mine, its = fs.stat(one), fs.stat(other)
    return mine is not None and its is not None and os.path.samestat(mine, its)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _read(number: int, limit: int) -> bytes:
    """Piece by piece: to ask for `limit` at once would make room for all of it each time."""
    parts = [os.read(number, min(limit, _PIECE))]
    while len(parts[-1]) == _PIECE:  # a regular file gives less only at its end
        limit -= _PIECE
        parts.append(os.read(number, min(limit, _PIECE)))
    return b"".join(parts)


def _write(number: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(number, view) :]


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    number = os.open(path, flags | os.O_CLOEXEC, 0o644)
    try:
        yield number
    finally:
        os.close(number)
