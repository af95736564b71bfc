"""One job from claim to end: run it in a child, then do what its outcome asks for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from daemon.inbox import Claimed, Inbox
from daemon.job_request import JobRequest, Module
from daemon.jobs import Progress
from daemon.logs import about_job, logger
from daemon.outcomes import Decision, Fate, Outcome, decide
from daemon.places import Places
from daemon.promises import Needs, NoPromises, Supply
from daemon.references import References, unkept
from daemon.worker import Publishing, run_job
from renderer.errors import ReelkilnError
from renderer.limits import Limits

_log = logger("shift")


class Runner(Protocol):
    """Makes one attempt at a job: `run_job` in a child process, or a stand-in that costs nothing.

    Callbacks are called in the calling thread; once `should_stop` says so the attempt ends.
    A bundle is published only when `may_publish`, which notes which one it is, says yes.
    """

    def __call__(
        self,
        request: JobRequest,
        *,
        on_progress: Callable[[Progress], None],
        supply: Callable[[Needs], Supply | None],
        may_publish: Callable[[Publishing], bool],
        should_stop: Callable[[], bool],
    ) -> Outcome:
        """What came of the attempt; a bundle was published whole, or not at all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Works on claimed jobs. `draining` is set when the daemon wants to end.

    `changed` hears the id of every job that changed, `held` of a fault of the system that is no
    fault of the job, `well` when a job came to its end.
    """

    inbox: Inbox
    places: Places
    clock: Callable[[], float]
    draining: threading.Event
    changed: Callable[[str], None]
    held: Callable[[str], None]
    well: Callable[[], None]
    runner: Runner = run_job
    jobs: int = 1
    limits: Limits = field(default_factory=Limits)
    networks: str = ""
    media: tuple[Path, ...] = ()
    modules: Mapping[str, Module] = field(default_factory=dict)
    references: References | None = None
    providers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def work(self, claimed: Claimed) -> None:
        """Run a job to its end, or give it back. Raises OSError when the disk does."""
        with about_job(claimed.job.job_id):
            self._work(claimed)

    def _work(self, claimed: Claimed) -> None:
        if self.inbox.is_cancelled(claimed.job):
            self.inbox.cancel(claimed)
        else:
            self._run(self.inbox.begin(claimed))
        self.changed(claimed.job.job_id)

    def _run(self, claimed: Claimed) -> None:
        self.changed(claimed.job.job_id)
        _log.info("started", drop=claimed.job.name)
        known = [claimed]

        def on_progress(progress: Progress) -> None:
            try:
                known[0] = self.inbox.note(known[0], progress=progress)
            except OSError as error:  # the render itself may go well
                self.held(f"the status of a job cannot be written: {error}")
            self.changed(claimed.job.job_id)

        def supply(needs: Needs) -> Supply | None:
            try:
                known[0], answer = self._supply(known[0], needs)
            except (ReelkilnError, OSError) as error:  # the database of the assets, most often
                self.held(f"where assets lie cannot be found out: {error}")
                return None
            return answer

        def should_stop() -> bool:
            gone = not self.inbox.still_ours(claimed.claim)
            return gone or self.draining.is_set() or self.inbox.is_cancelled(claimed.job)

        def may_publish(coming: Publishing) -> bool:
            named = {"spec_id": coming.spec_id, "kind": coming.kind}
            told = self.inbox.announce(known[0], coming.bundle, coming.bundle_digest, **named)
            known[0] = told or known[0]
            return told is not None

        outcome = self.runner(
            self._request(claimed),
            on_progress=on_progress,
            supply=supply,
            may_publish=may_publish,
            should_stop=should_stop,
        )
        named = {"spec_id": outcome.spec_id, "kind": outcome.kind}
        fate = self._conclude(self.inbox.note(known[0], **named), outcome)
        if fate not in (Fate.HELD, Fate.STOPPED, Fate.BLOCKED):
            self.well()

    def _supply(self, claimed: Claimed, needs: Needs) -> tuple[Claimed, Supply]:
        """What a job named is on record before it is answered: of two that would wait for each
        other and are looked at together, one at least finds the other."""
        known = self.references or References(
            fs=self.inbox.papers.fs, places=self.places, promises=NoPromises()
        )
        first = known.supply(claimed.job, needs)
        if first.refused:
            return claimed, first
        promises = known.promises
        names = promises.names(claimed.job.job_id, needs.makes)
        told = self.inbox.note(
            claimed, waits_for=unkept(first.found), promised=names,
            on_failed_promise=needs.on_failed_promise,
        )  # fmt: skip
        promises.promise(told.job, needs.makes)
        return told, known.supply(told.job, needs)

    def _request(self, claimed: Claimed) -> JobRequest:
        return JobRequest(
            spec=self.places.claimed(claimed.claim),
            name=claimed.job.name,
            outbox=self.places.outbox,
            store=self.places.own("store"),
            media=self.media or (self.places.root / "media", self.places.inbox),
            jobs=1 if claimed.job.retries else self.jobs,  # with care, after a fault
            limits=self.limits,
            networks=self.networks,
            modules=self.modules,
            providers=self.providers,
            job_id=claimed.job.job_id,
        )

    def _conclude(self, claimed: Claimed, outcome: Outcome) -> Fate:
        job = claimed.job
        decision = decide(outcome, job.retries + 1)
        if self.inbox.is_published(job):  # whatever came after it
            decision = Decision(fate=Fate.SUCCEEDED)
        _log.info("ended", fate=decision.fate.value, code=outcome.code)
        match decision.fate:
            case Fate.SUCCEEDED:
                self.inbox.succeed(claimed, job.bundle, job.bundle_digest)
            case Fate.REJECTED:
                self.inbox.reject(claimed, self._error(outcome, decision))
            case Fate.FAILED:
                self.inbox.fail(claimed, self._error(outcome, decision))
            case Fate.RETRY:
                later = self.clock() + decision.wait_s
                self.inbox.give_back(claimed, later, retries=job.retries + 1)
            case Fate.HELD:
                self.held(str((decision.error or {}).get("message", outcome.code)))
                self.inbox.give_back(claimed, self.clock())
            case Fate.BLOCKED:
                self.inbox.block(claimed, outcome.waits_for)
            case Fate.STOPPED if self.inbox.is_cancelled(job):
                self.inbox.cancel(claimed)
            case Fate.STOPPED:
                self.inbox.give_back(claimed, self.clock())
        return decision.fate

    def _error(self, outcome: Outcome, decision: Decision) -> dict[str, object]:
        return {**(decision.error or {}), "stderr": list(outcome.stderr)}
