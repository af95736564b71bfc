"""CORS: which sites' pages may call with a key. Never with cookies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from daemon.api.context import CONTEXT

_EXPOSED = (
    "Location, Retry-After, Link, ETag, Repr-Digest, Content-Range, Content-Disposition, "
    "X-Request-Id"
)
_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, If-Range, Range, Last-Event-ID"
)
_METHODS = "GET, HEAD, POST, PATCH, DELETE"
_KEPT_S = "600"
_UNDER = "/v1/"


def allowed_origin(request: web.Request) -> str:
    """What may stand in Access-Control-Allow-Origin; empty for a site that was not named."""
    origin = request.headers.get("Origin", "")
    known = request.app[CONTEXT].settings.cors_origins
    if not origin or not request.path.startswith(_UNDER):
        return ""
    return "*" if "*" in known else origin if origin in known else ""


@web.middleware
async def preflights(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answers what browsers ask before a call; every other OPTIONS goes on."""
    asked = "Access-Control-Request-Method" in request.headers
    if request.method == "OPTIONS" and asked and allowed_origin(request):
        return web.Response(status=204, headers={
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": _KEPT_S,
        })  # fmt: skip
    return await handler(request)


async def mark(request: web.Request, response: web.StreamResponse) -> None:
    """Puts the headers on an answer, just before it goes out."""
    if request.app[CONTEXT].settings.cors_origins and request.path.startswith(_UNDER):
        response.headers.add("Vary", "Origin")
    origin = allowed_origin(request)
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
