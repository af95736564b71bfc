"""One job from claim to end: run it in a child, then do what its outcome asks for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from daemon.admitting import brought, on_record
from daemon.child.hearing import Publishing
from daemon.child.job_request import JobRequest, Module
from daemon.inbox import Claimed, Inbox
from daemon.jobs import Progress
from daemon.logs import about_job, logger
from daemon.outcomes import Decision, Ended, Fate, Outcome, decide, published
from daemon.places import Places
from daemon.promises.contract import Needs, NoPromises, Supply
from daemon.promises.references import References
from daemon.storage.errors import StorageRefused, StorageUnavailable
from daemon.worker import run_job
from renderer.errors import Interrupted, ReelkilnError, StorageFull
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
        faults: list[ReelkilnError] = []

        def on_progress(progress: Progress) -> None:
            try:
                known[0] = self.inbox.note(known[0], progress=progress)
            except OSError as error:  # the render itself may go well
                self.held(f"the status of a job cannot be written: {error}")
            self.changed(claimed.job.job_id)

        def supply(needs: Needs) -> Supply | None:
            known[0], answer = self._supply(known[0], needs, should_stop, faults)
            return answer

        def should_stop() -> bool:
            gone = not self.inbox.still_ours(claimed.claim)
            return gone or self.draining.is_set() or self.inbox.is_cancelled(claimed.job)

        def may_publish(coming: Publishing) -> bool:
            named = {"spec_id": coming.spec_id, "kind": coming.kind, "error": coming.partial}
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
        for fault in faults:
            outcome = replace(outcome, ended=Ended.TOLD, error=fault.as_json())
        named = {"spec_id": outcome.spec_id, "kind": outcome.kind}
        fate = self._conclude(self.inbox.note(known[0], **named), outcome)
        if fate not in (Fate.HELD, Fate.STOPPED, Fate.BLOCKED):
            self.well()

    def _supply(
        self, claimed: Claimed, needs: Needs, should_stop: Callable[[], bool],
        faults: list[ReelkilnError],
    ) -> tuple[Claimed, Supply | None]:  # fmt: skip
        """Where everything lies that a job names, fetched if need be; None when nobody can say.

        A storage that is away is a fault of this job alone: others may need nothing of it.
        """
        known = self.references or References(
            fs=self.inbox.papers.fs, places=self.places, promises=NoPromises()
        )

        def go_on() -> None:
            if should_stop():
                raise Interrupted("stopped on request")

        try:
            claimed, supply = on_record(self.inbox, known, claimed, needs)
            return claimed, brought(known, supply, go_on)
        except Interrupted:
            pass
        except (StorageUnavailable, StorageRefused, StorageFull) as error:
            faults.append(error)
        except (ReelkilnError, OSError) as error:  # the database of the assets, most often
            self.held(f"where assets lie cannot be found out: {error}")
        return claimed, None

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
            decision = published(job.error)
        _log.info("ended", fate=decision.fate.value, code=outcome.code)
        match decision.fate:
            case Fate.SUCCEEDED | Fate.PARTIAL:
                self.inbox.succeed(claimed, job.bundle, job.bundle_digest, lacks=job.error)
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
