"""The claims that nobody owns: when each may go, and which are blocked. For the claiming thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from daemon.blocked import BlockedJobs
from daemon.dispatch import Waiting
from daemon.inbox import Inbox
from daemon.jobs import Job
from daemon.kept import KeptUnavailable
from daemon.logs import logger
from daemon.places import Claim
from daemon.wishes import Wishes

_log = logger("claim-line")


@dataclass(slots=True, kw_only=True)
class ClaimLine:
    """What is known of waiting claims from one turn to the next."""

    inbox: Inbox
    blocked: BlockedJobs
    wishes: Wishes
    _waiting: dict[str, tuple[int, Waiting]] = field(default_factory=dict)

    def waiting(self, claims: Mapping[str, Claim]) -> Iterator[Waiting]:
        """The claims with the time before which none may go, read anew only when it was moved."""
        papers, before, self._waiting = self.inbox.papers, self._waiting, {}
        for name, claim in claims.items():
            if self.blocked.holds(name):
                continue
            status = papers.fs.stat(papers.places.claimed(claim))
            if status is None:
                continue  # another daemon took it
            moved, known = status.st_ctime_ns, before.get(name)
            if known is None or known[0] != moved:
                job = self.inbox.ledger.read(claim.job_id)
                if job is not None and self.blocked.met(name, job):
                    continue
                known = (moved, _waiting_as(claim, job))
            self._waiting[name] = known
            yield known[1]

    def free_blocked(self, claims: Mapping[str, Claim]) -> bool:
        """Let those go that wait no more or are to end; whether any may, in the next turn."""
        papers, names = self.inbox.papers, self.wishes.names
        wished = frozenset(papers.fs.names(papers.places.own("cancel")))

        def is_wished(job: Job) -> bool:
            return job.job_id in wished or job.name in names

        try:
            return self.blocked.free(claims.keys(), is_wished if wished or names else None)
        except (KeptUnavailable, SQLAlchemyError) as error:
            _log.warning("blocked jobs cannot be looked at", error=str(error))
            return False


def _waiting_as(claim: Claim, job: Job | None) -> Waiting:
    return Waiting(
        name=claim.file_name,
        priority=claim.priority,
        arrived=job.created_at if job else 0.0,
        not_before=job.not_before if job else 0.0,
    )
