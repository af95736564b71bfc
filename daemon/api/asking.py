"""What a request asks: its query, its document, the job that it names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TypeVar

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from daemon.api.arriving import CLOSE, in_time
from daemon.api.callers import CALLER
from daemon.api.context import CONTEXT, TURNSTILES
from daemon.api.problems import (
    BodyTooLarge,
    HttpRefusal,
    NotFound,
    TypeNotSupported,
)
from daemon.api.route import DOCUMENT_TYPES
from daemon.jobs import Job, JobState, Priority
from daemon.reading import Reading
from daemon.records import Record, find_record
from renderer.errors import Fault, Rejected, UsageError
from renderer.spec.loading import Loaded

_Q = TypeVar("_Q", bound=BaseModel)
_T = TypeVar("_T")
WORLD = r"^[A-Za-z0-9._-]*$"
_SHA256 = r"^[0-9a-f]{64}$"


class NoQuery(BaseModel):
    """A route that takes no parameters."""

    model_config = ConfigDict(extra="forbid")


class SubmitQuery(NoQuery):
    """How a document is taken in."""

    priority: Priority = Field(default=Priority.NORMAL, description="Who goes first.")
    world: str = Field(default="", max_length=64, pattern=WORLD)
    fresh: bool = Field(default=False, description="Make a new job, whatever there is already.")


class JobQuery(NoQuery):
    """Which jobs."""

    status: JobState | None = None
    kind: str | None = Field(default=None, max_length=60)
    name: str | None = Field(default=None, max_length=255)
    owner: str | None = Field(default=None, max_length=255, description="For admins alone.")
    world: str | None = Field(default=None, max_length=64, pattern=WORLD)
    spec_sha256: str | None = Field(default=None, pattern=_SHA256)
    spec_digest: str | None = Field(default=None, pattern=_SHA256)
    input_hash: str | None = Field(default=None, pattern=_SHA256)
    created_from: AwareDatetime | None = Field(default=None, description="RFC 3339, included.")
    created_before: AwareDatetime | None = Field(default=None, description="RFC 3339, excluded.")
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str = Field(default="", max_length=255)


class QueryRefused(Rejected):
    """Parameters of the query that are unknown, twice there, or wrong."""

    code = "query-refused"
    http_status = 400


def query_of(request: web.Request, model: type[_Q]) -> _Q:
    """The parameters of a request. Raises QueryRefused with everything that is wrong."""
    twice = sorted({name for name in request.query if len(request.query.getall(name)) > 1})
    faults = [Fault(code="parameter-twice", message=f"{name} is there twice", path=(name,))
              for name in twice]  # fmt: skip
    if faults:
        raise QueryRefused(faults)
    return query_from(dict(request.query), model)


def query_from(values: Mapping[str, str], model: type[_Q]) -> _Q:
    """Parameters as a model. Raises QueryRefused with everything that is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise QueryRefused(
            Fault(code="parameter-wrong", message=f"{_where(found['loc'])}: {found['msg']}",
                  path=tuple(found["loc"]))
            for found in error.errors(include_url=False)
        ) from error  # fmt: skip


def seconds_of(moment: datetime | None) -> float | None:
    """Seconds since 1970. Raises QueryRefused for what is no moment on that scale."""
    try:
        return None if moment is None else moment.timestamp()
    except (OverflowError, ValueError) as error:
        words = f"{moment} is out of range"
        raise QueryRefused([Fault(code="parameter-wrong", message=words)]) from error


async def document_of(request: web.Request) -> tuple[bytes, str]:
    """The document in the body, and the suffix of its kind.

    Raises TypeNotSupported, BodyTooLarge, RequestTimeout.
    """
    suffix = DOCUMENT_TYPES.get(request.content_type)
    if suffix is None or (request.charset or "utf-8").casefold() not in ("utf-8", "utf8"):
        raise TypeNotSupported(
            f"a body of the type {request.headers.get('Content-Type', 'none')} is not read",
            hint="send application/json or application/yaml, in UTF-8",
            headers={"Accept": ", ".join(DOCUMENT_TYPES)},
        )
    return await _body_of(request), suffix


async def loaded_of(request: web.Request) -> tuple[bytes, str, Loaded]:
    """The document in the body, its suffix, and the spec it holds.

    Raises SpecInvalid with every fault and its position.
    """
    data, suffix = await document_of(request)
    return data, suffix, await loaded_from(request, data, suffix)


async def loaded_from(request: web.Request, data: bytes, suffix: str) -> Loaded:
    """The spec in a document that a request brought. Raises SpecInvalid."""
    return await judged(request, data, suffix, lambda loaded: loaded)


async def judged(
    request: web.Request, data: bytes, suffix: str, judge: Callable[[Loaded], _T]
) -> _T:
    """What `judge` says of the spec, in the thread that read it. Raises SpecInvalid."""
    context = request.app[CONTEXT]
    async with request.app[TURNSTILES].documents:  # strangers' documents never fill the pool
        reading, owner = context.reading, request[CALLER].owner
        return await asyncio.to_thread(
            lambda: judge(_loaded(data, f"document{suffix}", reading, owner))
        )


def _loaded(data: bytes, name: str, reading: Reading, owner: str) -> Loaded:
    loaded = reading.load(data, name=name, owner=owner)
    reading.expanded(loaded)  # what no storyboard takes is told now
    return loaded


async def visible_job(request: web.Request) -> Job:
    """The job that the path names. Raises as `visible_record`."""
    return (await visible_record(request)).job


async def visible_record(request: web.Request) -> Record:
    """What tells of the job that the path names. Raises NotFound, also for a stranger's: owner or
    world."""
    context, caller = request.app[CONTEXT], request[CALLER]
    job_id = request.match_info["job_id"]
    unknown = NotFound("no such job is known", hint="GET /v1/jobs lists those there are")
    find = partial(find_record, context.fs, context.places, job_id)
    try:
        record = find() if context.is_near else await asyncio.to_thread(find)
    except (UsageError, FileNotFoundError) as error:
        raise unknown from error
    if not caller.sees(record.job.owner, record.job.world):
        raise unknown
    return record


async def _body_of(request: web.Request) -> bytes:
    """The body, within its limits of size and time."""
    context = request.app[CONTEXT]
    limit, seconds = context.limits.max_document_bytes, context.settings.body_s
    if request.headers.get("Content-Encoding", "identity").casefold() != "identity":
        raise TypeNotSupported(
            "bodies with a Content-Encoding are not read",
            hint="send it uncompressed",
            headers={"Accept-Encoding": "identity"},
        )
    too_large = BodyTooLarge(
        f"the body is over the limit of {limit} bytes",
        hint="make it smaller, or raise REELKILN_MAX_DOCUMENT_BYTES",
        headers=CLOSE,
    )
    if (request.content_length or 0) > limit:
        raise too_large
    parts = bytearray()
    async with in_time(request, seconds, f"the body was not there after {seconds:g} s"):
        async for part in request.content.iter_any():
            parts += part
            if len(parts) > limit:
                raise too_large
    if not parts:
        raise HttpRefusal("the body is empty", hint="send a spec; see GET /v1/schemas/spec")
    return bytes(parts)


def _where(path: tuple[int | str, ...]) -> str:
    return ".".join(map(str, path)) or "query"
