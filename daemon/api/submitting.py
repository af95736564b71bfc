"""A document becomes a job, or is found to be one already."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from aiohttp import web

from daemon.api.callers import CALLER
from daemon.api.context import CONTEXT, TURNSTILES, ApiContext
from daemon.api.idempotency import once
from daemon.api.rates import ROOM, QueueRoom
from daemon.api.reuse import same_job, will_do
from daemon.api.telling import answer, job_path, resource
from daemon.assets.requesting import request_of
from daemon.catalog.requests import Request
from daemon.child.needs import Blocked, checked, needs_of
from daemon.index.database import IndexUnavailable
from daemon.jobs import Job, JobState, Priority
from daemon.logs import logger
from daemon.promises.references import unkept
from daemon.records import find_job
from daemon.submissions import About
from renderer.disk import FULL
from renderer.errors import StorageFull, UsageError
from renderer.spec.loading import Loaded

RETRY_AFTER_S = "2"
_log = logger("api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A document to be rendered for `owner` in `world`.

    `fresh` wants a new job whatever there is, `finished` is content with one that has succeeded.
    A document that tells what it is made from is the same only when that is the same too.
    """

    document: bytes
    suffix: str
    priority: Priority
    owner: str
    world: str
    about: About
    fresh: bool = False
    finished: bool = True
    loaded: Loaded | None = None


async def hand_in(request: web.Request, wish: Wish) -> web.Response:
    """The answer to a wish: 202 with a job that goes on, 200 with one that is done."""
    context = request.app[CONTEXT]

    async def submit(job_id: str, is_resumed: bool) -> web.Response:
        if is_resumed:
            made = await asyncio.to_thread(_made_before, context, job_id)
            if made is not None:
                return told(made)
        locks = request.app[TURNSTILES].same
        async with locks[hash(wish.about.spec_digest) % len(locks)]:
            put = partial(_submit, context, request.app[ROOM], wish, job_id)
            job = await asyncio.to_thread(_once, context, wish, job_id, put)
            if job.promised and not job.state.is_final:
                await asyncio.to_thread(_promise, context, job, wish)
            return told(job)

    return await once(
        request, wish.document, submit, caller=request[CALLER],
        records=context.access.accounts.idempotency, new_id=context.submissions.new_id,
        now=context.clock(),
    )  # fmt: skip


def told(job: Job) -> web.Response:
    """The job, with where to look for it and when."""
    headers = {"Location": job_path(job.job_id)}
    if job.state.is_final:
        return answer(resource(job), headers=headers)
    return answer(resource(job), status=202, headers={**headers, "Retry-After": RETRY_AFTER_S})


def index_job(context: ApiContext, job: Job) -> None:
    """Tell the index of a job; when it does not answer, lists lag behind."""
    try:
        context.index.put(job)
    except IndexUnavailable as error:
        _log.warning("the index is behind", job_id=job.job_id, error=str(error))


def _once(context: ApiContext, wish: Wish, job_id: str, put: Callable[[], Job]) -> Job:
    """The job that makes a new one needless, else the one that `put` makes: see `reuse`."""
    asked = _request(context, wish, job_id)
    if asked is None:
        digest, finished = wish.about.spec_digest, wish.finished
        there = not wish.fresh and same_job(
            context, digest, wish.owner, wish.world, finished=finished
        )
        return there or put()
    made: list[Job] = []
    requests = context.assets.catalog.requests
    last = None if wish.fresh else requests.latest(asked)
    # Sources may have to be read, and nobody else writes while a request is taken in.
    good = last is not None and will_do(context, last)

    def is_wanted(known: str) -> bool:
        if wish.fresh:
            return False
        return (good and known == last) or will_do(context, known, finished=False)

    found = requests.once(asked, is_wanted=is_wanted, submit=lambda: made.append(put()))
    return made[0] if made else find_job(context.fs, context.places, found)


def _request(context: ApiContext, wish: Wish, job_id: str) -> Request | None:
    if wish.loaded is None:
        return None
    return request_of(
        wish.loaded, job_id=job_id, owner=wish.owner, world=wish.world, created_at=context.clock()
    )


def _made_before(context: ApiContext, job_id: str) -> Job | None:
    """The job of the request that came first; None when that did not get so far."""
    try:
        return find_job(context.fs, context.places, job_id)
    except UsageError:
        return None


def _submit(context: ApiContext, room: QueueRoom, wish: Wish, job_id: str) -> Job:
    room.take()
    job_id = job_id or context.submissions.new_id()
    about = _with_promises(context, wish, job_id)
    try:
        job = context.submissions.submit(
            wish.document,
            suffix=wish.suffix,
            priority=wish.priority,
            owner=wish.owner,
            world=wish.world,
            job_id=job_id,
            about=about,
        )
    except OSError as error:
        if error.errno in FULL or error.errno == errno.EDQUOT:
            raise StorageFull("no room for the job", hint="try again later") from error
        raise
    index_job(context, job)
    return job


def _with_promises(context: ApiContext, wish: Wish, job_id: str) -> About:
    """What the job is going to wait for, and the assets that it will make.

    Raises PromiseFailed for what will never be there, was never promised, or is a circle.
    """
    needs = needs_of(wish.loaded) if wish.loaded is not None else None
    if wish.loaded is None or not needs:
        return wish.about
    job = Job(
        job_id=job_id, name="", state=JobState.QUEUED, owner=wish.owner, world=wish.world
    )  # fmt: skip
    references = context.reading.references
    supply = references.supply(job, needs)
    with suppress(Blocked):
        checked(wish.loaded, supply)
    names = references.promises.names(job_id, needs.makes)
    return replace(wish.about, waits_for=unkept(supply.found), promised=names)


def _promise(context: ApiContext, job: Job, wish: Wish) -> None:
    """The assets that a job is going to make are pending; the job itself would say so later.

    Not while its request is being kept: a database may have one writer at a time.
    """
    if wish.loaded is not None:
        context.reading.references.promises.promise(job, needs_of(wish.loaded).makes)
