"""Jobs over HTTP: hand in, look at, list, cancel."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
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
from daemon.fs import replace_file
from daemon.index import Filters
from daemon.index.database import IndexUnavailable
from daemon.jobs import IllegalMove, Job, JobState
from daemon.logs import logger
from daemon.needs import Blocked, checked, needs_of
from daemon.records import find_job
from daemon.references import unkept
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
    if caller.world not in ("", query.world):
        raise ScopeMissing(f"this key works in the world {caller.world} alone")

    async def submit(job_id: str, is_resumed: bool) -> web.Response:
        await asyncio.to_thread(request.app[ROOM].take)
        job = await asyncio.to_thread(
            _submit, context, data, suffix, loaded, query, caller, job_id, is_resumed
        )
        headers = {"Location": job_path(job.job_id), "Retry-After": RETRY_AFTER_S}
        return answer(resource(job), status=202, headers=headers)

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


def _submit(
    context: ApiContext, data: bytes, suffix: str, loaded: Loaded, query: SubmitQuery,
    caller: Caller, job_id: str, is_resumed: bool,
) -> Job:  # fmt: skip
    if is_resumed:
        try:
            return find_job(context.fs, context.places, job_id)
        except UsageError:
            pass  # the request that came first did not get that far
    job_id = job_id or context.submissions.new_id()
    waits_for, promised = _promises(context, loaded, Job(
        job_id=job_id, name="", state=JobState.QUEUED, owner=caller.owner, world=query.world
    ))  # fmt: skip
    try:
        job = context.submissions.submit(
            data,
            suffix=suffix,
            priority=query.priority,
            owner=caller.owner,
            world=query.world,
            job_id=job_id,
            waits_for=waits_for,
            promised=promised,
        )
    except OSError as error:
        if error.errno in FULL or error.errno == errno.EDQUOT:
            raise StorageFull("no room for the job", hint="try again later") from error
        raise
    if context.references is not None and promised:
        context.references.promises.promise(job, needs_of(loaded).makes)
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
