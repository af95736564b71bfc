"""What a daemon does about age and size, now and then: what is over is removed, the store pruned.

Several daemons may be at it at once. Nothing that belongs to a claim is touched, nor anything
of a job whose end is not on record; the folders say so, not the index, which follows.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from daemon.error_files import SUFFIX
from daemon.fs import Fs
from daemon.inbox import Inbox
from daemon.logs import logger
from daemon.places import Places, claim_of
from daemon.records import all_jobs
from daemon.retention import DAY_S, CacheBudget, Retention, over
from renderer.bundle.publish import QUARANTINE
from renderer.errors import ReelkilnError
from renderer.store import LocalStore

EVERY_S = 300.0
_BATCH = 1000  # of each kind, so that others have the disk in between
_log = logger("housekeeping")


@dataclass(frozen=True, slots=True, kw_only=True)
class Housekeeper:
    """Keeps one root to its ages and its budget. `forget` hears of jobs without any record."""

    fs: Fs
    places: Places
    inbox: Inbox
    clock: Callable[[], float]
    retention: Retention
    budget: CacheBudget
    forget: Callable[[tuple[str, ...]], None]

    def run(self, ended: threading.Event, every_s: float = EVERY_S) -> None:
        """Sweep at once and then again and again, until `ended` is set."""
        while True:
            try:
                self.sweep()
                self.prune()
            except (OSError, ReelkilnError) as error:  # the next time may find it well
                _log.warning("housekeeping was cut short", error=str(error))
            if ended.wait(every_s):
                return

    def sweep(self) -> int:
        """Remove what is over, a batch of each kind at most; how many things went."""
        kinds = (self._specs, self._records, self._quarantine, self._refused, self._bundles)
        removed = sum(kind() for kind in kinds)
        if removed:
            _log.info("removed what was over", things=removed)
        return removed

    def prune(self) -> None:
        """Keep the store to its budget. What renders under way count on stays."""
        root = self.places.own("store")
        if not self.budget.is_bound or not root.is_dir():
            return
        days = self.budget.max_age_days
        pruned = LocalStore(root).prune(
            self.budget.max_bytes or None, max_age_s=days * DAY_S if days else None
        )
        if pruned.removed_bytes:
            _log.info("pruned the store", removed=pruned.removed_bytes, left=pruned.left_bytes)

    # -- below -----------------------------------------------------------------------------

    def _specs(self) -> int:
        folder = self.places.own("done")
        return self._remove_files(folder, "", self.retention.done)

    def _records(self) -> int:
        removed = self._remove_files(self.places.own("jobs"), ".json", self.retention.status)
        return removed + self._remove_files(
            self.places.receipts, ".json", self.retention.receipts
        )  # fmt: skip

    def _remove_files(self, folder: Path, suffix: str, days: int) -> int:
        """Remove files named after jobs that ended long ago; jobs without a record are forgotten.

        A job whose end is on record is never claimed again.
        """
        names = self._over(folder, days)
        claimed = self._claimed() if names else ()
        found = {name.removesuffix(suffix): name for name in names}
        gone = [job_id for job_id in found if job_id not in claimed and self._has_ended(job_id)]
        for job_id in gone:
            self.fs.unlink(folder / found[job_id])
        lost = tuple(job_id for job_id in gone if not self._is_on_record(job_id))
        if lost:
            self.forget(lost)
        return len(gone)

    def _has_ended(self, job_id: str) -> bool:
        job = self.inbox.outbox.receipt(job_id) or self.inbox.ledger.read(job_id)
        return job is not None and job.state.is_final

    def _is_on_record(self, job_id: str) -> bool:
        records = (self.places.status(job_id), self.places.receipt(job_id))
        return any(self.fs.stat(path) is not None for path in records)

    def _claimed(self) -> frozenset[str]:
        """Jobs that somebody may still need something of."""
        claims = self.inbox.claims()
        intents = map(claim_of, self.fs.names(self.places.own("intents")))
        return frozenset(claim.job_id for claim in chain(claims, intents) if claim)

    def _quarantine(self) -> int:
        removed = 0
        for folder in (self.places.outbox / QUARANTINE, self.places.own("quarantine")):
            for name in self._over(folder, self.retention.quarantine):
                removed += self._discard(folder / name)
        return removed

    def _refused(self) -> int:
        """A spec and its error file go together; what people put there themselves stays."""
        removed = 0
        for folder in (self.places.rejected, self.places.failed):
            names = set(self._over(folder, self.retention.refused))
            for name in sorted(name for name in names if name.endswith(SUFFIX)):
                spec = name.removesuffix(SUFFIX)
                if spec in names:
                    self._discard(folder / spec)
                elif self.fs.stat(folder / spec) is not None:
                    continue  # it was put there later
                self.fs.unlink(folder / name)
                removed += 1
        return removed

    def _bundles(self) -> int:
        """Bundles that no receipt of late names; none while a job runs that might reuse one."""
        old = self._over(self.places.outbox, self.retention.bundles, spared={"receipts"})
        if not old:
            return 0
        named: dict[str, float] = {}
        for job in all_jobs(self.fs, self.places, damaged=lambda words: None):
            named[job.bundle] = max(named.get(job.bundle, 0.0), job.updated_at)
        ended = {name: named.get(name, 0.0) for name in old if not name.startswith(".")}
        removed = 0
        for name in over(ended, self.retention.bundles, self.clock(), ()):
            if not self._claimed():
                removed += self._discard(self.places.outbox / name)
        return removed

    def _discard(self, path: Path) -> int:
        """Away from its name at once, then from the disk."""
        target = self.places.own("trash") / self.inbox.papers.nonce()
        try:
            self.fs.rename_new(path, target)
        except FileNotFoundError:  # another daemon was faster
            return 0
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target, ignore_errors=True)
        else:
            self.fs.unlink(target)
        return 1

    def _over(self, folder: Path, days: int, spared: set[str] | None = None) -> tuple[str, ...]:
        if days <= 0:
            return ()
        names = over(dict(self._dated(folder)), days, self.clock(), spared or ())
        return names[:_BATCH]

    def _dated(self, folder: Path) -> Iterator[tuple[str, float]]:
        """Names with the time of the last change of status, which no writer can set."""
        for name in self.fs.names(folder):
            found: os.stat_result | None = self.fs.stat(folder / name)
            if found is not None:
                yield name, found.st_ctime
