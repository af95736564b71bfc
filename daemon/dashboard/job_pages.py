"""Pages of jobs: the list of them."""

from __future__ import annotations

from aiohttp import web

from daemon.api.callers import Scope
from daemon.dashboard.drawing import page
from daemon.dashboard.page_route import PageRoute


async def jobs_page(request: web.Request) -> web.Response:
    """`GET /ui/jobs`."""
    return page(request, "jobs.html")


JOB_PAGES = (
    PageRoute(method="GET", path="/ui/jobs", handler=jobs_page, scope=Scope.READ, nav="Jobs"),
)
