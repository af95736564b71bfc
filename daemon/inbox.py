"""The life of a drop: claimed by one rename, ended by one receipt, never in two places or none.

Every method may be cut off at any call and be done again, by this daemon or another.
docs/inbox.md says in which order things become durable, and why.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from daemon.fs import Fs, move_new, move_soon
from daemon.jobs import Job, JobState, Priority, Progress, advance, touched
from daemon.ledger import Ledger, Overtaken, Papers
from daemon.outbox import Outbox, set_aside
from daemon.outcomes import MAX_SUSPECT_ATTEMPTS, poison_error
from daemon.places import UNOWNED, Claim, Places, claim_of
from daemon.submissions import promise_kept, submitted
from renderer.limits import Limits

_MANIFEST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A drop that is ours: its claim, the job, and the bytes that were dropped."""

    claim: Claim
    job: Job
    data: bytes


class Inbox:
    """The drops of one root, for one daemon. Methods raise OSError when the disk does."""

    def __init__(
        self,
        fs: Fs,
        places: Places,
        owner_id: str,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        nonce: Callable[[], str],
        max_bytes: int = Limits().max_document_bytes,
    ) -> None:
        self._max_bytes = max_bytes
        self._fs, self._places, self._clock, self._new_id = fs, places, clock, new_id
        self.papers = Papers(fs=fs, places=places, owner=owner_id, nonce=nonce)
        self.ledger = Ledger(papers=self.papers)
        self.outbox = Outbox(papers=self.papers)

    # -- taking ----------------------------------------------------------------------------

    def claim(self, path: Path, seen: os.stat_result, priority: Priority) -> Claimed | None:
        """Take a drop. None when it is gone, another daemon was faster, or it is still changing.

        `seen` is what made the caller think that the drop is ready.
        """
        if not _same(self._fs.stat(path), seen):
            return None
        now = self._clock()
        job = submitted(self.papers, path) or Job(
            job_id=self._new_id(), name=path.name, state=JobState.QUEUED, priority=priority,
            created_at=now, updated_at=now,
        )  # fmt: skip
        claim = Claim(
            job_id=job.job_id, owner=self.papers.owner, attempt=1, priority=priority
        )  # fmt: skip
        intent = self._places.intent(claim)
        self.papers.replace(intent, job.as_json())
        if not self._won(path, claim):
            self._fs.unlink(intent)
            return None
        try:
            data = self._bytes_of(claim)
        except OSError:
            self.put_back(claim, job, path.parent)
            raise
        if not _same(self._fs.stat(self._places.claimed(claim)), seen):
            self.put_back(claim, job, path.parent)
            return None
        job = touched(job, now=now, attempt=1, **_digests(job, data))
        with suppress(Overtaken):
            job = self.ledger.write(job, claim)
            self._fs.unlink(intent)
        if not self.still_ours(claim):
            self.forget(claim)
            return None
        return Claimed(claim=claim, job=job, data=data)

    def take(self, claim: Claim) -> Claimed | None:
        """Take a claim that nobody owns. None when it is gone or needed no more work.

        What was decided is finished, what was published gets its receipt, what killed the daemon
        too often is given up.
        """
        mine = replace(claim, owner=self.papers.owner, attempt=claim.attempt + 1)
        if not self._moved(self._places.claimed(claim), self._places.claimed(mine)):
            return None
        with suppress(Overtaken):
            return self._sorted(self._taken(mine))
        return None

    def _sorted(self, claimed: Claimed) -> Claimed | None:
        job, attempts = claimed.job, claimed.claim.attempt - 1
        if self.outbox.receipt(job.job_id) is not None:
            self._end(claimed, job)
        elif self.is_published(job):
            self.succeed(claimed, job.bundle, job.bundle_digest)
        elif attempts >= MAX_SUSPECT_ATTEMPTS:
            self.fail(claimed, poison_error(None, attempts))
        else:
            return claimed
        return None

    def waiting(self) -> tuple[Claim, ...]:
        """Claims that nobody owns, best priority first, then oldest."""
        found = [claim for claim in self.claims() if claim.owner == UNOWNED]
        return tuple(sorted(found, key=lambda claim: (claim.priority.rank, claim.job_id)))

    def claims(self) -> tuple[Claim, ...]:
        """Every claim there is."""
        names = self._fs.names(self._places.own("claimed"))
        return tuple(claim for name in names if (claim := claim_of(name)))

    def still_ours(self, claim: Claim) -> bool:
        """The fence: whether nobody took the claim from us. To be asked before every effect."""
        return self.papers.holds(claim)

    # -- working ---------------------------------------------------------------------------

    def begin(self, claimed: Claimed) -> Claimed:
        """The job runs."""
        return self._noted(claimed, advance(claimed.job, JobState.RUNNING, now=self._clock()))

    def note(self, claimed: Claimed, **changes: Any) -> Claimed:
        """Keep something new about the job, its progress say. Nothing when it is not ours."""
        if all(getattr(claimed.job, name) == value for name, value in changes.items()):
            return claimed
        return self._noted(claimed, touched(claimed.job, now=self._clock(), **changes))

    def announce(
        self, claimed: Claimed, bundle_name: str, bundle_digest: str, **changes: Any
    ) -> Claimed | None:
        """Say what is about to be published, so that a crash right after it loses nothing.

        None when it must not be: the claim is another's by now, or a cancel is wished.
        """
        told = self.note(claimed, bundle=bundle_name, bundle_digest=bundle_digest, **changes)
        may = self.still_ours(claimed.claim) and not self.is_cancelled(claimed.job)
        return told if may else None

    def is_published(self, job: Job) -> bool:
        """Whether the bundle that was announced last is in the outbox, and lasts.

        Whoever published it may have died before it synced that.
        """
        if not job.bundle:
            return False
        manifest = self._places.outbox / job.bundle / "manifest.json"
        try:
            data = self._fs.read(manifest, _MANIFEST_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return False
        self._fs.sync_folder(self._places.outbox)
        return sha256(data).hexdigest() == job.bundle_digest

    def is_cancelled(self, job: Job) -> bool:
        """Whether somebody wishes this job to end."""
        return any(self._fs.stat(path) is not None for path in self._wishes(job))

    # -- letting go ------------------------------------------------------------------------

    def give_back(self, claimed: Claimed, not_before: float, *, retries: int = 0) -> None:
        """Let any daemon take it, from `not_before` on; no attempt is used up."""
        job = replace(claimed.job, attempt=claimed.claim.attempt - 1)
        changes = {"not_before": not_before, "retries": retries or job.retries}
        if job.state is JobState.RUNNING:
            job = advance(job, JobState.QUEUED, now=self._clock(), **changes)
        else:
            job = touched(job, now=self._clock(), **changes)
        self._freed(claimed.claim, job)

    def block(self, claimed: Claimed, waits_for: tuple[str, ...]) -> None:
        """The job waits for assets or jobs; no attempt is used up. Whoever takes it looks anew."""
        now = self._clock()
        job = replace(claimed.job, attempt=claimed.claim.attempt - 1, progress=Progress())
        if job.state is JobState.RUNNING:
            job = advance(job, JobState.QUEUED, now=now)
        self._freed(claimed.claim, advance(job, JobState.BLOCKED, now=now, waits_for=waits_for))

    def release(self, claim: Claim) -> None:
        """Let any daemon take the claim of a dead one; its attempt stays used up."""
        free = replace(claim, owner=UNOWNED)
        with suppress(FileNotFoundError):  # another daemon did; who takes it makes it durable
            self._fs.rename_new(self._places.claimed(claim), self._places.claimed(free))

    def abandon(self, claim: Claim) -> None:
        """Let any daemon take a claim of ours that a fault of the disk cut short; no attempt is
        used up. Nothing is written: the disk may be full."""
        free = replace(claim, owner=UNOWNED, attempt=max(0, claim.attempt - 1))
        with suppress(FileNotFoundError):
            self._fs.rename_new(self._places.claimed(claim), self._places.claimed(free))

    def put_back(self, claim: Claim, job: Job, folder: Path | None = None) -> None:
        """The drop lies in the inbox again as if it had never been touched."""
        back = folder or self._places.drops(job.priority)
        with suppress(FileNotFoundError):  # another daemon did
            set_aside(self.papers, self._places.claimed(claim), back, job)
        self.forget(claim)

    def forget(self, claim: Claim) -> None:
        """Remove what was noted of a claim that is gone, unless its job lives on or has ended."""
        self.papers.sweep(claim.job_id)  # from now on nobody notes anything more
        status = self._places.status(claim.job_id)
        lives = any(one.job_id == claim.job_id for one in self.claims())
        ended = lives or self.outbox.receipt(claim.job_id) is not None
        if not ended and self._fs.stat(status) is not None:
            self._fs.unlink(status)
            self._fs.sync_folder(status.parent)
        self._fs.unlink(self._places.intent(claim))

    # -- ending ----------------------------------------------------------------------------

    def succeed(
        self, claimed: Claimed, bundle_name: str, bundle_digest: str,
        *, lacks: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """The bundle is in the outbox; `lacks` is told of one that holds only some."""
        whole = replace(claimed.job.progress, percent=100, step="", eta_s=0)
        self._end(claimed, self._ended(
            claimed, JobState.PARTIAL if lacks else JobState.SUCCEEDED,
            bundle=bundle_name, bundle_digest=bundle_digest, progress=whole, error=lacks,
        ))  # fmt: skip

    def reject(self, claimed: Claimed, error: Mapping[str, Any]) -> None:
        """The spec is refused: it goes to rejected/ with its error file."""
        self._end(claimed, self._ended(claimed, JobState.FAILED, error=error, refused=True))

    def fail(self, claimed: Claimed, error: Mapping[str, Any]) -> None:
        """The job failed: its spec goes to failed/ with its error file."""
        self._end(claimed, self._ended(claimed, JobState.FAILED, error=error))

    def cancel(self, claimed: Claimed) -> None:
        """The job ends because somebody wished it."""
        self._end(claimed, self._ended(claimed, JobState.CANCELLED))

    def _ended(self, claimed: Claimed, to: JobState, **changes: Any) -> Job:
        job, now = claimed.job, self._clock()
        if job.state is JobState.QUEUED and to.has_results:
            job = advance(job, JobState.RUNNING, now=now)  # published by a daemon that died
        return advance(job, to, now=now, **changes)

    def _end(self, claimed: Claimed, job: Job) -> None:
        """Receipt, error file, status, rename: in this order, each durable before the next.

        A claim that comes back when the power went is ended again, by its receipt. It may not
        come back where a person moved the spec on.
        """
        lies = self._places.claimed(claimed.claim)
        try:
            job, target = self._explained(claimed.claim, job)
            self.ledger.write(job, claimed.claim)
        except Overtaken:
            return
        self._grant_wishes(job)
        promise_kept(self.papers, job.job_id)
        with suppress(FileNotFoundError):  # a daemon that thought us dead ends it, as the receipt
            (move_new if job.state is JobState.FAILED else move_soon)(self._fs, lies, target)

    def _grant_wishes(self, job: Job) -> None:
        """Remove what asked for a cancel, lest it meets the next drop of that name.

        Where a cancel was granted, somebody may have removed the wish and died before it lasted.
        One that names the job meets no other: if it comes back it is swept.
        """
        by_id, *by_name = self._wishes(job)
        if self._fs.stat(by_id) is not None:
            self._fs.unlink(by_id)
        for wish in by_name:
            is_there = self._fs.stat(wish) is not None
            if is_there:
                self._fs.unlink(wish)
            if is_there or job.state is JobState.CANCELLED:
                self._fs.sync_folder(wish.parent)

    def _explained(self, claim: Claim, job: Job) -> tuple[Job, Path]:
        """The end as its receipt has it, which may not be this one, and where the spec goes.

        The error file of a failure is there, beside that place.
        """
        decided = self.outbox.decide(job, claim)
        if decided.state is JobState.FAILED:
            return decided, self.outbox.explain(decided, self._folder(decided), claim)
        return decided, self._places.own("done") / job.job_id

    # -- below -----------------------------------------------------------------------------

    def _won(self, path: Path, claim: Claim) -> bool:
        target = self._places.claimed(claim)
        return self._moved(path, target) or self._fs.stat(target) is not None  # NFS says it twice

    def _freed(self, claim: Claim, job: Job) -> None:
        """Keep the job, then let any daemon take its claim.

        The claim's name has the attempt. If the record is lost with the power, the job is done
        once more where it waited for something, or sooner than it was to be: that is all.
        """
        with suppress(Overtaken):
            self.ledger.write_soon(job, claim)
            free = replace(claim, owner=UNOWNED, attempt=job.attempt)
            self._moved(self._places.claimed(claim), self._places.claimed(free))

    def _moved(self, old: Path, new: Path) -> bool:
        try:
            move_new(self._fs, old, new)
        except FileNotFoundError:
            return False
        return True

    def _taken(self, claim: Claim) -> Claimed:
        """What we took, as it begins anew; it is written by whatever is done with it next."""
        now = self._clock()
        self.papers.sweep(claim.job_id)
        data = self._bytes_of(claim)
        job = self.ledger.read(claim.job_id) or Job(
            job_id=claim.job_id, name=claim.job_id, state=JobState.QUEUED,
            priority=claim.priority, created_at=now,
        )  # fmt: skip
        changes = {"attempt": claim.attempt, **_digests(job, data)}
        if job.state in (JobState.RUNNING, JobState.BLOCKED):
            job = advance(job, JobState.QUEUED, now=now, **changes)
        elif not job.state.is_final:
            job = touched(job, now=now, **changes)
        return Claimed(claim=claim, job=job, data=data)

    def _bytes_of(self, claim: Claim) -> bytes:
        """What was dropped; nothing for a link, a pipe or a folder, which are never opened."""
        path = self._places.claimed(claim)
        found = self._fs.stat(path)
        if found is not None and not stat.S_ISREG(found.st_mode):
            return b""
        return self._fs.read(path, self._max_bytes + 1)

    def _noted(self, claimed: Claimed, job: Job) -> Claimed:
        with suppress(Overtaken):
            return replace(claimed, job=self.ledger.write(job, claimed.claim))
        return claimed

    def _folder(self, job: Job) -> Path:
        return self._places.rejected if job.refused else self._places.failed

    def _wishes(self, job: Job) -> tuple[Path, ...]:
        inbox = self._places.inbox
        folders = (inbox, inbox / Priority.HIGH, inbox / Priority.LOW)
        beside = tuple(folder / f"{job.name}.cancel" for folder in folders)
        fits = len(os.fsencode(job.name)) <= 255 - len(".cancel")
        return (self._places.own("cancel") / job.job_id, *(beside if fits else ()))


def _digests(job: Job, data: bytes) -> dict[str, str]:
    """The digests of a claimed drop; what was known of other bytes does not hold for these."""
    digest = sha256(data).hexdigest()
    return {"spec_sha256": digest, "spec_digest": job.spec_digest * (digest == job.spec_sha256)}


def _same(now: os.stat_result | None, seen: os.stat_result) -> bool:
    """Whether a file is still what was seen; a rename changes its ctime, nothing else."""
    if now is None:
        return False
    mine = (now.st_ino, now.st_size, now.st_mtime_ns)
    return mine == (seen.st_ino, seen.st_size, seen.st_mtime_ns)
