"""Uploads over HTTP: promise one, send it by signed requests, complete it, forget it.

The bytes never pass through these routes; see `stored` for those of a folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from daemon.api import external
from daemon.api.asking import WORLD
from daemon.api.asset_seeing import see_world
from daemon.api.bodies import Asked, body_as
from daemon.api.callers import CALLER
from daemon.api.context import CONTEXT
from daemon.api.models import Answered
from daemon.api.problems import NotFound, Overloaded
from daemon.api.promising import fulfillable
from daemon.api.telling import answer, moment
from daemon.assets.uploads import PENDING, Promise, Upload, Uploads
from daemon.signing import HOUR_S, LONGEST_S
from daemon.storage.contract import Signed
from daemon.storage.errors import UploadRefused
from renderer.errors import ReelkilnError

_T = TypeVar("_T")
Expires = Annotated[int, Field(ge=1, le=LONGEST_S, description="How long links last, in seconds.")]
UploadId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{26}$")]


class UploadAsked(Asked):
    """What will be sent. The name is kept as it is, and names nothing."""

    media_type: str = Field(max_length=100, pattern=r"^[a-z]+/[a-z0-9.+-]+$")
    size_bytes: int = Field(ge=1, le=1 << 50)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the whole file, in hex.")
    file_name: str = Field(default="", max_length=255)
    world: str = Field(default="", max_length=64, pattern=WORLD)
    asset_id: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]{0,64}$",
        description="The pending asset whose promise it keeps.",
    )  # fmt: skip
    expires_s: Expires = HOUR_S


class PartsAsked(Asked):
    """Which parts are to be sent."""

    parts: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(min_length=1, max_length=1000)
    expires_s: Expires = HOUR_S


class LinkAsked(Asked):
    """How long a link is to last."""

    expires_s: Expires = HOUR_S


class UploadsNamed(Asked):
    """Which uploads."""

    upload_ids: list[UploadId] = Field(min_length=1, max_length=1000)


class SignedRequest(Answered):
    """A request that may be made without a key, with these headers and no others of its kind."""

    method: str
    url: str
    headers: dict[str, str]
    expires_at: AwareDatetime


class PartArrived(Answered):
    """A part that is there."""

    number: int
    size_bytes: int
    etag: str


class UploadResource(Answered):
    """An upload. `request` sends it in one piece; one in parts asks for `part-urls`."""

    upload_id: str
    status: str = Field(description="pending, available or refused")
    key: str
    file_name: str
    media_type: str
    size_bytes: int
    sha256: str
    asset_id: str
    world: str
    reason: str
    created_at: AwareDatetime
    parts: int = Field(description="How many parts it has; 0 when it goes in one piece.")
    part_bytes: int = Field(description="The size of each part but the last.")
    arrived: list[PartArrived]
    request: SignedRequest | None = None


class PartRequest(Answered):
    """The request that sends one part."""

    number: int
    size_bytes: int
    request: SignedRequest


class PartRequests(Answered):
    """The requests that were asked for, in that order."""

    parts: list[PartRequest]


class Removal(Answered):
    """What became of one upload; `code` and `message` say why it is still there."""

    upload_id: str
    removed: bool
    code: str = ""
    message: str = ""


class Removals(Answered):
    """What became of each."""

    results: list[Removal]


async def presign_upload(request: web.Request) -> web.Response:
    """`POST /v1/uploads/presign`: an upload in one piece."""
    asked = await body_as(request, UploadAsked)
    upload = await _promised(request, asked, in_parts=False)
    signed = await _call(_uploads(request).put_url, upload, asked.expires_s)
    sends = _request(request, signed, asked.expires_s)
    return answer(_resource(upload, request=sends), status=201, headers=_location(upload))


async def begin_multipart(request: web.Request) -> web.Response:
    """`POST /v1/uploads/multipart`: an upload in parts."""
    asked = await body_as(request, UploadAsked)
    upload = await _promised(request, asked, in_parts=True)
    return answer(_resource(upload), status=201, headers=_location(upload))


async def show_upload(request: web.Request) -> web.Response:
    """`GET /v1/uploads/{upload_id}`: how it stands, and which parts are there."""
    upload = await _visible(request)
    return answer(await _shown(request, upload))


async def part_urls(request: web.Request) -> web.Response:
    """`POST /v1/uploads/{upload_id}/part-urls`."""
    asked = await body_as(request, PartsAsked)
    upload, uploads = await _visible(request), _uploads(request)

    def signed() -> list[tuple[int, Signed]]:
        return [(n, uploads.part_url(upload, n, asked.expires_s)) for n in asked.parts]

    parts = [
        PartRequest(number=number, size_bytes=upload.part_size(number),
                    request=_request(request, one, asked.expires_s))
        for number, one in await _call(signed)
    ]  # fmt: skip
    return answer(PartRequests(parts=parts))


async def complete_upload(request: web.Request) -> web.Response:
    """`POST /v1/uploads/{upload_id}/complete`: prove the bytes; again does no harm."""
    upload = await _visible(request)
    if upload.state == PENDING and upload.holder:
        await _call(external.see_held, request.app[CONTEXT], upload.job_id, upload.holder)
    done = await _call(_uploads(request).complete, upload)
    return answer(_resource(done))


async def presign_download(request: web.Request) -> web.Response:
    """`POST /v1/uploads/{upload_id}/presign-download`."""
    asked = await body_as(request, LinkAsked)
    upload = await _visible(request)
    signed = await _call(_uploads(request).get_url, upload, asked.expires_s)
    return answer(_request(request, signed, asked.expires_s))


async def remove_upload(request: web.Request) -> web.Response:
    """`DELETE /v1/uploads/{upload_id}`: abort it, or remove what was sent."""
    upload = await _visible(request)
    await _call(_uploads(request).remove, upload)
    return web.Response(status=204)


async def remove_uploads(request: web.Request) -> web.Response:
    """`POST /v1/uploads/delete`: many at once, and what became of each."""
    asked = await body_as(request, UploadsNamed)
    results = [await _removal(request, one) for one in dict.fromkeys(asked.upload_ids)]
    return answer(Removals(results=results))


async def _removal(request: web.Request, upload_id: str) -> Removal:
    try:
        await _call(_uploads(request).remove, await _of_caller(request, upload_id))
    except ReelkilnError as error:
        return Removal(upload_id=upload_id, removed=False, code=error.code, message=error.message)
    return Removal(upload_id=upload_id, removed=True)


async def _promised(request: web.Request, asked: UploadAsked, *, in_parts: bool) -> Upload:
    caller = request[CALLER]
    world = asked.world or caller.world
    see_world(caller, world)
    promise = Promise(
        media_type=asked.media_type, size_bytes=asked.size_bytes, sha256=asked.sha256,
        file_name=asked.file_name, world=world,
    )  # fmt: skip
    if asked.asset_id:
        promise = await _for_asset(request, promise, asked.asset_id)
    owner = caller.owner
    return await asyncio.to_thread(_uploads(request).promise, promise, owner, in_parts=in_parts)


async def _for_asset(request: web.Request, promise: Promise, asset_id: str) -> Promise:
    """The promise of an upload that keeps the one of a pending asset."""
    asset, holder = await fulfillable(request, asset_id)
    if promise.media_type != asset.media_type:
        raise UploadRefused(
            f"asset {asset_id} was promised as {asset.media_type}, not as {promise.media_type}",
            hint="send what was promised",
        )
    return replace(
        promise, world=asset.world, fulfils=asset_id, job_id=asset.created_by_job, holder=holder
    )


async def _visible(request: web.Request) -> Upload:
    return await _of_caller(request, request.match_info["upload_id"])


async def _of_caller(request: web.Request, upload_id: str) -> Upload:
    """The upload of that id. Raises NotFound, also when it is another owner's."""
    upload = await _call(_uploads(request).find, upload_id)
    if upload is None or not request[CALLER].sees(upload.owner, upload.world):
        raise NotFound("no such upload is known", hint="POST /v1/uploads/presign begins one")
    return upload


async def _shown(request: web.Request, upload: Upload) -> UploadResource:
    arrived = await _call(_uploads(request).arrived, upload)
    parts = [
        PartArrived(number=part.number, size_bytes=part.size_bytes, etag=part.etag)
        for part in arrived
    ]
    return _resource(upload, arrived=parts)


def _resource(upload: Upload, **more: Any) -> UploadResource:
    return UploadResource(
        upload_id=upload.upload_id, status=upload.state, key=upload.key,
        file_name=upload.file_name, media_type=upload.media_type, size_bytes=upload.size_bytes,
        sha256=upload.sha256, asset_id=upload.asset_id, reason=upload.reason, world=upload.world,
        created_at=moment(upload.created_at), parts=upload.parts, part_bytes=upload.part_bytes,
        **{"arrived": [], **more},
    )  # fmt: skip


def _request(request: web.Request, signed: Signed, expires_s: int) -> SignedRequest:
    now = request.app[CONTEXT].clock()
    return SignedRequest(
        method=signed.method, url=signed.url, headers=dict(signed.headers),
        expires_at=datetime.fromtimestamp(int(now) + expires_s, UTC),
    )  # fmt: skip


def _location(upload: Upload) -> dict[str, str]:
    return {"Location": f"/v1/uploads/{upload.upload_id}"}


def _uploads(request: web.Request) -> Uploads:
    found = request.app[CONTEXT].uploads
    if found is None:
        raise Overloaded("this daemon takes no uploads", hint="it was started without a storage")
    return found


async def _call(act: Callable[..., _T], *given: Any) -> _T:
    return await asyncio.to_thread(act, *given)
