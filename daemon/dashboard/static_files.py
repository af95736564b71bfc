"""Scripts and styles of the pages, from the package itself; and where there is no page at all."""

from __future__ import annotations

from aiohttp import web

from daemon.api.problems import NotFound
from daemon.dashboard.drawing import HEADERS, file_bytes
from daemon.dashboard.page_route import PageRoute

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FILES = frozenset(
    {"dashboard.css", "dashboard.js", "htmx.min.js", "htmx-sse.min.js", "mark.svg", "upload.js"}
)
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}


async def static_file(request: web.Request) -> web.Response:
    """`GET /ui/static/{name}`."""
    name = request.match_info["name"]
    if name not in _FILES:
        raise NotFound("the pages have no such file")
    return web.Response(
        body=file_bytes(name), content_type=_TYPES[name.rpartition(".")[2]], charset="utf-8",
        headers={**HEADERS, **_KEPT},
    )  # fmt: skip


async def nowhere(request: web.Request) -> web.Response:
    """`GET /ui/...`: an address that no page has."""
    raise NotFound("there is no such page", hint="the bar at the top leads to those there are")


STATIC_PAGES = (
    PageRoute(
        method="GET", path="/ui/static/{name}", handler=static_file, scope=None, asks_nobody=True
    ),
    PageRoute(method="GET", path="/ui{rest:(/.*)?}", handler=nowhere, scope=None),
)
