"""The claims that wait for a promise, as one daemon sees them: none is read or asked for twice.

What it forgets at its end it learns again from the records, so nothing is ever lost here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from daemon.jobs import Job, JobState
from daemon.promises.contract import Promised, Standing

LOOK_EVERY_S = 5.0
Look = Callable[[Collection[str], str], Mapping[str, Promised]]
"""How it stands with references, as an owner may know it."""


@dataclass(slots=True, kw_only=True)
class BlockedJobs:
    """Blocked jobs by the name of their claim. `look_every_s` in seconds of `monotonic`."""

    look: Look
    monotonic: Callable[[], float]
    look_every_s: float = LOOK_EVERY_S
    _jobs: dict[str, Job] = field(default_factory=dict)
    _may_go: set[str] = field(default_factory=set)
    _looked_at: float = float("-inf")
    _has_news: bool = False

    def news(self) -> None:
        """A promise was settled: look at the next opportunity. Any thread may say so."""
        self._has_news = True

    def holds(self, claim: str) -> bool:
        """Whether the claim of that name is known to wait."""
        return claim in self._jobs and claim not in self._may_go

    def freed(self) -> tuple[str, ...]:
        """The names of the claims that wait no more and were not taken yet."""
        return tuple(sorted(self._may_go))

    def met(self, claim: str, job: Job) -> bool:
        """Know the job of a claim that nobody owns; whether it waits."""
        if job.state is not JobState.BLOCKED or claim in self._may_go:
            return False
        self._jobs[claim] = job
        self._has_news = True  # what it waits for may have come before we knew
        return True

    def taken(self, claim: str) -> None:
        """The claim is somebody's: when it is free again, it is looked at anew."""
        self._jobs.pop(claim, None)
        self._may_go.discard(claim)

    def free(self, claims: Collection[str], wished: Callable[[Job], bool] | None) -> bool:
        """Let go who is `wished` to end and, if it is time to look, who waits no more; whether any.

        `claims` are the names of all that are free; whatever else was known is forgotten.
        """
        for gone in self._jobs.keys() - set(claims):
            self.taken(gone)
        now = self.monotonic()
        is_time = self._has_news or now - self._looked_at >= self.look_every_s
        if not (is_time or wished):
            return False
        waiting = {name: job for name, job in self._jobs.items() if name not in self._may_go}
        freed = {name for name, job in waiting.items() if wished and wished(job)}
        if is_time:
            self._has_news, self._looked_at = False, now
            found = self._found(waiting.values())
            freed |= {name for name, job in waiting.items() if _may_go(job, found[job.owner])}
        self._may_go |= freed
        return bool(freed)

    def _found(self, jobs: Iterable[Job]) -> Mapping[str, Mapping[str, Promised]]:
        """One question for each owner."""
        asked: dict[str, set[str]] = {}
        for job in jobs:
            asked.setdefault(job.owner, set()).update(job.waits_for)
        return {owner: self.look(references, owner) for owner, references in asked.items()}


def _may_go(job: Job, found: Mapping[str, Promised]) -> bool:
    """Whether everything is there, or it is certain that something never will be."""
    standings = [found[one].standing for one in job.waits_for if one in found]
    lost = (Standing.FAILED, Standing.UNKNOWN)
    if job.on_failed_promise == "fail" and any(one in lost for one in standings):
        return True
    return all(one is Standing.AVAILABLE for one in standings)
