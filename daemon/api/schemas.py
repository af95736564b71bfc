"""The published JSON Schemas."""

from __future__ import annotations

import json
from functools import cache

from aiohttp import web

from daemon.api.models import SchemaNames
from daemon.api.problems import NotFound
from daemon.api.telling import answer
from renderer.schemas import schemas

_ROOT = "/v1/schemas"
_KEPT = {"Cache-Control": "public, max-age=300"}


async def list_schemas(request: web.Request) -> web.Response:
    """`GET /v1/schemas`: which there are."""
    return answer(SchemaNames(schemas={name: f"{_ROOT}/{name}" for name in sorted(_texts())}))


async def show_schema(request: web.Request) -> web.Response:
    """`GET /v1/schemas/{name}`."""
    name = request.match_info["name"]
    text = _texts().get(name)
    if text is None:
        raise NotFound("no schema has this name", hint=f"{_ROOT} lists them")
    return web.Response(body=text, content_type="application/schema+json", headers=_KEPT)


@cache
def _texts() -> dict[str, bytes]:
    return {name: json.dumps(schema).encode() for name, schema in schemas().items()}
