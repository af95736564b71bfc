"""Events of a job as Server-Sent Events; the id of each is the job's revision.

An event is the job as it then stood, so whoever comes back with Last-Event-ID gets the newest
one at once, and nothing that is older than what it saw. The last event is `done`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from daemon.api.asking import visible_job
from daemon.api.callers import ACCESS, find_caller
from daemon.api.context import CONTEXT, TURNSTILES, ApiContext
from daemon.api.credentials import shown_by
from daemon.api.problems import Overloaded
from daemon.api.refusals import KeyMissing
from daemon.api.telling import resource
from daemon.database import DatabaseUnavailable
from daemon.jobs import Job
from daemon.records import find_job
from renderer.errors import UsageError

RETRY_MS = 2000
_Seen = tuple[str, int, int]
Say = Callable[[Job], str]
"""The data of the event that tells of a job."""


async def job_events(request: web.Request) -> web.StreamResponse:
    """`GET /v1/jobs/{job_id}/events`."""
    return await stream_job(request, lambda job: resource(job).model_dump_json())


async def stream_job(request: web.Request, say: Say) -> web.StreamResponse:
    """The events of the job in the path, each told by `say`. Raises NotFound, Overloaded."""
    job = await visible_job(request)
    last = _last_seen(request)
    if job.state.is_final and last >= job.rev:
        return web.Response(status=204)  # tells an EventSource not to come back
    with room_for_stream(request) as stream:
        return await _told(request, stream, job, last, say)


@contextmanager
def room_for_stream(request: web.Request) -> Iterator[EventSourceResponse]:
    """A stream that is counted while it is open. Raises Overloaded when there are too many."""
    settings, turnstiles = request.app[CONTEXT].settings, request.app[TURNSTILES]
    if turnstiles.streams >= settings.streams:
        raise Overloaded("too many event streams are open", hint="ask for the job itself")
    turnstiles.streams += 1
    try:
        yield EventSourceResponse(
            ping_interval=settings.ping_s, send_timeout=settings.stall_s, sep="\n"
        )
    finally:
        turnstiles.streams -= 1


async def _told(
    request: web.Request, stream: EventSourceResponse, job: Job, last: int, say: Say
) -> web.StreamResponse:
    settings, closing = request.app[CONTEXT].settings, request.app[TURNSTILES].closing
    await stream.prepare(request)
    seen: _Seen | None = None
    clock = asyncio.get_running_loop().time
    looked_at = clock()
    async with stream:
        while not closing.is_set() and stream.is_connected():
            if job.rev > last:
                last = job.rev
                await _send(stream, job, say)
            if job.state.is_final:
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(closing.wait(), settings.poll_s)
            seen, found = await asyncio.to_thread(_news, request.app[CONTEXT], job.job_id, seen)
            job = found or job
            if clock() - looked_at >= settings.ping_s:
                looked_at = clock()
                if not await _still_knows(request):
                    break
    return stream


async def _still_knows(request: web.Request) -> bool:
    """Whether who listens may still come in: keys are revoked and accounts disabled meanwhile."""
    access = request.app[ACCESS]
    try:
        await asyncio.to_thread(
            find_caller, shown_by(request), access.accounts, access.settings, now=access.clock()
        )
    except KeyMissing:
        return False
    except DatabaseUnavailable:
        return True  # it came in, and nothing is known against it
    return True


async def _send(stream: EventSourceResponse, job: Job, say: Say) -> None:
    event = "done" if job.state.is_final else "progress"
    await stream.send(say(job), id=str(job.rev), event=event, retry=RETRY_MS)


def _news(context: ApiContext, job_id: str, seen: _Seen | None) -> tuple[_Seen | None, Job | None]:
    """The job, if a record of it has changed since `seen`."""
    places = context.places
    for path in (places.status(job_id), places.receipt(job_id), places.submitted(job_id)):
        found = context.fs.stat(path)
        if found is None:
            continue
        now = (str(path), found.st_ino, found.st_mtime_ns)
        if now == seen:
            return seen, None
        try:
            return now, find_job(context.fs, places, job_id)
        except (UsageError, FileNotFoundError):
            return seen, None  # between two of its records
    return seen, None


def _last_seen(request: web.Request) -> int:
    text = request.headers.get("Last-Event-ID", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1
