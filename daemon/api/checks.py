"""Checks a document without making a job of it."""

from __future__ import annotations

from aiohttp import web

from daemon.api.asking import NoQuery, loaded_of, query_of
from daemon.api.models import Checked
from daemon.api.telling import answer


async def check_document(request: web.Request) -> web.Response:
    """`POST /v1/check`: valid, or everything that is wrong with it."""
    query_of(request, NoQuery)
    _, _, loaded = await loaded_of(request)
    told = Checked(valid=True, id=loaded.id, kind=str(loaded.spec.kind), spec_digest=loaded.digest)
    return answer(told)
