"""Bodies on their way: each has its time, and when the daemon ends none is waited for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from daemon.api.context import TURNSTILES, Turnstiles
from daemon.api.problems import DaemonEnding, RequestTimeout

CLOSE = {"Connection": "close"}
"""For answers before the end of a body: what follows on the connection is no request."""


@asynccontextmanager
async def in_time(request: web.Request, seconds: float, late: str) -> AsyncIterator[None]:
    """Time to read a body, or a piece of one.

    Raises RequestTimeout, which says `late`, and DaemonEnding for a body that is not there when
    the daemon has waited for it long enough.
    """
    turnstiles = request.config_dict.get(TURNSTILES) or Turnstiles()
    try:
        async with asyncio.timeout(0 if turnstiles.is_over else seconds) as limit:
            turnstiles.reading.add(limit)
            try:
                yield
            finally:
                turnstiles.reading.discard(limit)
    except TimeoutError as error:
        if turnstiles.is_over:
            raise DaemonEnding(
                "the daemon ended before the body was there; nothing was taken in",
                hint="send it again", headers=CLOSE,
            ) from error  # fmt: skip
        raise RequestTimeout(late, headers=CLOSE) from error


async def drain(turnstiles: Turnstiles, drain_s: float, last_s: float) -> None:
    """Let requests end: for `drain_s` as they like, then without what has not come of them.

    Those still at work after `last_s` more are the caller's.
    """
    turnstiles.closing.set()
    await asyncio.sleep(_LOOK_S)  # what was accepted just now is not inside yet
    await _quiet(turnstiles, drain_s)
    turnstiles.is_over = True
    for limit in list(turnstiles.reading):
        if not limit.expired():
            limit.reschedule(asyncio.get_running_loop().time())
    await _quiet(turnstiles, last_s)


async def _quiet(turnstiles: Turnstiles, longest_s: float) -> None:
    clock = asyncio.get_running_loop().time
    end = clock() + longest_s
    while turnstiles.inside and clock() < end:
        await asyncio.sleep(_LOOK_S)


_LOOK_S = 0.02
