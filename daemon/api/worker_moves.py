"""The moves of an external worker: it finds a job, takes it, reports on it, and ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

from aiohttp import web
from pydantic import Field, model_validator

from daemon.api import external
from daemon.api.asking import WORLD, NoQuery, query_of, visible_job
from daemon.api.bodies import Asked, body_as
from daemon.api.callers import CALLER
from daemon.api.context import CONTEXT, TURNSTILES, ApiContext
from daemon.api.models import Answered, JobResource, Output, WorkList
from daemon.api.problems import LeaseLost
from daemon.api.submitting import index_job
from daemon.api.telling import answer, resource
from daemon.inbox import Claimed
from daemon.index import Filters
from daemon.jobs import Job, JobState, Progress
from daemon.logs import logger
from daemon.records import find_job
from renderer.errors import UsageError

_LOOKED_AT = 50
_BEATS_OF_A_LEASE = 6
_log = logger("api")
_TOKEN = Field(min_length=1, max_length=200, description="What the lease told.")
_WORDS = Field(default="", max_length=300)
_COUNT = Field(default=0, ge=0, le=2**53)


class ProgressTold(Asked):
    """How far the job is."""

    percent: int = Field(ge=0, le=100)
    stage: str = _WORDS
    step: str = _WORDS
    frames_done: int = _COUNT
    frames: int = _COUNT
    eta_s: int | None = Field(default=None, ge=0, le=2**53)


class MoveAsked(Asked):
    """Without a token and with `running`: take the job. With one: a sign of life, or give back."""

    status: Literal["running", "queued"] = "running"
    lease_token: str | None = Field(default=None, min_length=1, max_length=200)
    progress: ProgressTold | None = None

    @model_validator(mode="after")
    def _belongs_together(self) -> MoveAsked:
        if self.lease_token is None and (self.status == "queued" or self.progress is not None):
            raise ValueError("a lease_token is needed to report on a job or to give it back")
        return self


class CompleteAsked(Asked):
    """The result: a bundle in the outbox, by its name, or assets."""

    lease_token: str = _TOKEN
    bundle: str = Field(default="", max_length=200, pattern=r"^([A-Za-z0-9_][A-Za-z0-9._-]*)?$")
    outputs: list[Output] = Field(default_factory=list, max_length=100)

    @model_validator(mode="after")
    def _has_a_result(self) -> CompleteAsked:
        if not self.bundle and not self.outputs:
            raise ValueError("name a bundle, or outputs")
        return self


class FaultTold(Asked):
    """One thing that is wrong with the document."""

    code: str = Field(min_length=1, max_length=60, pattern=r"^[a-z0-9-]+$")
    message: str = Field(max_length=1000)
    pointer: str = _WORDS
    line: int | None = Field(default=None, ge=1, le=2**31)
    column: int | None = Field(default=None, ge=1, le=2**31)
    hint: str = _WORDS


class ErrorTold(Asked):
    """Why it failed, as error files say it."""

    code: str = Field(min_length=1, max_length=60, pattern=r"^[a-z0-9-]+$")
    message: str = Field(max_length=1000)
    hint: str = _WORDS
    errors: list[FaultTold] = Field(default_factory=list, max_length=100)
    stderr: list[str] = Field(default_factory=list, max_length=40)


class FailAsked(Asked):
    """The job failed."""

    lease_token: str = _TOKEN
    error: ErrorTold


class WorkQuery(NoQuery):
    """Which jobs a worker can do."""

    kind: str | None = Field(default=None, max_length=60)
    world: str | None = Field(default=None, max_length=64, pattern=WORLD)
    limit: int = Field(default=1, ge=1, le=20)


class Leased(Answered):
    """A job with its lease. `document` is told once, to whoever takes the job."""

    job: JobResource
    lease_token: str | None = Field(description="Null once the job was given back.")
    lease_s: float = Field(description="Seconds without a sign of life, after which it is lost.")
    cancel_wished: bool = Field(description="Stop, and tell of it as of a failure.")
    document: str | None = None


async def find_work(request: web.Request) -> web.Response:
    """`GET /v1/work`: queued jobs, those that go first first. None is promised to anybody."""
    query, caller = query_of(request, WorkQuery), request[CALLER]
    world = caller.world or query.world
    if query.world not in (None, world):
        return answer(WorkList(jobs=[]))
    filters = Filters(
        state=JobState.QUEUED, kind=query.kind, world=world,
        owner=None if caller.sees_all else caller.owner,
    )  # fmt: skip
    found = await asyncio.to_thread(_waiting, request.app[CONTEXT], filters)
    return answer(WorkList(jobs=[resource(job) for job in found[: query.limit]]))


async def move_job(request: web.Request) -> web.Response:
    """`PATCH /v1/jobs/{job_id}`: take it, tell how far it is, or give it back."""
    job, context = await visible_job(request), request.app[CONTEXT]
    asked = await body_as(request, MoveAsked)
    token = asked.lease_token
    if token is None:
        token = external.new_token()
        claimed = await asyncio.to_thread(external.lease, context, job, token)
        return await _leased(context, claimed, token, external.document_of_claim(claimed))
    if asked.status == "queued":
        claimed = await asyncio.to_thread(external.gave_back, context, job, token)
        return await _leased(context, claimed, None, None)
    progress = None if asked.progress is None else Progress(**asked.progress.model_dump())
    claimed = await asyncio.to_thread(external.went_on, context, job, token, progress)
    return await _leased(context, claimed, token, None)


async def complete_job(request: web.Request) -> web.Response:
    """`POST /v1/jobs/{job_id}/complete`."""
    job, context = await visible_job(request), request.app[CONTEXT]
    asked = await body_as(request, CompleteAsked)
    outputs = tuple(output.asset_id for output in asked.outputs)
    alive, turn = staying_alive(context, job, asked.lease_token), request.app[TURNSTILES].documents
    async with alive, turn:  # verifying reads the whole bundle
        digest = await asyncio.to_thread(
            external.checked, context, job, asked.lease_token, asked.bundle, outputs
        )
    await asyncio.to_thread(
        external.completed, context, job, asked.lease_token, asked.bundle, digest, outputs
    )
    return await _told(context, job)


async def fail_job(request: web.Request) -> web.Response:
    """`POST /v1/jobs/{job_id}/fail`."""
    job, context = await visible_job(request), request.app[CONTEXT]
    asked = await body_as(request, FailAsked)
    error = asked.error.model_dump()
    await asyncio.to_thread(external.failed, context, job, asked.lease_token, error)
    return await _told(context, job)


@asynccontextmanager
async def staying_alive(context: ApiContext, job: Job, token: str) -> AsyncIterator[None]:
    """Signs of life on behalf of a worker that waits for its answer, and can give none itself.

    Raises as `external.held` when it holds nothing to begin with.
    """
    await asyncio.to_thread(external.held, context, job, token, JobState.SUCCEEDED)
    beats = asyncio.create_task(_beats(context, job, token, over := asyncio.Event()))
    try:
        yield
    finally:
        over.set()
        await beats


async def _beats(context: ApiContext, job: Job, token: str, over: asyncio.Event) -> None:
    while not over.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), context.lease_s / _BEATS_OF_A_LEASE)
            return
        try:
            await asyncio.to_thread(external.held, context, job, token, JobState.RUNNING)
        except LeaseLost:
            return  # whoever ends the job is told
        except OSError as error:
            _log.warning("no heartbeat of a worker", job_id=job.job_id, error=str(error))


async def _leased(
    context: ApiContext, claimed: Claimed, token: str | None, document: str | None
) -> web.Response:
    job = claimed.job
    await asyncio.to_thread(index_job, context, job)
    wished = await asyncio.to_thread(external.is_wished_to_end, context, job)
    return answer(Leased(
        job=resource(job), lease_token=token, lease_s=context.lease_s, cancel_wished=wished,
        document=document,
    ))  # fmt: skip


async def _told(context: ApiContext, job: Job) -> web.Response:
    now = await asyncio.to_thread(find_job, context.fs, context.places, job.job_id)
    await asyncio.to_thread(index_job, context, now)
    await asyncio.to_thread(context.changed, job.job_id)
    return answer(resource(now))


def _waiting(context: ApiContext, filters: Filters) -> list[Job]:
    found, now = [], context.clock()
    for known in context.index.oldest(filters, _LOOKED_AT):
        try:
            job = find_job(context.fs, context.places, known.job_id)
        except (UsageError, FileNotFoundError):
            continue
        if job.state is JobState.QUEUED and job.not_before <= now:
            found.append(job)
    return sorted(found, key=lambda job: (job.priority.rank, job.created_at, job.job_id))
