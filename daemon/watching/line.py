"""The drops of one inbox: those that must settle, by time; those that may go, by rank. Pure.

Each change costs the logarithm of their number, and looking for the next one does not depend on
how many wait. What was replaced or forgotten stays in a heap until it comes up, and is skipped.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from daemon.dispatch import rank_of
from daemon.watching.drops import FOLDERS
from daemon.watching.passes import Candidate

_Place = tuple[float, int, str, Candidate]


@dataclass(slots=True, kw_only=True)
class Line:
    """Every known drop once, by folder and name, the latest that was seen of it."""

    _known: dict[str, dict[str, Candidate]] = field(default_factory=dict)
    _later: list[_Place] = field(default_factory=list)  # by the time when each is due
    _ready: dict[str, list[tuple[int, str, Candidate]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self._known.values()))

    def known(self, folder: str) -> Mapping[str, Candidate]:
        """The drops of a folder by name."""
        return self._known.get(folder, {})

    def replace(self, folder: str, found: dict[str, Candidate]) -> None:
        """These are the drops of a folder now: whatever else was known of it is forgotten."""
        before = self.known(folder)
        self._known[folder] = found
        for name, candidate in found.items():
            known = before.get(name)
            if known == candidate:
                found[name] = known
            else:
                self._settle(candidate)

    def put(self, candidate: Candidate) -> None:
        """Know something new of a drop: it waits until it is due, again if it waited before."""
        self._known.setdefault(candidate.folder, {})[candidate.name] = candidate
        self._settle(candidate)

    def forget(self, candidate: Candidate) -> None:
        """The drop is gone."""
        if self.holds(candidate):
            del self._known[candidate.folder][candidate.name]

    def due(self, now: float) -> Iterator[Candidate]:
        """Take those whose time has come out of the waiting; each is for the caller to place."""
        while self._later and self._later[0][0] <= now:
            candidate = heapq.heappop(self._later)[3]
            if self.holds(candidate):
                yield candidate

    def may_go(self, candidate: Candidate) -> None:
        """It is this drop's turn as soon as none goes before it."""
        heap = self._ready.setdefault(candidate.folder, [])
        heapq.heappush(heap, (candidate.seen.signature.ctime_ns, candidate.name, candidate))

    def first(self, folders: Mapping[str, int], wall: float) -> Candidate | None:
        """Take out the drop that goes first at that time of day; None when none may go.

        Within a folder that is who came first, so only the first of each need be compared.
        """
        best: tuple[tuple[int, int, str], str] | None = None
        for folder, priority in FOLDERS:
            heap = self._ready.get(folder)
            while heap and not self.holds(heap[0][2]):
                heapq.heappop(heap)
            if heap and folder in folders:
                ctime_ns, name, _ = heap[0]
                key = ((rank_of(priority, ctime_ns / 1e9, wall), ctime_ns, name), folder)
                best = key if best is None else min(best, key)
        return None if best is None else heapq.heappop(self._ready[best[1]])[2]

    @property
    def has_ready(self) -> bool:
        """Whether more may go; some of those may be gone."""
        return any(self._ready.values())

    @property
    def next_due(self) -> float | None:
        """When the next of those that settle may be opened."""
        while self._later and not self.holds(self._later[0][3]):
            heapq.heappop(self._later)
        return self._later[0][0] if self._later else None

    def _settle(self, candidate: Candidate) -> None:
        place = (candidate.due, candidate.seen.signature.ctime_ns, candidate.name, candidate)
        heapq.heappush(self._later, place)

    def holds(self, candidate: Candidate) -> bool:
        """Whether this is the latest that was seen of the drop."""
        return self.known(candidate.folder).get(candidate.name) is candidate
