"""What became of one attempt at a job, and what is to be done about it. Pure.

the attempt                                        what follows
succeeded                                          succeeded
some of what was asked was made                    partial
spec-invalid                                       rejected
another fault that trying again cannot mend        failed
a fault that passes (retryable)                    again after 1, 2, 4 s, then failed
killed, out of memory or of time, stood still      again once, carefully; then failed: poison
disk full, folder unusable, broken installation    held: the attempt does not count
stopped on request                                 stopped: the attempt does not count
something it names is promised only                blocked: the attempt does not count
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from renderer.errors import Interrupted, ReelkilnError, RenderFailed, SpecInvalid, StorageFull

MAX_RETRIES = 3
MAX_SUSPECT_ATTEMPTS = 2
_STATUS_NO_MEMORY = 256 - errno.ENOMEM  # FFmpeg exits with 256 - errno
UNUSABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE})
"""What a folder answers that nobody may write now, through no fault of the job."""


class FolderUnusable(RenderFailed):
    """A folder of the daemon cannot be written: read-only, forbidden, or its disk is failing."""

    code = "folder-unusable"
    http_status = 503


class InstallBroken(RenderFailed):
    """The code of Reelkiln does not start: an upgrade is under way, or a package is missing."""

    code = "install-broken"
    http_status = 503


class OutOfMemory(RenderFailed):
    """The render wanted more memory than it may have."""

    code = "out-of-memory"


class JobDied(RenderFailed):
    """The process of a job ended without saying what became of it."""

    code = "job-died"


class JobOverdue(RenderFailed):
    """A job was not done by its deadline."""

    code = "job-overdue"


class JobStalled(RenderFailed):
    """A job made no progress for too long."""

    code = "job-stalled"


class Poison(RenderFailed):
    """A spec that brought its process down as often as it may."""

    code = "poison"


_OF_THE_MACHINE = frozenset({StorageFull.code, FolderUnusable.code, InstallBroken.code})


class Ended(StrEnum):
    """How the process of a job came to its end."""

    SUCCEEDED = "succeeded"
    TOLD = "told"  # it said what is wrong
    DIED = "died"  # it ended without a word about it
    OVERDUE = "overdue"
    STALLED = "stalled"
    STOPPED = "stopped"
    BLOCKED = "blocked"  # it said what it waits for


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One attempt. `error` is an entry of the error tree as JSON, None after success.

    `status` is the exit status, negative for a signal; `stderr` the last lines said. `partial`
    says what is missing in a bundle that holds some of what was asked.
    """

    ended: Ended
    bundle: Path | None = None
    bundle_digest: str = ""
    reused: bool = False
    spec_id: str = ""
    kind: str = ""
    error: Mapping[str, Any] | None = None
    status: int = 0
    stderr: tuple[str, ...] = ()
    warnings: tuple[Mapping[str, str], ...] = ()
    seconds: float = 0.0
    waits_for: tuple[str, ...] = ()
    partial: Mapping[str, Any] | None = None

    @property
    def code(self) -> str:
        """The code of the error; empty after success."""
        return str((self.error or {}).get("code", ""))


class Fate(StrEnum):
    """What follows an attempt."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    REJECTED = "rejected"  # to inbox/rejected
    FAILED = "failed"  # to inbox/failed
    RETRY = "retry"
    HELD = "held"  # back to the queue, and no new work until the fault is gone
    STOPPED = "stopped"  # cancelled or drained: whoever asked knows
    BLOCKED = "blocked"  # back to the queue until what it waits for is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do with a job after an attempt.

    `wait_s` before a retry. `counts` is False when the attempt is not to be held against the
    job. `error` is what the job is told to have failed of.
    """

    fate: Fate
    wait_s: int = 0
    counts: bool = True
    error: Mapping[str, Any] | None = field(default=None, compare=False)


def decide(outcome: Outcome, attempt: int) -> Decision:
    """What follows the `attempt`th attempt, counted from 1."""
    if outcome.ended is Ended.SUCCEEDED:
        return published(outcome.partial)
    if outcome.ended is Ended.BLOCKED:
        return Decision(fate=Fate.BLOCKED, counts=False)
    error = outcome.error
    if outcome.ended is Ended.STOPPED or outcome.code == Interrupted.code:
        return Decision(fate=Fate.STOPPED, counts=False, error=error)
    if outcome.code in _OF_THE_MACHINE:
        return Decision(fate=Fate.HELD, counts=False, error=error)
    if is_suspect(outcome):
        return _after_suspicion(outcome, attempt)
    if outcome.code == SpecInvalid.code:
        return Decision(fate=Fate.REJECTED, error=error)
    if (error or {}).get("retryable") and attempt <= MAX_RETRIES:
        return Decision(fate=Fate.RETRY, wait_s=1 << (attempt - 1), error=error)
    return Decision(fate=Fate.FAILED, error=error)


def published(partial: Mapping[str, Any] | None) -> Decision:
    """What follows once the bundle is there; `partial` says what it lacks."""
    return Decision(fate=Fate.PARTIAL if partial else Fate.SUCCEEDED, error=partial)


def is_suspect(outcome: Outcome) -> bool:
    """Whether the spec may have brought its process down: a signal, a bound, a timeout."""
    if outcome.ended in (Ended.DIED, Ended.OVERDUE, Ended.STALLED):
        return True
    status = int((outcome.error or {}).get("status", 0) or 0)
    is_ffmpeg_down = status < 0 or status == _STATUS_NO_MEMORY
    return is_ffmpeg_down or outcome.code in (OutOfMemory.code, "command-timed-out")


def poison_error(cause: Mapping[str, Any] | None, attempt: int) -> Mapping[str, Any]:
    """The error of a job that may not be tried again, with the last `cause` inside."""
    last = (cause or {}).get("message", "its process was gone when the daemon came back")
    error: ReelkilnError = Poison(
        f"given up after {attempt} attempts, the last one: {last}",
        hint="make the spec smaller or its sources plainer; to try again, move it to the inbox",
    )
    return {**error.as_json(), "cause": dict(cause) if cause else None}


def _after_suspicion(outcome: Outcome, attempt: int) -> Decision:
    if attempt < MAX_SUSPECT_ATTEMPTS:
        return Decision(fate=Fate.RETRY, wait_s=1, error=outcome.error)
    return Decision(fate=Fate.FAILED, error=poison_error(outcome.error, attempt))
