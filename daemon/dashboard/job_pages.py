"""Pages of jobs: the list, one job with its pictures, retry and cancel."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

from aiohttp import web

from daemon.api.asking import visible_job
from daemon.api.callers import CALLER, Scope
from daemon.api.context import CONTEXT
from daemon.api.jobs import cancel_job, retry_job
from daemon.api.problems import NotFound
from daemon.api.telling import resource
from daemon.dashboard.drawing import HEADERS, page, see
from daemon.dashboard.job_facts import (
    BundleFacts,
    bundle_of,
    lineage_of,
    segments_in,
    view_of,
)
from daemon.dashboard.job_rows import FILTERS, filled_in, link_of, rows_of, title_of
from daemon.dashboard.page_route import PageRoute
from daemon.jobs import JobState
from renderer.errors import ReelkilnError

_NOTES = {
    "cancel": "It was asked to end, and will soon.",
    "same": "The same was asked for before: this is that job.",
    "retry": "It was handed in anew, as this job.",
}


async def jobs_page(request: web.Request) -> web.Response:
    """`GET /ui/jobs`: the list, newest first."""
    fields, cursor = filled_in(request), request.query.get("cursor", "")
    found = await rows_of(request, cursor=cursor)
    return page(
        request, "jobs.html", jobs=[(resource(job), title_of(job)) for job in found.jobs],
        fields={**dict.fromkeys(FILTERS, ""), **fields}, is_filtered=bool(fields),
        states=list(JobState), is_first=not cursor,
        here=f"/ui/jobs{link_of(fields)}",
        following=link_of(fields, cursor=found.cursor) if found.cursor else "",
        events=link_of(fields, newest=found.jobs[0].job_id if found.jobs else ""),
    )  # fmt: skip


async def job_page(request: web.Request) -> web.Response:
    """`GET /ui/jobs/{job_id}`: everything there is to say of a job."""
    job = await visible_job(request)
    context, caller = request.app[CONTEXT], request[CALLER]
    view = await asyncio.to_thread(view_of, context, job)
    found = await asyncio.to_thread(bundle_of, context, job)
    lineage = await asyncio.to_thread(lineage_of, context, job, caller)
    bundle = found if isinstance(found, BundleFacts) else None
    return page(
        request, "job.html", job=resource(job), title=title_of(job), attempt=job.attempt,
        note=_NOTES.get(request.query.get("told", ""), ""),
        view=view, segments=segments_in(view) if view else None,
        bundle=bundle, gone=found.as_json() if isinstance(found, ReelkilnError) else None,
        playing=_playing(request, bundle), has_lineage=bool(lineage),
        toolchain=json.dumps(bundle.manifest.toolchain, indent=2, sort_keys=True) if bundle else "",
        media=_media(bundle), may_render=caller.may(Scope.RENDER),
    )  # fmt: skip


async def timeline_picture(request: web.Request) -> web.Response:
    """`GET /ui/jobs/{job_id}/timeline.svg`."""
    job = await visible_job(request)
    view = await asyncio.to_thread(view_of, request.app[CONTEXT], job)
    return _svg(view.chart if view else "")


async def lineage_picture(request: web.Request) -> web.Response:
    """`GET /ui/jobs/{job_id}/lineage.svg`."""
    job = await visible_job(request)
    drawn = await asyncio.to_thread(lineage_of, request.app[CONTEXT], job, request[CALLER])
    return _svg(drawn)


async def cancel(request: web.Request) -> web.Response:
    """`POST /ui/jobs/{job_id}/cancel`: as the API does it."""
    await cancel_job(request)
    return see(request, f"/ui/jobs/{request.match_info['job_id']}?told=cancel")


async def retry(request: web.Request) -> web.Response:
    """`POST /ui/jobs/{job_id}/retry`: as the API does it, and on to the new job."""
    answer = await retry_job(request)
    return see(request, f"/ui/jobs/{json.loads(answer.text or '')['job_id']}?told=retry")


def _svg(drawn: str) -> web.Response:
    """A picture, inert wherever it is opened. Raises NotFound for none."""
    if not drawn:
        raise NotFound("there is no such picture", hint="it is drawn once the job has begun")
    policy = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    return web.Response(
        body=drawn.encode("utf-8", "replace"), content_type="image/svg+xml",
        headers={**HEADERS, **policy},
    )  # fmt: skip


def _playing(request: web.Request, bundle: BundleFacts | None) -> object:
    """The file in the player: the one that is asked for, else the first."""
    if bundle is None or not bundle.played:
        return None
    wanted = request.query.get("play", "")
    return next((row for row in bundle.played if row.path == wanted), bundle.played[0])


def _media(bundle: BundleFacts | None) -> list[dict[str, object]]:
    """What each film of a bundle is, in words."""
    if bundle is None:
        return []
    found = sorted(bundle.manifest.media.items())
    return [
        {"path": path, "seconds": f"{float(facts.duration):.2f}",
         "picture": asdict(facts.picture) if facts.picture else None,
         "sound": asdict(facts.sound) if facts.sound else None}
        for path, facts in found
    ]  # fmt: skip


_JOB = "/ui/jobs/{job_id}"
JOB_PAGES = (
    PageRoute(method="GET", path="/ui/jobs", handler=jobs_page, scope=Scope.READ, nav="Jobs"),
    PageRoute(method="GET", path=_JOB, handler=job_page, scope=Scope.READ),
    PageRoute(
        method="GET", path=f"{_JOB}/timeline.svg", handler=timeline_picture, scope=Scope.READ
    ),
    PageRoute(method="GET", path=f"{_JOB}/lineage.svg", handler=lineage_picture, scope=Scope.READ),
    PageRoute(method="POST", path=f"{_JOB}/cancel", handler=cancel, scope=Scope.RENDER),
    PageRoute(method="POST", path=f"{_JOB}/retry", handler=retry, scope=Scope.RENDER),
)
