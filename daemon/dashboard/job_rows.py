"""A page of the list of jobs: which ones are asked for, and what stands in the list."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from urllib.parse import urlencode

from aiohttp import web

from daemon.api.asking import JobQuery, QueryRefused, query_from
from daemon.api.callers import CALLER
from daemon.api.context import CONTEXT
from daemon.api.jobs import filters_of
from daemon.api.problems import plain_text
from daemon.index import Page
from daemon.jobs import Job
from renderer.errors import Fault

FILTERS = ("status", "kind", "world", "name", "owner", "since", "until")
"""The fields of the form above the list; days are `2026-11-21`, in UTC, both included."""
_LENGTH = 30


def filled_in(request: web.Request) -> Mapping[str, str]:
    """The fields of the form that have something in them."""
    return {name: value for name in FILTERS if (value := request.query.get(name, "").strip())}


def link_of(fields: Mapping[str, str], **more: str) -> str:
    """The list of those fields."""
    return f"?{urlencode({**fields, **more})}"


async def rows_of(request: web.Request, *, cursor: str = "") -> Page:
    """Jobs newest first, of those whom the caller may see. Raises QueryRefused, ScopeMissing."""
    query = _query(filled_in(request))
    filters = filters_of(query, request[CALLER])
    index = request.app[CONTEXT].index
    return await asyncio.to_thread(index.page, filters, cursor=cursor, limit=_LENGTH)


def title_of(job: Job) -> str:
    """What people know a job by: its file, or the id in its document when it had no file."""
    is_nameless = job.name.partition(".")[0] == job.job_id
    title: str = plain_text((job.spec_id if is_nameless else job.name) or job.job_id)
    return title


def _query(fields: Mapping[str, str]) -> JobQuery:
    asked = {name: value for name, value in fields.items() if name not in ("since", "until")}
    if "since" in fields:
        asked["created_from"] = _midnight(fields["since"], 0)
    if "until" in fields:
        asked["created_before"] = _midnight(fields["until"], 1)
    return query_from(asked, JobQuery)


def _midnight(text: str, days_later: int) -> str:
    try:
        day = date.fromisoformat(text) + timedelta(days=days_later)
    except (ValueError, OverflowError) as error:
        words = f"{text} is not a day like 2026-11-21"
        raise QueryRefused([Fault(code="parameter-wrong", message=words)]) from error
    return f"{day.isoformat()}T00:00:00Z"
