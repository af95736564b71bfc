"""Jobs: their states, the legal moves between them, and the record kept of each. Pure.

queued ──▶ running ──▶ succeeded | partial | failed
  │ ▲         │
  │ └─────────┘  takeover, retry, drain
  ▼
blocked ──▶ queued | failed          queued, blocked, running ──▶ cancelled
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from renderer.errors import ReelkilnError

_REMEMBERED = 4096
_SHORT = 16 * 1024
_T = TypeVar("_T")


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    BLOCKED = "blocked"  # waits for an asset that is promised
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"  # some of what was asked exists
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return not MOVES[self]

    @property
    def has_results(self) -> bool:
        """Whether it made what was asked, or some of it."""
        return self in (JobState.SUCCEEDED, JobState.PARTIAL)


_S = JobState
MOVES: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        _S.QUEUED: frozenset({_S.BLOCKED, _S.RUNNING, _S.FAILED, _S.CANCELLED}),
        _S.BLOCKED: frozenset({_S.QUEUED, _S.FAILED, _S.CANCELLED}),
        _S.RUNNING: frozenset({_S.QUEUED, _S.SUCCEEDED, _S.PARTIAL, _S.FAILED, _S.CANCELLED}),
        _S.SUCCEEDED: frozenset(),
        _S.PARTIAL: frozenset(),
        _S.FAILED: frozenset(),
        _S.CANCELLED: frozenset(),
    }
)
"""The one table of legal moves."""


class IllegalMove(ReelkilnError):
    """A move that the table does not hold; `legal` says which are."""

    code = "illegal-move"
    http_status = 409

    def __init__(self, job_id: str, state: JobState, to: JobState) -> None:
        self.legal = tuple(sorted(MOVES[state]))
        may = ", ".join(self.legal) or "nothing: it has ended"
        super().__init__(f"job {job_id} is {state} and cannot become {to}; it may become {may}")

    def as_json(self) -> dict[str, object]:
        """The refusal as data, with the moves that are legal."""
        return {**super().as_json(), "legal": list(self.legal)}


class Priority(StrEnum):
    """Who goes first. Names are in the order of the queue."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 goes first."""
        return list(Priority).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a running job is: `percent` 0 to 100, `eta_s` seconds left, None when unknown.

    `step` is what is being made just now, in words.
    """

    percent: int = 0
    frames_done: int = 0
    frames: int = 0
    stage: str = ""
    step: str = ""
    eta_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The record of one job: what the folder keeps and clients read.

    `name` is the dropped file's name as bytes decoded with surrogateescape; `spec_sha256` the
    digest of its bytes. `attempt` counts from 1 once it was claimed and is durable before any
    risky work. `rev` grows with every change. Times are seconds since 1970, UTC.
    `error` is an entry of the error tree as JSON (code, message, errors[]); `bundle` the folder's
    name in the outbox. `spec_digest` is known of submitted jobs alone: two documents that mean the
    same have the same one. `outputs` are the ids of assets, where those are the result.
    `waits_for` are references that were not kept when it was last looked at (`asset:ID`,
    `job:ID#FILE`), `promised` the assets that it makes, by their file in the bundle.
    """

    job_id: str
    name: str
    state: JobState
    priority: Priority = Priority.NORMAL
    kind: str = ""
    spec_id: str = ""
    spec_sha256: str = ""
    attempt: int = 0
    retries: int = 0  # times it was given back for a fault that may pass
    rev: int = 0
    created_at: float = 0.0
    updated_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    not_before: float = 0.0  # a retry waits until then
    progress: Progress = field(default_factory=Progress)
    bundle: str = ""
    bundle_digest: str = ""
    error: Mapping[str, Any] | None = None
    refused: bool = False  # failed because its spec was, and lies in rejected/
    owner: str = ""  # the account that submitted it, not a process; none for a dropped file
    world: str = ""
    spec_digest: str = ""
    input_hash: str = ""  # of what went in beside the document
    retry_of: str = ""  # the failed job that is tried again
    outputs: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    on_failed_promise: str = "fail"
    promised: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, for the status file."""
        plain = {name: getattr(self, name) for name in _FIELDS}
        return {
            **plain, "progress": asdict(self.progress), "waits_for": list(self.waits_for),
            "outputs": list(self.outputs),
        }  # fmt: skip


_FIELDS = tuple(f.name for f in fields(Job))


def advance(job: Job, to: JobState, *, now: float, **changes: Any) -> Job:
    """The job in its next state. Raises IllegalMove when the table does not hold the move."""
    if to not in MOVES[job.state]:
        raise IllegalMove(job.job_id, job.state, to)
    started = now if to is JobState.RUNNING else job.started_at
    finished = now if to.is_final else None
    return replace(
        job, state=to, rev=job.rev + 1, updated_at=now, started_at=started, finished_at=finished,
        **changes,
    )  # fmt: skip


def touched(job: Job, *, now: float, **changes: Any) -> Job:
    """The job in the same state with something new about it."""
    return replace(job, rev=job.rev + 1, updated_at=now, **changes)


def job_from_json(data: Mapping[str, Any]) -> Job:
    """The inverse of `Job.as_json`; unknown fields of later versions are left out.

    Raises KeyError, TypeError or ValueError on foreign data.
    """
    plain = {name: data[name] for name in _FIELDS if name in data}
    plain["state"] = JobState(plain["state"])
    plain["priority"] = Priority(plain.get("priority", "normal"))
    plain["waits_for"] = tuple(map(str, plain.get("waits_for", ())))
    plain["progress"] = Progress(**plain.get("progress", {}))
    plain["outputs"] = tuple(plain.get("outputs", ()))
    return Job(**plain)


def remembered(made: Callable[[str | bytes], _T]) -> Callable[[str | bytes], _T]:
    """What is made of a record, made once: who asks for a job asks for it again and again.

    Long records are rare, and too large to be kept.
    """
    known = lru_cache(maxsize=_REMEMBERED)(made)

    def of(document: str | bytes) -> _T:
        return known(document) if len(document) <= _SHORT else made(document)

    return of


@remembered
def job_of(document: str | bytes) -> Job:
    """The job of a record in JSON. Raises as `job_from_json`, and RecursionError."""
    return job_from_json(json.loads(document))
