"""Wishes to cancel: those of jobs that wait are granted, those without a job are removed.

A `.cancel` file for which there is no job would end the next drop of that name. One may come
before its drop, so it has a minute from when it was first seen here. The dates of the file say
nothing: another machine may have written them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from daemon.fs import Fs
from daemon.inbox import Claimed, Inbox
from daemon.jobs import job_from_json
from daemon.places import Claim, Places
from daemon.submissions import drops_of
from daemon.watching.drops import CANCEL, FOLDERS

GRACE_S = 60.0


@dataclass(slots=True, kw_only=True)
class Wishes:
    """The `.cancel` files of one inbox as one daemon sees them. For the thread that claims."""

    fs: Fs
    places: Places
    inbox: Inbox
    monotonic: Callable[[], float]
    _seen: dict[Path, tuple[tuple[int, int], float]] = field(default_factory=dict)

    def grant(self, found: Iterable[Path]) -> tuple[str, ...]:
        """End the jobs that wait and are wished to end; their ids. Raises OSError.

        It costs next to nothing while nobody wishes anything.
        """
        ids = self.fs.names(self.places.own("cancel"))
        names = frozenset(path.name.removesuffix(CANCEL) for path in {*found, *self._seen})
        if not ids and not names:
            return ()
        ended = [self._end_waiting(claim, ids, names) for claim in self.inbox.waiting()]
        ended += [self._end_promised(job_id) for job_id in ids]
        return tuple(job_id for job_id in ended if job_id)

    def _end_waiting(self, claim: Claim, ids: Container[str], names: Container[str]) -> str:
        if claim.job_id not in ids and (not names or self._name_of(claim) not in names):
            return ""
        return self._end(self.inbox.take(claim))

    def _end_promised(self, job_id: str) -> str:
        """The drop of a job that was handed in: it is whole, and bears the id of the job."""
        for path, priority in drops_of(self.places, job_id):
            seen = self.fs.stat(path)
            if seen is not None and self.fs.stat(self.places.submitted(job_id)) is not None:
                return self._end(self.inbox.claim(path, seen, priority))
        return ""

    def _end(self, claimed: Claimed | None) -> str:
        if claimed is None:  # another daemon was faster
            return ""
        if self.inbox.is_cancelled(claimed.job):
            self.inbox.cancel(claimed)
        else:
            self.inbox.give_back(claimed, claimed.job.not_before)
        return claimed.job.job_id

    def sweep(self, found: Iterable[Path]) -> None:
        """Remove those without a job; `found` adds to those known. Raises OSError."""
        now = self.monotonic()
        for path in {*found, *self._seen}:
            self._look(path, now)
        late = [path for path, (_, since) in self._seen.items() if now - since >= GRACE_S]
        if not late:
            return
        names = self._names_of_claims()
        for path in sorted(late):
            identity, _ = self._seen[path]
            if names is None or self._is_needed(path, names):
                self._seen[path] = (identity, now)  # looked at again after as long
            else:
                self.fs.unlink(path)
                del self._seen[path]

    @property
    def names(self) -> frozenset[str]:
        """The names of the drops that a `.cancel` file asks to end."""
        return frozenset(path.name.removesuffix(CANCEL) for path in self._seen)

    def _look(self, path: Path, now: float) -> None:
        """Know a file for as long as it is the same one."""
        found = self.fs.stat(path)
        if found is None:
            self._seen.pop(path, None)
            return
        identity = (found.st_ino, found.st_ctime_ns)
        if path not in self._seen or self._seen[path][0] != identity:
            self._seen[path] = (identity, now)

    def _is_needed(self, path: Path, names: frozenset[str]) -> bool:
        """Whether a drop or a claim bears the name, in whichever folder either lies."""
        name = path.name.removesuffix(CANCEL)
        drops = (self.places.inbox / folder / name for folder, _ in FOLDERS)
        return name in names or any(self.fs.stat(drop) is not None for drop in drops)

    def _names_of_claims(self) -> frozenset[str] | None:
        """The names of the drops that are claimed; None when one of them is not known yet."""
        names = [self._name_of(claim) for claim in self.inbox.claims()]
        return None if None in names else frozenset(name for name in names if name)

    def _name_of(self, claim: Claim) -> str | None:
        job = self.inbox.ledger.read(claim.job_id)
        if job is not None:
            return job.name
        intent = self.inbox.papers.read(self.places.intent(claim))
        return None if intent is None else job_from_json(intent).name
