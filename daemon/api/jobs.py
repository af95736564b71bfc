"""Jobs over HTTP: hand in, look at, list, cancel."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from daemon.api.asking import JobQuery, SubmitQuery, loaded_of, query_of, seconds_of, visible_job
from daemon.api.callers import CALLER, Caller
from daemon.api.context import CONTEXT, ApiContext
from daemon.api.idempotency import once
from daemon.api.models import JobPage
from daemon.api.rates import ROOM
from daemon.api.refusals import ScopeMissing
from daemon.api.telling import answer, job_path, resource
from daemon.catalog.requests import Request
from daemon.fs import replace_file
from daemon.index import Filters
from daemon.index.database import IndexUnavailable
from daemon.jobs import IllegalMove, Job, JobState, Priority
from daemon.logs import logger
from daemon.needs import Blocked, checked, needs_of
from daemon.records import find_job
from daemon.references import unkept
from daemon.requesting import check_references, request_of
from renderer.disk import FULL
from renderer.errors import StorageFull, UsageError
from renderer.spec.loading import Loaded

RETRY_AFTER_S = "2"
_log = logger("api")


async def create_job(request: web.Request) -> web.Response:
    """`POST /v1/jobs`: a valid document becomes a drop; durable before the answer."""
    query = query_of(request, SubmitQuery)
    data, suffix, loaded = await loaded_of(request)
    context, caller = request.app[CONTEXT], request[CALLER]
    world = _world(query.world, loaded)
    if caller.world not in ("", world):
        raise ScopeMissing(f"this key works in the world {caller.world} alone")
    await asyncio.to_thread(
        check_references, loaded, context.assets.catalog, caller.owner, world=world
    )

    async def submit(job_id: str, is_resumed: bool) -> web.Response:
        await asyncio.to_thread(request.app[ROOM].take)
        put = partial(_submit, context, data, suffix, loaded, query.priority, caller.owner, world)
        asked = partial(request_of, loaded, owner=caller.owner, world=world)
        job, is_new = await asyncio.to_thread(_once, context, put, asked, job_id, is_resumed)
        await asyncio.to_thread(_promise, context, job, loaded)
        headers = {"Location": job_path(job.job_id), "Retry-After": RETRY_AFTER_S}
        return answer(resource(job), status=202 if is_new else 200, headers=headers)

    return await once(
        request, data, submit, caller=caller, records=context.access.accounts.idempotency,
        new_id=context.submissions.new_id, now=context.clock(),
    )  # fmt: skip


async def show_job(request: web.Request) -> web.Response:
    """`GET /v1/jobs/{job_id}`."""
    job = await visible_job(request)
    headers = {} if job.state.is_final else {"Retry-After": RETRY_AFTER_S}
    return answer(resource(job), headers=headers)


async def list_jobs(request: web.Request) -> web.Response:
    """`GET /v1/jobs`: a page, newest first, with a Link to the next."""
    query = query_of(request, JobQuery)
    filters = _filters(query, request[CALLER])
    page = await asyncio.to_thread(
        request.app[CONTEXT].index.page, filters, cursor=query.cursor, limit=query.limit
    )
    jobs = [resource(job) for job in page.jobs]
    headers = {"Link": f'<{_next(query, page.cursor)}>; rel="next"'} if page.cursor else {}
    return answer(JobPage(jobs=jobs, cursor=page.cursor or None), headers=headers)


async def cancel_job(request: web.Request) -> web.Response:
    """`POST /v1/jobs/{job_id}/cancel`: the wish is durable, the daemon grants it soon."""
    job = await visible_job(request)
    if job.state.is_final:
        raise IllegalMove(job.job_id, job.state, JobState.CANCELLED)
    await asyncio.to_thread(_wish, request.app[CONTEXT], job)
    headers = {"Location": job_path(job.job_id), "Retry-After": RETRY_AFTER_S}
    return answer(resource(job), status=202, headers=headers)


def _world(asked: str, loaded: Loaded) -> str:
    """The world of a request. Raises UsageError when it names two."""
    own = loaded.spec.provenance.world if loaded.spec.provenance else None
    if own and asked not in ("", own):
        raise UsageError(
            f"the document belongs to the world {own}, and the query says {asked}",
            hint="leave one of them out",
        )
    return own or asked


def _once(
    context: ApiContext, put: Callable[[str], Job], asked: Callable[..., Request | None],
    job_id: str, is_resumed: bool,
) -> tuple[Job, bool]:  # fmt: skip
    """The job of a request, and whether it is new: one that tells what it is made from is done
    once, whoever asks again."""
    if is_resumed:
        try:
            return find_job(context.fs, context.places, job_id), True
        except UsageError:
            pass  # the request that came first did not get that far
    asking = asked(job_id=job_id, created_at=context.clock())
    if asking is None:
        return put(job_id), True
    made: list[Job] = []
    found = context.assets.catalog.requests.once(
        asking, is_wanted=partial(_is_wanted, context), submit=lambda: made.append(put(job_id))
    )
    return (made[0], True) if made else (find_job(context.fs, context.places, found), False)


def _is_wanted(context: ApiContext, job_id: str) -> bool:
    """Whether a job will do for another request like its own: it went well, or still may."""
    try:
        job = find_job(context.fs, context.places, job_id)
    except (UsageError, FileNotFoundError):
        return False
    return job.state not in (JobState.FAILED, JobState.CANCELLED)


def _submit(
    context: ApiContext, data: bytes, suffix: str, loaded: Loaded, priority: Priority,
    owner: str, world: str, job_id: str,
) -> Job:  # fmt: skip
    job_id = job_id or context.submissions.new_id()
    waits_for, promised = _promises(context, loaded, Job(
        job_id=job_id, name="", state=JobState.QUEUED, owner=owner, world=world
    ))  # fmt: skip
    try:
        job = context.submissions.submit(
            data,
            suffix=suffix,
            priority=priority,
            owner=owner,
            world=world,
            job_id=job_id,
            waits_for=waits_for,
            promised=promised,
        )
    except OSError as error:
        if error.errno in FULL or error.errno == errno.EDQUOT:
            raise StorageFull("no room for the job", hint="try again later") from error
        raise
    try:
        context.index.put(job)
    except IndexUnavailable as error:  # the job is safe in the inbox; lists lag behind
        _log.warning("the index is behind", job_id=job.job_id, error=str(error))
    return job


def _promises(
    context: ApiContext, loaded: Loaded, job: Job
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """What a job is going to wait for, and the assets that it will make.

    Raises PromiseFailed for what will never be there, was never promised, or is a circle.
    """
    needs = needs_of(loaded)
    if context.references is None or not needs:
        return (), {}
    supply = context.references.supply(job, needs)
    with suppress(Blocked):
        checked(loaded, supply)
    return unkept(supply.found), context.references.promises.names(job.job_id, needs.makes)


def _promise(context: ApiContext, job: Job, loaded: Loaded) -> None:
    """The assets that a job is going to make are pending; the job itself would say so later.

    Not while its request is being kept: a database may have one writer at a time.
    """
    if context.references is not None and job.promised and not job.state.is_final:
        context.references.promises.promise(job, needs_of(loaded).makes)


def _wish(context: ApiContext, job: Job) -> None:
    folder = context.places.own("cancel")
    context.fs.make_folder(folder)
    replace_file(context.fs, folder / job.job_id, b"", context.nonce())


def _filters(query: JobQuery, caller: Caller) -> Filters:
    """What was asked for, within what the caller may see."""
    if query.owner not in (None, caller.owner) and not caller.sees_all:
        raise ScopeMissing("only an admin asks for the jobs of others")
    return Filters(
        state=query.status, kind=query.kind, name=query.name,
        owner=query.owner if caller.sees_all else caller.owner,
        spec_sha256=query.spec_sha256,
        created_from=seconds_of(query.created_from),
        created_before=seconds_of(query.created_before),
    )  # fmt: skip


def _next(query: JobQuery, cursor: str) -> str:
    asked = query.model_dump(mode="python", exclude_unset=True) | {"cursor": cursor}
    plain = {name: value.isoformat() if isinstance(value, datetime) else str(value)
             for name, value in sorted(asked.items())}  # fmt: skip
    return f"/v1/jobs?{urlencode(plain)}"
