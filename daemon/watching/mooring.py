"""Whether the inbox is still the inbox: removed, unmounted and replaced folders look empty too."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from daemon.places import Places
from daemon.watching.drops import FOLDERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """Something about the inbox that people must know. No drop is lost by it."""

    code: str
    message: str
    hint: str = ""
    path: Path | None = None

    @classmethod
    def of_unreadable(cls, folder: Path, error: OSError) -> Oddity:
        """A folder that cannot be read now; it is tried again with every scan."""
        if error.errno in (errno.ENOENT, errno.ESTALE):
            return cls(
                code="inbox-gone",
                message=f"{folder} is gone",
                hint="mount it, or make the folder again; every scan looks for it",
                path=folder,
            )
        return cls(
            code="inbox-unreadable",
            message=f"{folder} cannot be read: {error.strerror}",
            hint="let the daemon's user read it; every scan tries again",
            path=folder,
        )

    @classmethod
    def of_held(cls, path: Path) -> Oddity:
        """A drop that a program does not let go of."""
        return cls(
            code="drop-held-open",
            message=f"{path} is complete by its looks, but a program has it open for writing",
            hint="it is read when that program closes it; `fuser` or `lsof` name it",
            path=path,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moored:
    """The folders that may be scanned, open, by name."""

    folders: Mapping[str, int] = field(default_factory=dict)
    oddities: tuple[Oddity, ...] = ()


@dataclass(slots=True, kw_only=True)
class Mooring:
    """Holds on to the identity of one inbox from scan to scan."""

    places: Places
    _device: int | None = None
    _inode: int | None = None

    def look(self, stack: ExitStack) -> Moored:
        """Open what is to be scanned, for as long as `stack` lasts."""
        try:
            home = os.stat(self.places.state)
            inbox = _opened(self.places.inbox, stack)
        except OSError as error:
            folder = Path(str(error.filename or self.places.inbox))
            return Moored(oddities=(Oddity.of_unreadable(folder, error),))
        status = os.fstat(inbox)
        self._device = home.st_dev if self._device is None else self._device
        if {home.st_dev, status.st_dev} != {self._device}:
            return Moored(oddities=(self._elsewhere(self.places.inbox),))
        replaced = self._inode not in (None, status.st_ino)
        self._inode = status.st_ino
        folders, oddities = self._below(inbox, stack)
        if replaced:
            oddities.append(self._replaced())
        return Moored(folders=folders, oddities=tuple(oddities))

    def _below(self, inbox: int, stack: ExitStack) -> tuple[dict[str, int], list[Oddity]]:
        """The inbox and those of its folders that are there."""
        folders, oddities = {"": inbox}, list[Oddity]()
        for name in (name for name, _ in FOLDERS if name):
            path = self.places.inbox / name
            try:
                descriptor = _opened(Path(name), stack, inbox)
            except FileNotFoundError:
                continue
            except OSError as error:
                oddities.append(Oddity.of_unreadable(path, error))
                continue
            if os.fstat(descriptor).st_dev == self._device:
                folders[name] = descriptor
            else:
                oddities.append(self._elsewhere(path))
        return folders, oddities

    def _elsewhere(self, folder: Path) -> Oddity:
        return Oddity(
            code="inbox-elsewhere",
            message=f"{folder} is not on the file system that holds {self.places.state}, "
            "or not on the one that it was on; its drops are not taken",
            hint="mount what is missing; if it was moved on purpose, restart the daemon, "
            "with inbox and .reelkiln on one file system",
            path=folder,
        )

    def _replaced(self) -> Oddity:
        return Oddity(
            code="inbox-replaced",
            message=f"{self.places.inbox} is another folder than before; the new one is scanned",
            hint="what lay in the old one was not lost by the daemon: look where it was moved",
            path=self.places.inbox,
        )


def _opened(path: Path, stack: ExitStack, folder: int | None = None) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (os.O_NOFOLLOW if folder else 0)
    descriptor = os.open(path, flags, dir_fd=folder)
    stack.callback(os.close, descriptor)
    return descriptor
