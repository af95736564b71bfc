"""The claims that nobody owns: when each may go, and which are blocked. For the claiming thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from daemon.admitting import admitted
from daemon.dispatch import Waiting
from daemon.inbox import Claimed, Inbox
from daemon.jobs import Job
from daemon.kept import KeptUnavailable
from daemon.logs import logger
from daemon.places import Claim
from daemon.promises.blocked import BlockedJobs
from daemon.reading import Reading
from daemon.wishes import Wishes

_log = logger("claim-line")


@dataclass(slots=True, kw_only=True)
class ClaimLine:
    """What is known of waiting claims from one turn to the next."""

    inbox: Inbox
    blocked: BlockedJobs
    wishes: Wishes
    reading: Reading
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

    def offer(self, claimed: Claimed) -> None:
        """Let workers that are elsewhere take a claim of ours, unless it is known to wait."""
        if claimed.job.waits_for:
            self.inbox.block(claimed, claimed.job.waits_for)
        else:
            self.inbox.give_back(claimed, 0.0)

    def offer_freed(self, most: int) -> tuple[str, ...]:
        """Offer at most so many jobs that wait no more, where nobody here works; their ids."""
        claims = {claim.file_name: claim for claim in self.inbox.waiting()}
        for _ in self.waiting(claims):
            pass  # those that wait are met
        self.free_blocked(claims)
        freed = [claims[name] for name in self.blocked.freed() if name in claims][:most]
        return tuple(claim.job_id for claim in freed if self._offered(claim))

    def _offered(self, claim: Claim) -> bool:
        """Whether this daemon had it in its hands."""
        self.blocked.taken(claim.file_name)
        claimed = self.inbox.take(claim)
        if claimed is None:
            return False
        if self.inbox.is_cancelled(claimed.job):
            self.inbox.cancel(claimed)
            return True
        told = admitted(self.inbox, self.reading, claimed)
        if told is not None:
            self.inbox.give_back(told, 0.0)
        return True


def _waiting_as(claim: Claim, job: Job | None) -> Waiting:
    return Waiting(
        name=claim.file_name,
        priority=claim.priority,
        arrived=job.created_at if job else 0.0,
        not_before=job.not_before if job else 0.0,
    )
