"""Health: is it alive, can it take and run jobs, and what has it counted."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from aiohttp import web

from daemon.api.callers import Access, Scope, is_open
from daemon.api.context import CONTEXT, TURNSTILES, ApiContext, Turnstiles
from daemon.api.models import Alive, Readiness, Reason
from daemon.api.telling import answer
from daemon.database import DatabaseUnavailable
from daemon.metrics import CONTENT_TYPE
from renderer.errors import ReelkilnError
from renderer.store import LocalStore
from renderer.toolchain import find_toolchain

_LEAST_FREE = 1024**3
_MEASURE_EVERY_S = 60.0
_NO_JOB = "0" * 26


async def alive(request: web.Request) -> web.Response:
    """`GET /livez`: this very answer is the proof."""
    return answer(Alive(status="ok"))


async def ready(request: web.Request) -> web.Response:
    """`GET /readyz` and `GET /health`: every reason there is not to send jobs here."""
    told = await asyncio.to_thread(readiness, request.app[CONTEXT])
    is_ready = told.status == "ready"
    headers = {} if is_ready else {"Retry-After": "5"}
    return answer(told, status=200 if is_ready else 503, headers=headers)


def readiness(context: ApiContext) -> Readiness:
    """Whether jobs can be taken and run, and what was looked at; blocks."""
    reasons = list(_reasons(context))
    return Readiness(
        status="ready" if all(reason.ready for reason in reasons) else "not ready",
        version=context.version,
        open=_is_open(context.access),
        reasons=reasons,
    )


async def metrics(request: web.Request) -> web.Response:
    """`GET /metrics`, for Prometheus."""
    context = request.app[CONTEXT]
    text = await asyncio.to_thread(_measured, context, request.app[TURNSTILES])
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})


METRICS_SCOPE = Scope.ADMIN
"""They count every owner's jobs."""


def _measured(context: ApiContext, turnstiles: Turnstiles) -> bytes:
    now = context.clock()
    if not 0 <= now - turnstiles.measured_at < _MEASURE_EVERY_S:
        turnstiles.measured_at = now
        turnstiles.store_bytes = LocalStore(context.places.own("store")).usage().size_bytes
    context.metrics.stored(turnstiles.store_bytes, shutil.disk_usage(context.places.root).free)
    context.metrics.counted(context.index.counts())
    return context.metrics.text()


def _reasons(context: ApiContext) -> Iterator[Reason]:
    places = context.places
    yield _reason("serving", not context.draining.is_set(), "takes jobs", "the daemon is ending")
    yield _writable("inbox", places.inbox)
    yield _writable("outbox", places.outbox)
    yield _writable("state", places.state)
    yield _room(places.root)
    yield _tried("index", lambda: context.index.get(_NO_JOB))
    yield _tried("catalog", context.access.accounts.is_empty)
    yield _tried("ffmpeg", lambda: find_toolchain(context.environment, text_engine={}))


def _is_open(access: Access) -> bool:
    try:
        return is_open(access.accounts, access.settings)
    except DatabaseUnavailable:  # then nobody comes in, and a reason says so
        return False


def _reason(check: str, is_ready: bool, good: str, bad: str) -> Reason:
    return Reason(check=check, ready=is_ready, message=good if is_ready else bad)


def _writable(check: str, folder: Path) -> Reason:
    barred = not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    return _reason(check, not barred, "may be written", "is missing or may not be written")


def _room(root: Path) -> Reason:
    try:
        free = shutil.disk_usage(root).free
    except OSError as error:
        return _reason("disk", False, "", f"cannot be asked: {error.strerror}")
    words = f"{free / 1024**3:.1f} GiB free"
    return _reason("disk", free >= _LEAST_FREE, words, f"{words}, less than 1")


def _tried(check: str, look: Callable[[], object]) -> Reason:
    try:
        look()
    except DatabaseUnavailable:  # its words name the server
        return _reason(check, False, "", "does not answer")
    except ReelkilnError as error:
        return _reason(check, False, "", error.message)
    return _reason(check, True, "answers" if check in ("index", "catalog") else "is fit", "")
