"""Jobs over HTTP: hand in, look at, list, cancel."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from urllib.parse import urlencode

from aiohttp import web

from daemon.api.asking import (
    JobQuery,
    SubmitQuery,
    document_of,
    judged,
    query_of,
    seconds_of,
    visible_job,
    visible_record,
)
from daemon.api.callers import CALLER, Caller
from daemon.api.context import CONTEXT, ApiContext
from daemon.api.problems import NotRetryable
from daemon.api.refusals import ScopeMissing
from daemon.api.submitting import RETRY_AFTER_S, Wish, hand_in
from daemon.api.telling import answer, job_path, resource
from daemon.assets.requesting import check_references
from daemon.fs import replace_file
from daemon.index import Filters
from daemon.jobs import IllegalMove, Job, JobState, job_of, remembered
from daemon.retrying import failed_document
from daemon.submissions import About, suffix_of
from renderer.errors import UsageError
from renderer.spec.loading import Loaded


async def create_job(request: web.Request) -> web.Response:
    """`POST /v1/jobs`: a valid document becomes a drop; durable before the answer."""
    query = query_of(request, SubmitQuery)
    return await submitted(request, query, *await document_of(request))


async def submitted(
    request: web.Request, query: SubmitQuery, data: bytes, suffix: str
) -> web.Response:
    """The answer to a document: the job that it became, or was already.

    Raises SpecInvalid with every fault and its position, and as `check_references`.
    """
    context, caller = request.app[CONTEXT], request[CALLER]

    def wish(loaded: Loaded) -> Wish:
        world = _world(_told_world(query.world, loaded), caller) or ""
        return Wish(
            document=data, suffix=suffix, priority=query.priority, owner=caller.owner,
            world=world, fresh=query.fresh, loaded=loaded,
            about=_about(context, loaded, caller.owner, world),
        )  # fmt: skip

    return await hand_in(request, await judged(request, data, suffix, wish))


async def retry_job(request: web.Request) -> web.Response:
    """`POST /v1/jobs/{job_id}/retry`: the bytes of a failed job anew, for whom it was."""
    job = await visible_job(request)
    context = request.app[CONTEXT]
    if job.state is not JobState.FAILED:
        raise IllegalMove(job.job_id, job.state, JobState.QUEUED)
    try:
        document = await asyncio.to_thread(failed_document, context.fs, context.places, job)
    except UsageError as error:
        raise NotRetryable(error.message, hint=error.hint) from error
    return await hand_in(request, Wish(
        document=document, suffix=suffix_of(job.name), priority=job.priority, owner=job.owner,
        world=job.world, finished=False, fresh=not job.spec_digest,
        about=About(kind=job.kind, spec_digest=job.spec_digest, retry_of=job.job_id),
    ))  # fmt: skip


async def show_job(request: web.Request) -> web.Response:
    """`GET /v1/jobs/{job_id}`."""
    record = await visible_record(request)
    headers = {} if record.job.state.is_final else {"Retry-After": RETRY_AFTER_S}
    body = _told(record.document).encode()
    return web.Response(body=body, content_type="application/json", headers=headers)


async def list_jobs(request: web.Request) -> web.Response:
    """`GET /v1/jobs`: a page, newest first, with a Link to the next."""
    query = query_of(request, JobQuery)
    filters = filters_of(query, request[CALLER])
    body, cursor = await asyncio.to_thread(_page, request.app[CONTEXT], query, filters)
    headers = {"Link": f'<{_next(query, cursor)}>; rel="next"'} if cursor else {}
    return web.Response(body=body, content_type="application/json", headers=headers)


async def cancel_job(request: web.Request) -> web.Response:
    """`POST /v1/jobs/{job_id}/cancel`: the wish is durable, the daemon grants it soon."""
    job = await visible_job(request)
    if job.state.is_final:
        raise IllegalMove(job.job_id, job.state, JobState.CANCELLED)
    await asyncio.to_thread(_wish, request.app[CONTEXT], job)
    headers = {"Location": job_path(job.job_id), "Retry-After": RETRY_AFTER_S}
    return answer(resource(job), status=202, headers=headers)


def _about(context: ApiContext, loaded: Loaded, owner: str, world: str) -> About:
    """What a document says of itself, when it may. Raises as `check_references`."""
    check_references(loaded, context.assets.catalog, owner, world=world)
    return About(kind=str(loaded.spec.kind), spec_digest=loaded.digest)


def _page(context: ApiContext, query: JobQuery, filters: Filters) -> tuple[bytes, str]:
    """A `JobPage` as JSON, and the cursor after it: made where others need not wait for it."""
    page = context.index.records(filters, cursor=query.cursor, limit=query.limit)
    jobs = ",".join(map(_told, page.documents))
    cursor = json.dumps(page.cursor or None)
    return f'{{"jobs":[{jobs}],"cursor":{cursor}}}'.encode(), page.cursor


@remembered
def _told(document: str | bytes) -> str:
    """A job as JSON, from its record: clients ask for the same ones again and again."""
    return resource(job_of(document)).model_dump_json()


def _told_world(asked: str | None, loaded: Loaded) -> str | None:
    """The world of a request. Raises UsageError when it names two."""
    own = loaded.spec.provenance.world if loaded.spec.provenance else None
    if own and asked and asked != own:
        raise UsageError(
            f"the document belongs to the world {own}, and the query says {asked}",
            hint="leave one of them out",
        )
    return own or asked


def _wish(context: ApiContext, job: Job) -> None:
    folder = context.places.own("cancel")
    context.fs.make_folder(folder)
    replace_file(context.fs, folder / job.job_id, b"", context.nonce())


def filters_of(query: JobQuery, caller: Caller) -> Filters:
    """What was asked for, within what the caller may see."""
    if query.owner not in (None, caller.owner) and not caller.sees_all:
        raise ScopeMissing("only an admin asks for the jobs of others")
    return Filters(
        state=query.status, kind=query.kind, name=query.name,
        owner=query.owner if caller.sees_all else caller.owner,
        world=_world(query.world, caller),
        spec_sha256=query.spec_sha256, spec_digest=query.spec_digest,
        input_hash=query.input_hash,
        created_from=seconds_of(query.created_from),
        created_before=seconds_of(query.created_before),
    )  # fmt: skip


def _world(asked: str | None, caller: Caller) -> str | None:
    """The world that is meant: a key that works in one works there unless it asks for more."""
    if caller.world and (asked or caller.world) != caller.world:
        raise ScopeMissing(f"this key works in the world {caller.world} alone")
    return caller.world or asked


def _next(query: JobQuery, cursor: str) -> str:
    asked = query.model_dump(mode="python", exclude_unset=True) | {"cursor": cursor}
    plain = {name: value.isoformat() if isinstance(value, datetime) else str(value)
             for name, value in sorted(asked.items())}  # fmt: skip
    return f"/v1/jobs?{urlencode(plain)}"
