"""The scan of the inbox, which is the truth: what is ready is found without a single event.

Nothing is opened before its name, its kind and its age say that it may be complete, and never
more than a batch in one scan. While a long queue is taken batch by batch, the folders are read
anew only every other second: opening a drop proves that it is still the one that was seen.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from daemon.drops import FOLDERS, Drop, Patience, Seen, due_at, says_it_is_complete
from daemon.glances import Glance, Glanced, glance
from daemon.mooring import Mooring, Oddity
from daemon.passes import Candidate, FolderPass, Hints
from daemon.places import Places
from daemon.refusals import Refused, refusal_of_empty, refusal_of_kind, refusal_of_size, unreadable
from renderer.limits import Limits

_BATCH = 1000
_PASS_EVERY_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What one scan found. Times are those of the clock that `scan` was given.

    `ready` and `refused` hold a batch at most, first come first; what is not moved away comes
    again. `waiting` counts the drops that are not among them, and `next_at` says when scanning
    may find more (None: when something changes). `cancels` are the `.cancel` files, `leftovers`
    the `.ready` files that have long been without a drop and may be removed.
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
    """

    places: Places
    patience: Patience = field(default_factory=Patience)
    hints: Hints = lambda path: None
    batch: int = _BATCH
    max_bytes: int = field(default_factory=lambda: Limits().max_document_bytes)
    _mooring: Mooring = field(init=False)
    _seen: dict[str, dict[str, Seen]] = field(default_factory=dict)
    _queue: list[Candidate] = field(default_factory=list)  # the last comes first
    _passed_at: float = float("-inf")

    def __post_init__(self) -> None:
        self._mooring = Mooring(places=self.places)

    def scan(self, now: float) -> ScanResult:
        """Find what is ready. `now` is in seconds, of a clock that never goes back.

        Faults of a folder are oddities, never an exception: the next scan may find it well.
        """
        with ExitStack() as stack:
            moored = self._mooring.look(stack)
            scan = _Scan(scanner=self, now=now, folders=dict(moored.folders))
            scan.oddities += moored.oddities
            if len(self._queue) < self.batch or now >= self._passed_at + _PASS_EVERY_S:
                self._pass(scan)
            scan.take_due(self._queue)
            return scan.result()

    def folder(self, name: str) -> Path:
        """The folder of the inbox with that name; the inbox itself for the empty one."""
        return self.places.inbox / name if name else self.places.inbox

    def remember(self, candidate: Candidate, seen: Seen) -> None:
        """Know this of a drop when it is looked at next."""
        self._seen[candidate.folder][candidate.name] = seen

    def _pass(self, scan: _Scan) -> None:
        """Look at every name of every folder once."""
        self._queue.clear()
        self._passed_at = scan.now
        for name, priority in FOLDERS:
            if name in scan.folders:
                looked = FolderPass(name=name, folder=self.folder(name), priority=priority)
                try:
                    looked.read(scan.folders[name], self._seen.get(name, {}), scan.now)
                except OSError as error:
                    scan.oddities.append(Oddity.of_unreadable(looked.folder, error))
                    continue
                self._seen[name] = looked.seen
                looked.note_leftovers(scan.now, self.patience)
                scan.cancels += looked.cancels
                scan.leftovers += looked.leftovers
                self._queue += looked.candidates(scan.now, self.patience, self.hints)
        self._queue.sort(reverse=True)


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
    later: list[float] = field(default_factory=list)
    waiting: int = 0

    def take_due(self, queue: list[Candidate]) -> None:
        """Open what is due, first come first, and leave the rest in the queue."""
        due, kept = list[Candidate](), list[Candidate]()
        while queue and len(due) < self.scanner.batch:
            candidate = queue.pop()
            (due if candidate.due <= self.now else kept).append(candidate)
        if queue:
            self.later.append(self.now)
        queue += reversed(kept)
        self.later += [candidate.due for candidate in kept]
        self.waiting = len(queue)
        for candidate in due:
            if candidate.folder in self.folders:
                self._judge(candidate)

    def result(self) -> ScanResult:
        """The sum of it all."""
        return ScanResult(
            ready=tuple(self.ready),
            refused=tuple(self.refused),
            waiting=self.waiting,
            next_at=min(self.later, default=None),
            cancels=tuple(sorted(self.cancels)),
            leftovers=tuple(self.leftovers),
            oddities=tuple(self.oddities),
        )

    def _judge(self, candidate: Candidate) -> None:
        """Ready, refused, or something to look at again later."""
        drop = candidate.drop(self.scanner.folder(candidate.folder))
        outcome = (
            refusal_of_kind(drop, candidate.mode)
            or refusal_of_size(drop, self.scanner.max_bytes)
            or self._open(candidate, drop)
        )
        if outcome is None:
            self.ready.append(drop)
        elif isinstance(outcome, Refused):
            self.refused.append(outcome)
        else:
            self.scanner.remember(candidate, outcome)
            self.waiting += 1
            patience = self.scanner.patience
            self.later.append(due_at(drop.kind, outcome, candidate.arrival, None, patience))

    def _open(self, candidate: Candidate, drop: Drop) -> Refused | Seen | None:
        """None when the drop is ready; how it is to be remembered when it is not yet."""
        seen, patience = candidate.seen, self.scanner.patience
        glanced = glance(self.folders[candidate.folder], drop.name, drop.signature)
        if glanced.outcome is Glanced.CHANGED:
            return seen._replace(since=self.now)
        if glanced.outcome is not Glanced.READ:
            return self._cannot_read(seen, drop, glanced)
        if not glanced.text:
            refusal = refusal_of_empty(drop, self.folders[candidate.folder])
            return refusal or seen._replace(retry_at=self.now + patience.settle_s)
        if seen.unfinished or says_it_is_complete(drop.kind, glanced.text, candidate.arrival):
            return None
        later = seen._replace(unfinished=True)
        is_due = due_at(drop.kind, later, candidate.arrival, None, patience) <= self.now
        return None if is_due else later

    def _cannot_read(self, seen: Seen, drop: Drop, glanced: Glance) -> Refused | Seen:
        """To be tried again soon; after long, refused, or told of when a writer holds it."""
        if self.now >= seen.since + self.scanner.patience.refuse_s:
            if glanced.outcome is Glanced.UNREADABLE:
                return unreadable(drop, glanced.reason)
            self.oddities.append(Oddity.of_held(drop.path))
        return seen._replace(retry_at=self.now + self.scanner.patience.settle_s)
