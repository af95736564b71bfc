"""A real file system of which some calls fail while a test says so."""

import os
from collections.abc import Callable, Collection
from pathlib import Path

from daemon.fs import RealFs

WRITES = ("write_new", "make_folder")
CHANGES = (*WRITES, "rename", "rename_new", "unlink", "sync_folder")


class FaultyFs(RealFs):
    """Calls named in `failing` raise `number` where `where` says so; `at` counts down to one."""

    def __init__(self) -> None:
        self.number, self.failing, self.at, self.met = 0, frozenset[str](), 0, 0
        self.where: Callable[[Path], bool] = lambda path: True

    def fail(
        self, number: int, failing: Collection[str], where: Callable[[Path], bool] | None = None
    ) -> None:
        self.number, self.failing, self.met = number, frozenset(failing), 0
        self.where = where or (lambda path: True)

    def heal(self) -> None:
        self.number, self.failing, self.at = 0, frozenset(), 0

    def fail_once(self, number: int, at: int) -> None:
        self.number, self.at = number, at

    def _asked(self, call: str, *paths: Path) -> None:
        if call in CHANGES and self.at:
            self.at -= 1
            if not self.at:
                raise OSError(self.number, os.strerror(self.number), str(paths[0]))
        if call in self.failing and any(map(self.where, paths)):
            self.met += 1
            raise OSError(self.number, os.strerror(self.number), str(paths[0]))

    def read(self, path: Path, limit: int) -> bytes:
        self._asked("read", path)
        return super().read(path, limit)

    def write_new(self, path: Path, data: bytes) -> None:
        self._asked("write_new", path)
        super().write_new(path, data)

    def write_soon(self, path: Path, data: bytes) -> None:
        self._asked("write_new", path)
        super().write_soon(path, data)

    def rename(self, old: Path, new: Path) -> None:
        self._asked("rename", old, new)
        super().rename(old, new)

    def rename_new(self, old: Path, new: Path) -> None:
        self._asked("rename_new", old, new)
        super().rename_new(old, new)

    def unlink(self, path: Path) -> None:
        self._asked("unlink", path)
        super().unlink(path)

    def sync_folder(self, path: Path) -> None:
        self._asked("sync_folder", path)
        super().sync_folder(path)

    def make_folder(self, path: Path) -> None:
        self._asked("make_folder", path)
        super().make_folder(path)
