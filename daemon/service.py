"""`reelkiln serve`: the scan that is the truth, the workers, and the housekeeping of one root."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from ulid import ULID

from daemon.aftermath import Aftermath
from daemon.child.generating import provider_settings
from daemon.claim_line import ClaimLine
from daemon.conditions import Conditions
from daemon.dispatch import Waiting, order
from daemon.fs import Fs, RealFs
from daemon.housekeeping import Housekeeper
from daemon.inbox import Claimed, Inbox
from daemon.intake import Intake
from daemon.jobs import Job, JobState, Priority
from daemon.logs import logger
from daemon.news import Listener
from daemon.notify import notify
from daemon.outcomes import FolderUnusable
from daemon.owners import Heart, Owners, new_owner_id
from daemon.places import Claim, Places
from daemon.promises.blocked import BlockedJobs
from daemon.recovery import recover
from daemon.refusals import Refused
from daemon.serve_settings import LEAST_FREE, ServeSettings
from daemon.shift import Runner, Shift
from daemon.stranded import let_go
from daemon.watching.drops import Drop, Patience, Signature
from daemon.watching.filesystems import file_system_of
from daemon.watching.scanner import Scanner, ScanResult
from daemon.watching.watch import Watch
from daemon.wishes import Wishes
from daemon.worker import run_job
from renderer.errors import ReelkilnError, SpecInvalid

__all__ = ["LEAST_FREE", "ServeSettings", "Service"]

RECOVER_EVERY_S = 5.0
_LONGEST_SLEEP_S = 1.0
_LONGEST_SLEEP_UNWATCHED_S = 0.25
_BREATH_S = 0.2
_OFFERED = 16
"""How many drops become jobs in one turn when nobody here works."""
_GONE = frozenset({"inbox-gone", "inbox-replaced"})
_log = logger("service")


class Service:
    """One daemon of one root. Several may serve the same root."""

    def __init__(
        self,
        settings: ServeSettings,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        fs: Fs | None = None,
        runner: Runner = run_job,
    ) -> None:
        self.settings, self.clock, self.monotonic = settings, clock, monotonic
        self.fs, self.places = fs or RealFs(), Places(settings.root.absolute())
        with _folders_told(self.places.root):
            self._make_folders()
        self.inbox = Inbox(
            self.fs,
            self.places,
            new_owner_id(),
            clock,
            _new_id,
            lambda: secrets.token_hex(8),
            settings.limits.max_document_bytes,
        )
        self.owners = Owners(
            papers=self.inbox.papers, monotonic=monotonic, lease_s=settings.lease_s
        )
        self.wake, self.freed, self.draining = (threading.Event() for _ in range(3))
        self.watch = Watch(places=self.places, wake=self.wake, clock=monotonic)
        disk = file_system_of(self.places.inbox)
        self._is_watched = settings.events and disk.is_watched
        patience = disk.patience(Patience())
        self.scanner = Scanner(
            places=self.places,
            patience=patience,
            hints=self.watch.hints.of,
            wall=clock,
            max_bytes=settings.limits.max_document_bytes,
        )
        self.conditions = Conditions(clock=clock)
        """What is wrong with the machine just now; any thread may ask."""
        self.intake = Intake(
            places=self.places, conditions=self.conditions, monotonic=monotonic,
            least_free=settings.least_free,
        )  # fmt: skip
        self.after = after = Aftermath(
            settings, fs=self.fs, places=self.places, papers=self.inbox.papers, clock=clock,
            new_id=_new_id, settled=self.promise_settled,
        )  # fmt: skip
        self.index, self.metrics, self.assets = after.index, after.metrics, after.assets
        self.settling, self.reading = after.settling, after.reading
        self.references = self.reading.references
        self.blocked = BlockedJobs(
            look=self.references.look, monotonic=monotonic, look_every_s=settings.look_every_s
        )
        self.shift = Shift(
            inbox=self.inbox, places=self.places, clock=clock, draining=self.draining,
            changed=after.news.changed, held=self.intake.tell, well=self.intake.well,
            runner=runner, jobs=settings.jobs, limits=settings.limits,
            networks=settings.networks, media=self.reading.media, modules=settings.modules,
            references=self.references, providers=provider_settings(settings.environment),
        )  # fmt: skip
        self.housekeeper = Housekeeper(
            fs=self.fs, places=self.places, inbox=self.inbox, clock=clock,
            retention=settings.retention, budget=settings.budget, forget=after.forget,
        )  # fmt: skip
        self.wishes = Wishes(
            fs=self.fs, places=self.places, inbox=self.inbox, monotonic=monotonic
        )  # fmt: skip
        self.claim_line = ClaimLine(
            inbox=self.inbox, blocked=self.blocked, wishes=self.wishes,
            reading=self.reading,
        )  # fmt: skip
        after.news.listeners += (Listener("blocked", self._unblocks),)
        self._running: dict[Future[None], str] = {}
        self._recovered_at = float("-inf")
        self._told: set[str] = set()

    def run(self) -> None:
        """Serve until `stop` is called; then what runs is given back and this returns."""
        self.after.start()
        try:
            self._serve()
        finally:
            self.after.stop()
        _log.info("ended")

    def _serve(self) -> None:
        _log.info("serving", root=str(self.places.root), owner=self.owners.me)
        heart = Heart(
            self.owners,
            lambda error: self.intake.tell(f"no heartbeat: {error}"),
            self.settings.beat_s,
        )
        pool = ThreadPoolExecutor(max(1, self.settings.workers), thread_name_prefix="job")
        chores = threading.Thread(target=self.housekeeper.run, args=[self.draining])
        with heart, pool:
            chores.start()
            self._watch()  # before the first scan: nothing falls between the two
            notify("READY=1", self.settings.environment)
            try:
                while not self.draining.is_set():
                    try:
                        self._turn(pool)
                    except (OSError, ReelkilnError) as error:  # what is there stays there
                        self.intake.tell(str(error))
                        self._let_go()
                        self.draining.wait(_LONGEST_SLEEP_S)
            finally:
                self.draining.set()
                notify("STOPPING=1", self.settings.environment)
                wait(self._running)
                self._reap()
                chores.join()
                self.watch.stop()

    def stop(self) -> None:
        """End soon: no new jobs, those that run are given back. May be called by a signal."""
        self.draining.set()
        self.freed.set()
        self.wake.set()

    def _unblocks(self, job: Job) -> None:
        if job.state.is_final:
            self.promise_settled()

    def promise_settled(self) -> None:
        """An asset is there, or will never be. Any thread may say so."""
        self.blocked.news()
        self.wake.set()

    def job_changed(self, job_id: str) -> None:
        """Somebody else changed the record of a job. Any thread may say so."""
        self.after.news.changed(job_id)
        self.wake.set()

    def _turn(self, pool: ThreadPoolExecutor) -> None:
        now = self.monotonic()
        self.wake.clear()
        if now - self._recovered_at >= min(RECOVER_EVERY_S, self.settings.lease_s / 2):
            self._recovered_at = now
            notify("WATCHDOG=1", self.settings.environment)  # well also while a disk is not
            self._make_folders()
            self._let_go()
            freed = recover(self.inbox, self.owners, self.fs, self.places)
            if not self.settings.workers:
                self._requeue(freed)
            self._empty_trash()
        self._reap()
        self._watch()
        is_open = self.intake.is_open()
        free = self.settings.workers - len(self._running) if is_open else 0
        offered = _OFFERED if is_open and not self.settings.workers else 0
        found = self.scanner.scan(now, wanted=free or offered)
        self._tell_oddities(found)
        if is_open:
            for refused in found.refused:
                self._refuse(refused)
            for leftover in found.leftovers:
                self.fs.unlink(leftover)
            for job_id in self.wishes.grant(found.cancels):
                self.after.news.changed(job_id)
            self.wishes.sweep(found.cancels)
        if free:
            self._start(pool, found, free)
        elif offered:
            self._offer(found)
        if len(self._running) >= self.settings.workers:
            self.freed.wait(_BREATH_S)  # nothing could be begun: news may gather
        self.freed.clear()
        self.wake.wait(self._pause(found))

    def _empty_trash(self) -> None:
        """Folders of attempts that died; several daemons may be at it, so what is gone is gone."""
        for name in self.fs.names(self.places.own("trash")):
            trashed = self.places.own("trash") / name
            if trashed.is_symlink():  # what it points to is not ours
                self.fs.unlink(trashed)
            else:
                shutil.rmtree(trashed, ignore_errors=True)

    def _watch(self) -> None:
        if self._is_watched:  # elsewhere events say only half of what happens
            self.watch.refresh()

    def _pause(self, found: ScanResult) -> float:
        longest = _LONGEST_SLEEP_S if self._is_watched else _LONGEST_SLEEP_UNWATCHED_S
        is_full = len(self._running) >= self.settings.workers
        if found.next_at is None or is_full:  # the end of a job wakes
            return longest
        return min(longest, max(0.01, found.next_at - self.monotonic()))

    def _start(self, pool: ThreadPoolExecutor, found: ScanResult, free: int) -> None:
        """Fill the free places, best first: what waits among the claims and what lies ready."""
        claims = {claim.file_name: claim for claim in self.inbox.waiting()}
        drops = {str(drop.path): drop for drop in found.ready}
        waiting = [*self.claim_line.waiting(claims)]
        if self.claim_line.free_blocked(claims):
            self.wake.set()
        queue = [*waiting, *(_dropped(k, drop) for k, drop in drops.items())]
        for one in order(queue, self.clock()):
            if free <= 0:
                return
            claim = claims.get(one.name)
            if claim:
                self.blocked.taken(one.name)
            claimed = self.inbox.take(claim) if claim else self._claim(drops[one.name])
            if claimed is not None:
                self.after.news.changed(claimed.job.job_id)
                self._running[pool.submit(self._work, claimed)] = claimed.job.job_id
                free -= 1

    def _offer(self, found: ScanResult) -> None:
        """Give drops the id of a job, by which external workers can take them."""
        for drop in found.ready:
            claimed = self._claim(drop)
            if claimed is not None:
                self.claim_line.offer(claimed)
                self.after.news.changed(claimed.job.job_id)
        for job_id in self.claim_line.offer_freed(_OFFERED):
            self.after.news.changed(job_id)

    def _requeue(self, freed: Iterable[Claim]) -> None:
        """Jobs of workers that fell silent wait again, also by their record."""
        for claim in freed:
            job = self.inbox.ledger.read(claim.job_id)
            claimed = self.inbox.take(claim) if job and job.state is JobState.RUNNING else None
            if claimed is not None:
                self.inbox.give_back(claimed, 0.0)
                self.after.news.changed(claim.job_id)

    def _claim(self, drop: Drop) -> Claimed | None:
        seen = self.fs.stat(drop.path)
        if seen is None or _signature(seen) != drop.signature:
            return None  # somebody wrote: it is not ready any more
        claimed = self.inbox.claim(drop.path, seen, drop.priority)
        if claimed is not None and drop.ready_file:
            self.fs.unlink(drop.path.with_name(f"{drop.name}.ready"))
        return claimed

    def _refuse(self, refused: Refused) -> None:
        drop = refused.drop
        seen = self.fs.stat(drop.path)
        claimed = self.inbox.claim(drop.path, seen, drop.priority) if seen else None
        if claimed is not None:
            self.inbox.reject(claimed, SpecInvalid([refused.fault], document=drop.name).as_json())
            self.after.news.changed(claimed.job.job_id)

    def _work(self, claimed: Claimed) -> None:
        try:
            self.shift.work(claimed)
        finally:
            self.freed.set()
            self.wake.set()

    def _reap(self) -> None:
        """Hear of shifts that ended; the job of one that raised is given back."""
        for future in [future for future in self._running if future.done()]:
            job_id = self._running.pop(future)
            error = future.exception()
            if error is not None:
                _log.error("a job could not be ended", job_id=job_id, error=repr(error))
                self.intake.tell(str(error))
                self._let_go(blamed="" if isinstance(error, OSError) else job_id)

    def _let_go(self, blamed: str = "") -> None:
        """Give back what was cut short; when even that fails, it is done in a later turn."""
        busy = set(self._running.values())
        try:
            let_go(self.inbox, self.places, busy, self.clock, blamed=blamed)
        except OSError as error:
            self.intake.tell(str(error))

    def _make_folders(self) -> None:
        for folder in self.places.folders():
            self.fs.make_folder(folder)

    def _tell_oddities(self, found: ScanResult) -> None:
        if any(oddity.code in _GONE for oddity in found.oddities):
            self._make_folders()
        for oddity in found.oddities:
            if oddity.message not in self._told:
                _log.warning(oddity.message, code=oddity.code, hint=oddity.hint)
        self._told = {oddity.message for oddity in found.oddities}


@contextmanager
def _folders_told(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FolderUnusable(
            f"the folders of {root} cannot be made: {error}",
            hint="free some space, or give the root to the daemon's user; see reelkiln doctor",
        ) from error


def _new_id() -> str:
    return str(ULID())


def _signature(found: os.stat_result) -> Signature:
    return Signature(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _dropped(key: str, drop: Drop) -> Waiting:
    arrived = drop.signature.ctime_ns / 1e9
    return Waiting(name=key, priority=Priority(drop.priority), arrived=arrived)
