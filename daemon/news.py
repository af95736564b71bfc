"""News of jobs, and who hears them. A listener never waits; one that fails is told of and left out.

What a listener misses it finds again by itself: each has a sweep of its own over the records, which
are the truth. So no news is kept, and none is told twice on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from daemon.jobs import Job
from daemon.ledger import Ledger
from daemon.logs import logger

_log = logger("news")


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of a job that changed, by a name for the log."""

    name: str
    hear: Callable[[Job], None]


@dataclass(slots=True, kw_only=True)
class News:
    """Tells each listener, in their order and in the calling thread. Any thread may call."""

    ledger: Ledger
    listeners: tuple[Listener, ...] = ()

    def changed(self, job_id: str) -> None:
        """Somebody changed the record of a job. Never raises an Exception."""
        try:
            job = self.ledger.read(job_id)
        except OSError as error:
            _log.warning("news of a job cannot be read", job_id=job_id, error=str(error))
            return
        if job is None:
            return
        for listener in self.listeners:
            try:
                listener.hear(job)
            except Exception as error:
                _log.warning("news was missed", who=listener.name, job_id=job_id, error=repr(error))


def ends(hint: Callable[[str], None]) -> Callable[[Job], None]:
    """A listener that hears the ids of jobs that ended, and nothing else."""

    def hear(job: Job) -> None:
        if job.state.is_final:
            hint(job.job_id)

    return hear
