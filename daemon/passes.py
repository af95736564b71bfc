"""One pass over a folder of the inbox: each name once, and when its file may be opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from daemon.drops import (
    CANCEL,
    READY,
    Arrival,
    Drop,
    DropKind,
    Hint,
    Patience,
    Seen,
    arrival_of,
    companion_of,
    due_at,
    kind_of,
    seen_again,
)
from daemon.glances import signature_of
from daemon.jobs import Priority

Hints = Callable[[str], Hint | None]
"""What events said about a path."""


class Candidate(NamedTuple):
    """A drop as a pass saw it: small, for there may be very many. Sorted, first come is first.

    The ctime decides, which no writer can set; the folder before it.
    """

    rank: int
    ctime_ns: int
    name: str
    folder: str
    kind: DropKind
    mode: int
    seen: Seen
    arrival: Arrival
    due: float
    ready_file: bool

    def drop(self, folder: Path) -> Drop:
        """The drop itself, in its folder."""
        return Drop(
            folder=folder,
            name=self.name,
            kind=self.kind,
            priority=list(Priority)[self.rank],
            signature=self.seen.signature,
            ready_file=self.ready_file,
        )


@dataclass(slots=True, kw_only=True)
class FolderPass:
    """What a pass over `folder` found; `name` is that folder's name in the inbox."""

    name: str
    folder: Path
    priority: Priority
    seen: dict[str, Seen] = field(default_factory=dict)
    cancels: list[Path] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)
    _drops: list[tuple[str, DropKind, int]] = field(default_factory=list)
    _ready_files: dict[str, int] = field(default_factory=dict)

    def read(self, descriptor: int, before: Mapping[str, Seen], now: float) -> None:
        """Look at every name of the open folder once. Raises OSError when that cannot be done."""
        with os.scandir(descriptor) as entries:
            for entry in entries:
                name = entry.name
                kind = kind_of(name)
                if kind is None and companion_of(name, READY) is None:
                    if companion_of(name, CANCEL) is not None:
                        self.cancels.append(self.folder / name)
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # claimed or renamed since the folder was read
                    continue
                self.seen[name] = seen_again(before.get(name), signature_of(status), now)
                if kind is None:
                    self._ready_files[name] = status.st_ctime_ns
                else:
                    self._drops.append((name, kind, status.st_mode))

    def candidates(self, now: float, patience: Patience, hints: Hints) -> list[Candidate]:
        """Every drop of the folder, with the time when it may be opened."""
        rank, prefix = self.priority.rank, f"{self.folder}/"
        found = []
        for name, kind, mode in self._drops:
            seen = self.seen[name]
            ready_ctime = self._ready_files.get(name + READY) if self._ready_files else None
            hint = hints(prefix + name)
            arrival = arrival_of(hint, ready_ctime, seen, now, patience)
            if not stat.S_ISREG(mode):
                due = seen.since + patience.settle_s
            elif seen.signature.size == 0:
                due = max(seen.since + patience.refuse_s, seen.retry_at)
            else:
                due = due_at(kind, seen, arrival, hint, patience)
            found.append(
                Candidate(
                    rank,
                    seen.signature.ctime_ns,
                    name,
                    self.name,
                    kind,
                    mode,
                    seen,
                    arrival,
                    due,
                    ready_ctime is not None,
                )
            )
        return found

    def note_leftovers(self, now: float, patience: Patience) -> None:
        """Note the `.ready` files that have been without a drop for long."""
        for name in sorted(self._ready_files):
            alone = name.removesuffix(READY) not in self.seen
            if alone and now >= self.seen[name].since + patience.refuse_s:
                self.leftovers.append(self.folder / name)
