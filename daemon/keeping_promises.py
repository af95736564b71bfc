"""What jobs promised is kept when they succeed, and failed when they fail.

That follows from the records alone, so whatever dies in between does no harm: it is done again.
"""

from __future__ import annotations

from dataclasses import dataclass

from daemon.fs import Fs
from daemon.jobs import Job, JobState
from daemon.places import Places
from daemon.promises import Promises
from daemon.records import find_job
from renderer.errors import UsageError

_HAS_BUNDLE = (JobState.SUCCEEDED, JobState.PARTIAL)


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
            if job.state in _HAS_BUNDLE and self.fs.stat(file) is not None:
                self.promises.fulfil(asset_id, file, job)
            else:
                self.promises.fail(asset_id, _reason(job), job)

    def sweep(self) -> int:
        """Settle what the ends of jobs left open; how many jobs that was about."""
        jobs = sorted(set(self.promises.open().values()))
        ended = [job for job_id in jobs if (job := self._ended(job_id)) and job.promised]
        for job in ended:
            self.settle(job)
        return len(ended)

    def _ended(self, job_id: str) -> Job | None:
        try:
            job = find_job(self.fs, self.places, job_id)
        except (UsageError, FileNotFoundError):
            return None
        return job if job.state.is_final else None


def _reason(job: Job) -> str:
    if job.state in _HAS_BUNDLE:
        return f"the job {job.job_id} did not make it"
    why = str((job.error or {}).get("message", ""))
    return f"the job {job.job_id} was {job.state}" + (f": {why}" if why else "")
