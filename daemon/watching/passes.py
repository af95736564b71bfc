"""One pass over a folder of the inbox: each name once, and when its file may be opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from daemon.jobs import Priority
from daemon.watching.drops import (
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
from daemon.watching.glances import signature_of

Hints = Callable[[str], Hint | None]
"""What events said about a path."""


class Candidate(NamedTuple):
    """A drop as it was seen last: small, for there may be very many. `folder` is its name."""

    folder: str
    name: str
    kind: DropKind
    mode: int
    seen: Seen
    arrival: Arrival
    due: float
    ready_file: bool

    @property
    def is_ordinary(self) -> bool:
        """Whether it is a file that holds something."""
        return stat.S_ISREG(self.mode) and self.seen.signature.size > 0

    def drop(self, folder: Path, priority: Priority) -> Drop:
        """The drop itself, in its folder."""
        return Drop(
            folder=folder,
            name=self.name,
            kind=self.kind,
            priority=priority,
            signature=self.seen.signature,
            ready_file=self.ready_file,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What decides when a drop of `folder` may be opened; `name` is the folder's in the inbox."""

    name: str
    folder: Path
    now: float
    patience: Patience
    hints: Hints

    def candidate(self, name: str, kind: DropKind, mode: int, seen: Seen,
                  ready_ctime_ns: int | None) -> Candidate:  # fmt: skip
        """A drop with the time when it may be opened."""
        hint = self.hints(f"{self.folder}/{name}")
        arrival = arrival_of(hint, ready_ctime_ns, seen, self.now, self.patience)
        if not stat.S_ISREG(mode):
            due = max(seen.since + self.patience.settle_s, seen.retry_at)
        elif seen.signature.size == 0:
            due = max(seen.since + self.patience.refuse_s, seen.retry_at)
        else:
            due = due_at(kind, seen, arrival, hint, self.patience)
        is_vouched = ready_ctime_ns is not None
        return Candidate(self.name, name, kind, mode, seen, arrival, due, is_vouched)


@dataclass(slots=True, kw_only=True)
class FolderPass:
    """What a pass over one folder found: its drops, and what lies beside them."""

    judging: Judging
    drops: dict[str, Candidate] = field(default_factory=dict)
    cancels: list[Path] = field(default_factory=list)
    ready_files: dict[str, Seen] = field(default_factory=dict)
    _looked: list[tuple[str, DropKind, int, Seen]] = field(default_factory=list)

    def read(
        self, descriptor: int, before: Mapping[str, Candidate], ready_before: Mapping[str, Seen]
    ) -> None:
        """Look at every name of the open folder. Raises OSError when that cannot be done.

        A drop that could be opened already is not looked at again: opening it will prove that
        it is still the one that was seen. So a pass over a long queue costs its names alone.
        """
        now = self.judging.now
        with os.scandir(descriptor) as entries:
            for entry in entries:
                name = entry.name
                known = before.get(name)
                if known is not None and known.due <= now and known.is_ordinary:
                    self.drops[name] = known
                else:
                    self._look(entry, known, ready_before)
        for name, kind, mode, seen in self._looked:
            self._place(name, kind, mode, seen)
        for name in self.ready_files:
            self._vouch(name.removesuffix(READY))

    def leftovers(self) -> list[Path]:
        """The `.ready` files that have been without a drop for long."""
        patience, now = self.judging.patience, self.judging.now
        return [
            self.judging.folder / name
            for name, seen in sorted(self.ready_files.items())
            if name.removesuffix(READY) not in self.drops and now >= seen.since + patience.refuse_s
        ]

    def _look(
        self,
        entry: os.DirEntry[str],
        known: Candidate | None,
        ready_before: Mapping[str, Seen],
    ) -> None:
        name, kind = entry.name, kind_of(entry.name)
        if kind is None and companion_of(name, READY) is None:
            if companion_of(name, CANCEL) is not None:
                self.cancels.append(self.judging.folder / name)
            return
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # claimed or renamed since the folder was read
            return
        seen_before = known.seen if known else ready_before.get(name)
        seen = seen_again(seen_before, signature_of(status), self.judging.now)
        if kind is None:
            self.ready_files[name] = seen
        else:
            self._looked.append((name, kind, status.st_mode, seen))

    def _place(self, name: str, kind: DropKind, mode: int, seen: Seen) -> None:
        ready = self.ready_files.get(name + READY) if self.ready_files else None
        ctime_ns = ready.signature.ctime_ns if ready else None
        self.drops[name] = self.judging.candidate(name, kind, mode, seen, ctime_ns)

    def _vouch(self, name: str) -> None:
        """A `.ready` that came late goes with its drop all the same."""
        drop = self.drops.get(name)
        if drop is not None and not drop.ready_file:
            self._place(name, drop.kind, drop.mode, drop.seen)
