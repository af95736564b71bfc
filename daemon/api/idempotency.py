"""`Idempotency-Key` over HTTP: what was asked once is done once, and answered the same twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from hashlib import sha256

from aiohttp import web

from daemon.accounts.idempotency import Begun, Idempotency, idempotency_key
from daemon.accounts.refusals import IdempotencyKeyUnfit
from daemon.api.callers import Caller
from renderer.errors import ReelkilnError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEPT_HEADERS = ("Content-Type", "Location", "Retry-After")
_SERVER_ERROR = 500

Perform = Callable[[str, bool], Awaitable[web.Response]]
"""Does what is asked, for a job of that id. With True an earlier request may have made the job
before it died: look for it first."""


async def once(
    request: web.Request,
    body: bytes,
    perform: Perform,
    *,
    caller: Caller,
    records: Idempotency,
    new_id: Callable[[], str],
    now: float,
) -> web.Response:
    """The answer to a request that may come twice.

    Raises IdempotencyKeyUnfit, IdempotencyInFlight, IdempotencyKeyReused and what `perform` does.
    """
    keys = request.headers.getall(HEADER, [])
    if not keys:
        return await perform(new_id(), False)
    if len(keys) > 1:
        raise IdempotencyKeyUnfit(f"{HEADER} is there twice", hint="send it once")
    begun = await asyncio.to_thread(
        records.begin,
        f"{caller.identity}\n{caller.owner}",
        idempotency_key(keys[0]),
        request_digest=_digest(request, body),
        job_id=new_id(),
        now=now,
    )
    if not isinstance(begun, Begun):
        return _unpacked(begun.response)
    return await _performed(begun, perform, records)


async def _performed(begun: Begun, perform: Perform, records: Idempotency) -> web.Response:
    try:
        response = await perform(begun.job_id, begun.is_resumed)
    except ReelkilnError as error:
        # What was refused was not done, and may be sent again, corrected. Who failed in the
        # middle may have made the job: the next attempt looks for it under the same id.
        refused = error.http_status < _SERVER_ERROR
        await asyncio.to_thread(records.abandon if refused else records.release, begun)
        raise
    except Exception:
        await asyncio.to_thread(records.release, begun)
        raise
    await asyncio.to_thread(records.finish, begun, _packed(response))
    return response


def _digest(request: web.Request, body: bytes) -> str:
    asked = json.dumps([request.method, request.path_qs, request.content_type])
    return sha256(asked.encode() + b"\n" + sha256(body).digest()).hexdigest()


def _packed(response: web.Response) -> bytes:
    body = response.body
    if not isinstance(body, bytes | bytearray):
        raise TypeError("only an answer in memory can be given again")
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    head = json.dumps({"status": response.status, "headers": headers})
    return head.encode() + b"\n" + bytes(body)


def _unpacked(data: bytes) -> web.Response:
    head, _, body = data.partition(b"\n")
    kept = json.loads(head)
    headers = {**kept["headers"], REPLAYED: "true"}
    return web.Response(status=kept["status"], headers=headers, body=body)
