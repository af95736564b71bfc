"""The page of health: whether jobs can run, what waits, and, for admins, who works and the disk."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from daemon.api.callers import CALLER, Scope
from daemon.api.context import CONTEXT, ApiContext
from daemon.api.health import readiness
from daemon.dashboard.drawing import page
from daemon.dashboard.page_route import PageRoute
from daemon.database import DatabaseUnavailable
from daemon.index import Filters
from daemon.jobs import JobState

_MOST_RUNNING = 50
_SILENT_S = 30.0


async def health_page(request: web.Request) -> web.Response:
    """`GET /ui/health`. What is everybody's is told to admins alone."""
    context, caller = request.app[CONTEXT], request[CALLER]
    told = await asyncio.to_thread(readiness, context)
    faults = context.conditions.current() if context.conditions else ()
    is_admin = caller.may(Scope.ADMIN) and not caller.world
    about = await asyncio.to_thread(_about_all, context) if is_admin else {}
    return page(
        request, "health.html", told=told, faults=faults, is_everything=is_admin,
        **{"counts": {}, "running": (), "daemons": (), "disk": None, **about},
    )  # fmt: skip


def _about_all(context: ApiContext) -> Mapping[str, Any]:
    """What an admin sees besides; blocks. Without the index that part is empty."""
    disk = shutil.disk_usage(context.places.root)
    about: dict[str, Any] = {"disk": disk, "daemons": sorted(_daemons(context), key=_by_name)}
    try:
        counts = context.index.counts()
        running = context.index.page(Filters(state=JobState.RUNNING), limit=_MOST_RUNNING).jobs
    except DatabaseUnavailable:  # the reasons say so
        return about
    return {**about, "counts": {state.value: counts.get(state, 0) for state in JobState},
            "running": running}  # fmt: skip


def _daemons(context: ApiContext) -> Iterator[Mapping[str, Any]]:
    """Those that gave a sign of life in this root, and how long ago by this machine's clock."""
    folder = context.places.heartbeat("any").parent
    for paper in folder.glob("*.json"):
        found = _heartbeat(paper)
        if found is not None:
            silent_s = max(0, context.clock() - found["at"])
            yield {**found, "silent_s": round(silent_s), "is_silent": silent_s > _SILENT_S}


def _heartbeat(paper: Path) -> dict[str, Any] | None:
    try:
        document, at = json.loads(paper.read_bytes()), paper.stat().st_mtime
        return {"name": str(document["owner"]), "pid": int(document["pid"]), "at": at}
    except (OSError, ValueError, KeyError, TypeError):  # it left, or is being written
        return None


def _by_name(one: Mapping[str, Any]) -> str:
    return str(one["name"])


HEALTH_PAGES = (
    PageRoute(method="GET", path="/ui/health", handler=health_page, scope=Scope.READ, nav="Health"),
)
