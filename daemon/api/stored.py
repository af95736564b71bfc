"""The folder storage over HTTP: who has a signed request may make it, and needs no key.

The body of a PUT is written beside its place, and gets its name when it is what was signed for.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

from aiohttp import web
from pydantic import Field

from daemon.api.arriving import CLOSE, in_time
from daemon.api.asking import NoQuery
from daemon.api.context import CONTEXT
from daemon.api.problems import BodyTooLarge, NotFound, TypeNotSupported
from daemon.api.sending import attachment, send_file
from daemon.storage.errors import KeyUnknown, UploadRefused
from daemon.storage.local import LocalStorage
from daemon.storage.orders import Order

_WRITE_BYTES = 1 << 20
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class LinkQuery(NoQuery):
    """What a link says. It is given out whole, and valid in no other spelling."""

    expires: int = Field(description="Seconds since 1970, UTC.")
    kid: str = Field(description="The name of the key that signed it.")
    owner: str = ""
    signature: str


class SignedQuery(LinkQuery):
    """What a signed request to the storage says; of that, too, not a sign may be changed."""

    name: str = Field(default="", description="The file name of an attachment.")
    part: int | None = Field(default=None, description="The number of a part.")
    sha256: str = Field(default="", description="What the body must have.")
    size: int | None = Field(default=None, description="What the body must have.")
    type: str = Field(default="", description="The Content-Type that the body must have.")
    upload: str = Field(default="", description="The upload that a part belongs to.")


async def fetch_stored(request: web.Request) -> web.StreamResponse:
    """`GET /v1/storage/{key}`: the bytes, by ranges."""
    storage, order = _asked(request)
    stored = await asyncio.to_thread(storage.head, order.key)
    path = storage.local_path(order.key)
    if path is None:
        raise KeyUnknown(order.key)
    headers = {
        "Content-Type": stored.media_type, "ETag": f'"{stored.etag}"', "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": attachment(order.file_name or order.key.rpartition("/")[2]),
    }  # fmt: skip
    number = await asyncio.to_thread(os.open, path, _FLAGS)
    try:
        return await send_file(request, number, stored.size_bytes, headers)
    finally:
        os.close(number)


async def keep_stored(request: web.Request) -> web.Response:
    """`PUT /v1/storage/{key}`: a whole file, or one part of an upload."""
    storage, order = _asked(request)
    _see_headers(request, order)
    async with _in_threads(storage.receiving()) as path:
        sha256 = await _received(request, path, _most(request, order))
        etag = await asyncio.to_thread(storage.receive, order, path, sha256)
    return web.Response(status=200, headers={"ETag": f'"{etag}"'})


def _asked(request: web.Request) -> tuple[LocalStorage, Order]:
    """The storage and the order of a signed request. Raises LinkRefused, NotFound."""
    storage = request.app[CONTEXT].storage
    if storage is None:
        raise NotFound("files are not kept here", hint="use the link as it was given out")
    path, _, query = request.raw_path.partition("?")
    return storage, storage.order_of(request.method, path, query)


def _see_headers(request: web.Request, order: Order) -> None:
    if request.headers.get("Content-Encoding", "identity").casefold() != "identity":
        raise TypeNotSupported("bodies with a Content-Encoding are not read")
    if order.media_type and request.headers.get("Content-Type", "") != order.media_type:
        raise TypeNotSupported(
            "the Content-Type is not the one that was signed for", hint=f"send {order.media_type}"
        )
    if order.size_bytes is not None and request.content_length not in (None, order.size_bytes):
        raise UploadRefused(
            f"{request.content_length} bytes are announced, {order.size_bytes} were signed for"
        )


def _most(request: web.Request, order: Order) -> int:
    limit = request.app[CONTEXT].limits.max_source_bytes
    return limit if order.size_bytes is None else order.size_bytes


@asynccontextmanager
async def _in_threads(entered: AbstractContextManager[Path]) -> AsyncIterator[Path]:
    """The same context; its two ends touch the disk, so they leave the loop alone."""
    path = await asyncio.to_thread(entered.__enter__)
    try:
        yield path
    except BaseException as error:
        if not await asyncio.to_thread(entered.__exit__, type(error), error, error.__traceback__):
            raise
    else:
        await asyncio.to_thread(entered.__exit__, None, None, None)


async def _received(request: web.Request, path: Path, most: int) -> str:
    """Write the body to a new file; its digest. Raises BodyTooLarge, RequestTimeout."""
    digest, size, held = hashlib.sha256(), 0, bytearray()
    stall_s = request.app[CONTEXT].settings.stall_s
    with path.open("xb", buffering=0) as out:

        def write(data: bytes) -> None:
            digest.update(data)
            out.write(data)

        while piece := await _piece(request, stall_s):
            size += len(piece)
            held += piece
            if size > most:
                raise BodyTooLarge(f"the body is over {most} bytes", headers=CLOSE)
            if len(held) >= _WRITE_BYTES:
                await asyncio.to_thread(write, bytes(held))
                held.clear()
        await asyncio.to_thread(write, bytes(held))
    return digest.hexdigest()


async def _piece(request: web.Request, stall_s: float) -> bytes:
    async with in_time(request, stall_s, f"nothing came for {stall_s:g} s"):
        return await request.content.readany()
