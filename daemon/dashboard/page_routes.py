"""The one table of pages, and how they come onto the API's server."""

from __future__ import annotations

from aiohttp import web

from daemon.dashboard.drawing import NAV
from daemon.dashboard.job_pages import JOB_PAGES
from daemon.dashboard.job_streams import JOB_STREAMS
from daemon.dashboard.page_route import PageRoute, entered
from daemon.dashboard.session_pages import SESSION_PAGES
from daemon.dashboard.static_files import STATIC_PAGES
from daemon.dashboard.submit_pages import SUBMIT_PAGES

PAGES: tuple[PageRoute, ...] = (
    *JOB_STREAMS, *JOB_PAGES, *SUBMIT_PAGES, *SESSION_PAGES, *STATIC_PAGES,
)  # fmt: skip
"""Every page there is; those with a name for the bar stand in its order."""


def furnish(app: web.Application) -> None:
    """Add the pages to the API's application."""
    app[NAV] = tuple((page.nav, page.path) for page in PAGES if page.nav)
    for page in PAGES:
        resource = app.router.add_resource(page.path)
        for method in ("GET", "HEAD") if page.method == "GET" else (page.method,):
            resource.add_route(method, entered(page))
