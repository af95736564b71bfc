"""The scan of the inbox, which is the truth: what is ready is found without a single event.

Nothing is opened before its name, its kind and its age say that it may be complete, and no more
than is wanted. While a long queue is taken, the folders are read anew only every other second:
opening a drop proves that it is still the one that was seen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from pathlib import Path

from daemon.places import Places
from daemon.refusals import Refused, refusal_of_empty, refusal_of_kind, refusal_of_size, unreadable
from daemon.watching.drops import FOLDERS, Drop, Patience, Seen, due_at, says_it_is_complete
from daemon.watching.glances import Glance, Glanced, glance, signature_of
from daemon.watching.line import Line
from daemon.watching.mooring import Mooring, Oddity
from daemon.watching.passes import Candidate, FolderPass, Hints, Judging
from renderer.limits import Limits

_BATCH = 1000
_PASS_EVERY_S = 2.0
_SORTED_AT_ONCE = 5000
"""So many at most before the first of them may go; who came first is among the first sorted."""
_PRIORITIES = dict(FOLDERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What one scan found. Times are those of the clock that `scan` was given.

    `ready` holds no more than was wanted, in the order in which they go; what is not moved away
    comes again. `waiting` counts the drops that are not in this result, and `next_at` says when
    scanning may find more (None: when something changes). `cancels` are the `.cancel` files,
    `leftovers` the `.ready` files that have long been without a drop and may be removed.
    """

    ready: tuple[Drop, ...] = ()
    refused: tuple[Refused, ...] = ()
    waiting: int = 0
    next_at: float | None = None
    cancels: tuple[Path, ...] = ()
    leftovers: tuple[Path, ...] = ()
    oddities: tuple[Oddity, ...] = ()


@dataclass(slots=True, kw_only=True)
class Scanner:
    """Scans one inbox again and again, and remembers what it saw. For one thread.

    `batch`: drops that one scan opens at most. `hints`: what events said about a path, if any.
    `wall` is the time of day in seconds: a drop that came long ago moves up.
    """

    places: Places
    patience: Patience = field(default_factory=Patience)
    hints: Hints = lambda path: None
    wall: Callable[[], float] = time.time
    batch: int = _BATCH
    max_bytes: int = field(default_factory=lambda: Limits().max_document_bytes)
    line: Line = field(default_factory=Line)
    _mooring: Mooring = field(init=False)
    _ready_files: dict[str, dict[str, Seen]] = field(default_factory=dict)
    _passed_at: float = float("-inf")
    _has_just_passed: bool = False  # a pass that took long must not keep what it found waiting

    def __post_init__(self) -> None:
        self._mooring = Mooring(places=self.places)

    def scan(self, now: float, wanted: int | None = None) -> ScanResult:
        """Find what is ready, at most `wanted`. `now` is of a clock that never goes back, in s.

        Faults of a folder are oddities, never an exception: the next scan may find it well.
        """
        with ExitStack() as stack:
            moored = self._mooring.look(stack)
            scan = _Scan(scanner=self, now=now, folders=dict(moored.folders))
            scan.oddities += moored.oddities
            is_long = len(self.line) >= self.batch
            is_time = now >= self._passed_at + _PASS_EVERY_S and not self._has_just_passed
            self._has_just_passed = not is_long or is_time
            if self._has_just_passed:
                self._pass(scan)
            scan.sort_out()
            scan.take(self.batch if wanted is None else min(wanted, self.batch))
            return scan.result()

    def judging(self, name: str, now: float) -> Judging:
        """How drops of the folder with that name are judged now."""
        folder = self.places.inbox / name if name else self.places.inbox
        return Judging(name=name, folder=folder, now=now, patience=self.patience, hints=self.hints)

    def _pass(self, scan: _Scan) -> None:
        """Look at every name of every folder once."""
        self._passed_at = scan.now
        for name, _ in FOLDERS:
            if name not in scan.folders:
                continue
            looked = FolderPass(judging=self.judging(name, scan.now))
            try:
                ready_before = self._ready_files.get(name, {})
                looked.read(scan.folders[name], self.line.known(name), ready_before)
            except OSError as error:
                scan.oddities.append(Oddity.of_unreadable(looked.judging.folder, error))
                continue
            self.line.replace(name, looked.drops)
            self._ready_files[name] = looked.ready_files
            scan.cancels += looked.cancels
            scan.leftovers += looked.leftovers()


@dataclass(slots=True, kw_only=True)
class _Scan:
    """One scan under way."""

    scanner: Scanner
    now: float
    folders: dict[str, int]
    oddities: list[Oddity] = field(default_factory=list)
    ready: list[Drop] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    cancels: list[Path] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)
    has_more: bool = False

    def sort_out(self) -> None:
        """Line up what has settled; what will never be read is refused without waiting for that."""
        line, absent = self.scanner.line, list[Candidate]()
        for candidate in islice(line.due(self.now), _SORTED_AT_ONCE):
            size = candidate.seen.signature.size
            if candidate.folder not in self.folders:
                absent.append(candidate)
            elif candidate.is_ordinary and size <= self.scanner.max_bytes:
                line.may_go(candidate)
            else:
                self._refuse(candidate)
        for candidate in absent:
            line.put(candidate._replace(due=self.now + self.scanner.patience.settle_s))

    def take(self, wanted: int) -> None:
        """Open those whose turn it is until as many are ready as are wanted."""
        line, wall, again = self.scanner.line, self.scanner.wall(), list[Candidate]()
        opened = 0
        while opened < self.scanner.batch and len(self.ready) < wanted:
            candidate = line.first(self.folders, wall)
            if candidate is None:
                break
            if self._is_ready(candidate):
                again.append(candidate)
            opened += candidate.name in line.known(candidate.folder)  # the gone cost nothing
        self.has_more = line.has_ready or (line.next_due or inf) <= self.now
        for candidate in again:  # for whoever does not take it
            line.may_go(candidate)

    def result(self) -> ScanResult:
        """The sum of it all."""
        line = self.scanner.line
        return ScanResult(
            ready=tuple(self.ready),
            refused=tuple(self.refused),
            waiting=len(line) - len(self.ready) - len(self.refused),
            next_at=self.now if self.has_more else line.next_due,
            cancels=tuple(sorted(self.cancels)),
            leftovers=tuple(self.leftovers),
            oddities=tuple(self.oddities),
        )

    def _drop(self, candidate: Candidate) -> Drop:
        folder = self.scanner.judging(candidate.folder, self.now).folder
        return candidate.drop(folder, _PRIORITIES[candidate.folder])

    def _refuse(self, candidate: Candidate) -> None:
        """Refuse what is still what was seen; it comes again when it is not moved away."""
        fresh = self._seen_again(candidate)
        if fresh is None or fresh.seen.signature != candidate.seen.signature:
            return
        drop = self._drop(fresh)
        refusal = (
            refusal_of_kind(drop, fresh.mode)
            or refusal_of_size(drop, self.scanner.max_bytes)
            or refusal_of_empty(drop, self.folders[fresh.folder])
        )
        if refusal is not None:
            self.refused.append(refusal)
        self._again_later(fresh, fresh.seen)

    def _seen_again(self, candidate: Candidate) -> Candidate | None:
        """What lies under the name of a candidate now; its clock starts anew if it changed."""
        line = self.scanner.line
        try:
            status = os.stat(
                candidate.name, dir_fd=self.folders[candidate.folder], follow_symlinks=False
            )
        except FileNotFoundError:
            line.forget(candidate)
            return None
        signature = signature_of(status)
        if signature == candidate.seen.signature:
            return candidate
        fresh = self.scanner.judging(candidate.folder, self.now).candidate(
            candidate.name, candidate.kind, status.st_mode, Seen(signature, self.now), None
        )
        line.put(fresh._replace(ready_file=candidate.ready_file))
        return fresh

    def _again_later(self, candidate: Candidate, seen: Seen) -> None:
        retry_at = self.now + self.scanner.patience.settle_s
        self._wait(candidate, seen._replace(retry_at=retry_at), retry_at)

    def _wait(self, candidate: Candidate, seen: Seen, due: float) -> None:
        self.scanner.line.put(candidate._replace(seen=seen, due=due))

    def _is_ready(self, candidate: Candidate) -> bool:
        """Open a drop: ready now, or refused, or to be looked at again later."""
        drop, seen, patience = self._drop(candidate), candidate.seen, self.scanner.patience
        glanced = glance(self.folders[candidate.folder], drop.name, drop.signature)
        if glanced.outcome is Glanced.GONE:
            self.scanner.line.forget(candidate)
        elif glanced.outcome is Glanced.CHANGED:
            self._seen_again(candidate)
        elif glanced.outcome is not Glanced.READ:
            self._cannot_read(candidate, drop, glanced)
        elif seen.unfinished or says_it_is_complete(drop.kind, glanced.text, candidate.arrival):
            self.ready.append(drop)
            return True
        else:
            later = seen._replace(unfinished=True)
            due = due_at(drop.kind, later, candidate.arrival, None, patience)
            if due <= self.now:
                self.ready.append(drop)
                return True
            self._wait(candidate, later, due)
        return False

    def _cannot_read(self, candidate: Candidate, drop: Drop, glanced: Glance) -> None:
        """To be tried again soon; after long, refused, or told of when a writer holds it."""
        if self.now >= candidate.seen.since + self.scanner.patience.refuse_s:
            if glanced.outcome is Glanced.UNREADABLE:
                self.refused.append(unreadable(drop, glanced.reason))
            else:
                self.oddities.append(Oddity.of_held(drop.path))
        self._again_later(candidate, candidate.seen)
