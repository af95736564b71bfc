"""`/openapi.json`, and `/docs`: a page that shows it, from this server alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from aiohttp import web

from daemon.api.context import DESCRIPTION
from daemon.api.problems import NotFound

_FOLDER = Path(__file__).parent / "swagger_ui"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_PAGE = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Reelkiln API</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
"""
_START = b"""window.onload = () => SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#page", validatorUrl: null, deepLinking: true,
});
"""
_TYPES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "start.js": "text/javascript",
}
_KEPT = {"Cache-Control": "public, max-age=3600"}


async def openapi_document(request: web.Request) -> web.Response:
    """`GET /openapi.json`."""
    return web.Response(body=request.app[DESCRIPTION], content_type="application/json")


async def docs_page(request: web.Request) -> web.Response:
    """`GET /docs`."""
    headers = {"Content-Security-Policy": _POLICY}
    return web.Response(body=_PAGE, content_type="text/html", charset="utf-8", headers=headers)


async def docs_file(request: web.Request) -> web.Response:
    """`GET /docs/{file}`: what the page needs."""
    name = request.match_info["file"]
    if name not in _TYPES:
        raise NotFound("the page has no such file")
    return web.Response(
        body=_bytes(name), content_type=_TYPES[name], charset="utf-8", headers=_KEPT
    )


@cache
def _bytes(name: str) -> bytes:
    return _START if name == "start.js" else (_FOLDER / name).read_bytes()
