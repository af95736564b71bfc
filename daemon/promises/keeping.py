"""What jobs promised is kept when they succeed, and failed when they fail.

That follows from the records alone, so whatever dies in between does no harm: it is done again.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from daemon.following import Following
from daemon.fs import Fs
from daemon.jobs import Job
from daemon.logs import logger
from daemon.places import Places
from daemon.promises.contract import Promises
from daemon.records import find_job
from renderer.errors import ReelkilnError, UsageError

SWEEP_EVERY_S = 5.0
_log = logger("keeping-promises")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseKeeper:
    """Keeps and fails the promises of the jobs of one root. Raises as they do, and OSError."""

    fs: Fs
    places: Places
    promises: Promises

    def settle(self, job: Job) -> None:
        """Keep or fail what a job promised, once it has ended. Safe to repeat."""
        if not job.state.is_final:
            return
        for label, asset_id in sorted(job.promised.items()):
            file = self.places.outbox / job.bundle / label
            if job.state.has_results and self.fs.stat(file) is not None:
                self.promises.fulfil(asset_id, file, job)
            else:
                self.promises.fail(asset_id, _reason(job), job)

    def sweep(self) -> int:
        """Settle what the ends of jobs left open; how many jobs that was about.

        What cannot be settled now, of a storage that is away say, is left to the next sweep.
        """
        jobs = sorted(set(self.promises.open().values()))
        ended = [job for job_id in jobs if (job := self._ended(job_id)) and job.promised]
        for job in ended:
            self.try_to_settle(job)
        return len(ended)

    def try_to_settle(self, job: Job) -> None:
        """As `settle`; a fault is logged, and the next sweep tries again."""
        try:
            self.settle(job)
        except (ReelkilnError, SQLAlchemyError, OSError) as error:
            _log.warning("a promise is not settled yet", job_id=job.job_id, error=str(error))

    def settle_job(self, job_id: str) -> None:
        """As `try_to_settle`, for a job of which perhaps no record is left."""
        job = self._ended(job_id)
        if job is not None:
            self.try_to_settle(job)

    def _ended(self, job_id: str) -> Job | None:
        try:
            job = find_job(self.fs, self.places, job_id)
        except (UsageError, FileNotFoundError):
            return None
        return job if job.state.is_final else None


def _reason(job: Job) -> str:
    if job.state.has_results:
        return f"the job {job.job_id} did not make it"
    why = str((job.error or {}).get("message", ""))
    return f"the job {job.job_id} was {job.state}" + (f": {why}" if why else "")


class PromiseKeeping:
    """Keeps promises on a thread of its own: those it is hinted at, and in sweeps all others."""

    def __init__(self, keeper: PromiseKeeper, every_s: float = SWEEP_EVERY_S) -> None:
        self._keeper, self._every_s = keeper, every_s
        self._following = Following("promises", self._run)

    def start(self) -> None:
        """Begin to follow."""
        self._following.start()

    def stop(self) -> None:
        """Settle what was hinted at, and end; the next start makes up for the rest."""
        self._following.stop()

    def hint(self, job_id: str) -> None:
        """A job has probably ended. Never waits."""
        self._following.hint(job_id)

    def _run(self) -> None:
        is_behind = True
        while True:
            try:
                for job_id in self._following.hinted():
                    self._keeper.settle_job(job_id)
                if is_behind and not self._following.is_over:
                    self._keeper.sweep()
            except (ReelkilnError, SQLAlchemyError, OSError) as error:
                _log.warning("open promises cannot be looked up", error=str(error))
            if self._following.is_over:
                return
            is_behind = not self._following.wait(self._every_s)
