"""A file system in memory that forgets what was not synced when the power goes."""

import errno
import os
import random
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from pathlib import Path


class PowerCut(BaseException):
    """The process is no more: not an Exception, so that nothing catches it."""


@dataclass(eq=False)
class Node:
    number: int
    entries: "dict[str, Node] | None" = None  # of folders: the live names
    durable: "dict[str, Node]" = field(default_factory=dict)
    data: bytes = b""
    synced: bool = False


@dataclass(eq=False)
class Change:
    """Names set or taken away in one atomic step; no node means taken away.

    It reaches the disk no sooner than the change `after` which it comes.
    """

    slots: tuple[tuple[Node, str, Node | None], ...]
    after: "Change | None" = None


class Disk(StrEnum):
    """What a disk keeps of names that were not synced when the power goes."""

    JOURNAL = "journal"
    """Those up to some moment, as ext4 and XFS."""
    LOOSE = "loose"
    """Any of them; a rename is one step, and changes of one name keep their order."""
    SPLIT = "split"
    """As LOOSE, but a file moved between folders is two changes, the new name first: a sync of the
    folder that it came to does not take it from the one that it left, as on btrfs."""


class SimulatedFs:
    """As `daemon.fs.Fs`. Unsynced names survive as `disk` says, unsynced bytes empty, half or
    whole."""

    def __init__(self, seed: int, *, disk: Disk) -> None:
        self.chance, self.disk = random.Random(seed), disk
        self.numbers = count(1)
        self.root = Node(next(self.numbers), {})
        self.pending: list[Change] = []
        self.calls = self.syncs = 0
        self.cut_at = self.cut_before_sync = -1
        self.files: list[Node] = []

    # -- what a test does ------------------------------------------------------------------

    def power_loss(self) -> None:
        for change in self._kept():
            self._harden(change)
        self.pending, self.cut_at, self.cut_before_sync = [], -1, -1
        for node in self.files:
            if not node.synced:
                node.data = node.data[: self.chance.choice((0, len(node.data) // 2, None))]
                node.synced = True
        self._revert(self.root)

    def _kept(self) -> list[Change]:
        if self.disk is Disk.JOURNAL:
            return self.pending[: self.chance.randint(0, len(self.pending))]
        kept, lost, gone = [], set(), set[int]()
        is_lost = self._fate()
        for change in self.pending:
            slots = {(id(node), name) for node, name, _ in change.slots}
            if slots & lost or id(change.after) in gone or is_lost(change):
                lost |= slots
                gone.add(id(change))
            else:
                kept.append(change)
        return kept

    def _fate(self) -> Callable[[Change], bool]:
        """Each change for itself, or one folder before all others, or after them."""
        folders = [node for change in self.pending for node, _, _ in change.slots]
        how = self.chance.choice(("each", "first", "last"))
        if how == "each" or not folders:
            return lambda change: self.chance.random() < 0.5
        chosen = self.chance.choice(folders)
        return lambda change: _touches(change, chosen) is (how == "last")

    def _revert(self, folder: Node) -> None:
        folder.entries = dict(folder.durable)
        for node in folder.entries.values():
            if node.entries is not None:
                self._revert(node)

    def _harden(self, change: Change) -> None:
        for folder, name, node in change.slots:
            if node is None:
                folder.durable.pop(name, None)
            else:
                folder.durable[name] = node

    # -- the calls -------------------------------------------------------------------------

    def read(self, path: Path, limit: int) -> bytes:
        self._step()
        node = self._node(path)
        if node is None:
            raise FileNotFoundError(errno.ENOENT, "gone", str(path))
        return node.data[:limit]

    def write_new(self, path: Path, data: bytes) -> None:
        self.write_soon(path, data)
        self._step()
        node = self._node(path)
        if node is not None:  # else somebody removed it meanwhile
            node.synced = True

    def write_soon(self, path: Path, data: bytes) -> None:
        self._step()
        folder = self._folder(path)
        if path.name in folder.entries:
            raise FileExistsError(errno.EEXIST, "there", str(path))
        node = Node(next(self.numbers), data=data)
        self.files.append(node)
        self._change((folder, path.name, node))

    def rename(self, old: Path, new: Path) -> None:
        self._step()
        source, target = self._folder(old), self._folder(new)
        if old.name not in source.entries:
            raise FileNotFoundError(errno.ENOENT, "gone", str(old))
        node = source.entries[old.name]
        if self.disk is Disk.SPLIT and source is not target and node.entries is None:
            added = self._change((target, new.name, node))
            self._change((source, old.name, None), after=added)
        else:
            self._change((source, old.name, None), (target, new.name, node))

    def rename_new(self, old: Path, new: Path) -> None:
        if new.name in self._folder(new).entries and old.name in self._folder(old).entries:
            self._step()
            raise FileExistsError(errno.EEXIST, "there", str(new))
        self.rename(old, new)

    def unlink(self, path: Path) -> None:
        self._step()
        folder = self._folder(path)
        if path.name in folder.entries:
            self._change((folder, path.name, None))

    def sync_folder(self, path: Path) -> None:
        self._about_to_sync()
        folder = self._node(path)
        if self.disk is Disk.JOURNAL:
            last = max((i for i, c in enumerate(self.pending) if _touches(c, folder)), default=-1)
            forced = set(range(last + 1))
        else:
            forced, slots = set(), set()
            before = set[int]()
            for i in reversed(range(len(self.pending))):
                change = self.pending[i]
                mine = {(id(node), name) for node, name, _ in change.slots}
                if _touches(change, folder) or mine & slots or id(change) in before:
                    forced.add(i)
                    slots |= mine
                    before.add(id(change.after))
        for i in sorted(forced):
            self._harden(self.pending[i])
        self.pending = [c for i, c in enumerate(self.pending) if i not in forced]

    def names(self, folder: Path) -> list[str]:
        self._step()
        node = self._node(folder)
        return sorted(node.entries) if node is not None and node.entries is not None else []

    def stat(self, path: Path) -> os.stat_result | None:
        self._step()
        node = self._node(path)
        if node is None:
            return None
        kind = stat.S_IFREG if node.entries is None else stat.S_IFDIR
        return os.stat_result((kind | 0o644, node.number, 1, 1, 0, 0, len(node.data), 0, 0, 0))

    def make_folder(self, path: Path) -> None:
        self._step()
        folder = self._folder(path)
        if path.name not in folder.entries:
            self._change((folder, path.name, Node(next(self.numbers), {})))

    # -- below -----------------------------------------------------------------------------

    def _step(self) -> None:
        self.calls += 1
        assert self.calls < 50_000, "daemons that never rest"
        if self.calls == self.cut_at:
            self.at_cut()

    def _about_to_sync(self) -> None:
        self._step()
        self.syncs += 1
        if self.syncs == self.cut_before_sync:
            self.at_cut()

    def at_cut(self) -> None:
        """What happens at the call `cut_at`; a test may put a pause here."""
        raise PowerCut

    def _change(self, *slots: tuple[Node, str, Node | None], after: Change | None = None) -> Change:
        for folder, name, node in slots:
            assert folder.entries is not None
            if node is None:
                folder.entries.pop(name)
            else:
                folder.entries[name] = node
        change = Change(slots, after)
        self.pending.append(change)
        return change

    def _node(self, path: Path) -> Node | None:
        node = self.root
        for part in path.parts[1:]:
            if node.entries is None or part not in node.entries:
                return None
            node = node.entries[part]
        return node

    def _folder(self, path: Path) -> Node:
        node = self._node(path.parent)
        if node is None or node.entries is None:
            raise FileNotFoundError(errno.ENOENT, "no folder", str(path.parent))
        return node


def _touches(change: Change, folder: Node | None) -> bool:
    return any(node is folder for node, _, _ in change.slots)
