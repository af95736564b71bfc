"""Live pieces of pages as Server-Sent Events: rows of the list, the state of a job."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from daemon.api.callers import Scope
from daemon.api.context import CONTEXT, TURNSTILES
from daemon.api.events import RETRY_MS, room_for_stream, stream_job
from daemon.api.telling import resource
from daemon.dashboard.drawing import drawn
from daemon.dashboard.job_rows import rows_of, title_of
from daemon.dashboard.page_route import PageRoute
from daemon.index import Page
from daemon.logs import logger
from renderer.errors import ReelkilnError

_log = logger("dashboard")
_LOOKS_S = 0.5
_LONGEST_S = 60.0  # then the browser comes back, and shows anew who it is


async def job_events(request: web.Request) -> web.StreamResponse:
    """`GET /ui/jobs/{job_id}/events`: `progress`, then `done`; each is a piece of the page."""
    return await stream_job(request, lambda job: drawn(request, "job_state.html",
                                                       job=resource(job)))  # fmt: skip


async def list_events(request: web.Request) -> web.StreamResponse:
    """`GET /ui/jobs/events`: a row under the id of its job, `fresh` when there are other jobs."""
    found = await rows_of(request)
    with room_for_stream(request) as stream:
        await stream.prepare(request)
        async with stream:
            try:
                await _follow(request, stream, found)
            except ReelkilnError as error:  # the browser comes back, and hears of it then
                _log.warning("a list is not followed any more", error=str(error))
    return stream


async def _follow(request: web.Request, stream: EventSourceResponse, found: Page) -> None:
    closing = request.app[TURNSTILES].closing
    wait_s = max(_LOOKS_S, request.app[CONTEXT].settings.poll_s)
    newest, seen = request.query.get("newest", ""), _unfinished_unseen(found)
    loop = asyncio.get_running_loop()
    until = loop.time() + _LONGEST_S
    while not closing.is_set() and stream.is_connected() and loop.time() < until:
        if found.jobs and found.jobs[0].job_id != newest:
            newest = found.jobs[0].job_id
            await stream.send("", event="fresh", retry=RETRY_MS)
        for job in found.jobs:
            if seen.get(job.job_id, -1) < job.rev:
                row = drawn(request, "job_row.html", job=resource(job),
                            title=title_of(job), is_live=True)  # fmt: skip
                await stream.send(row, event=job.job_id, retry=RETRY_MS)
        seen = {job.job_id: job.rev for job in found.jobs}
        with suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), wait_s)
        found = await rows_of(request)


def _unfinished_unseen(found: Page) -> Mapping[str, int]:
    """What the page shows for sure: those that had ended. The others may have gone on since."""
    return {job.job_id: job.rev for job in found.jobs if job.state.is_final}


JOB_STREAMS = (
    PageRoute(method="GET", path="/ui/jobs/events", handler=list_events, scope=Scope.READ),
    PageRoute(method="GET", path="/ui/jobs/{job_id}/events", handler=job_events, scope=Scope.READ),
)
