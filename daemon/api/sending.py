"""Sending a file: by ranges, under a strong tag, to whoever has not got it yet."""

from __future__ import annotations

import asyncio
import os
from urllib.parse import quote

from aiohttp import web

from daemon.api.problems import RangeNotThere
from daemon.api.ranges import OutOfRange, Span, names_tag, range_holds, span_of

_CHUNK = 1 << 18


def attachment(file_name: str) -> str:
    """Content-Disposition of a file that is saved, never shown (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_"
                    for c in file_name)  # fmt: skip
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"


async def send_file(
    request: web.Request, number: int, size: int, headers: dict[str, str]
) -> web.StreamResponse:
    """Answer with an open file, or the range of it that is asked for. `headers` have its ETag.

    Raises RangeNotThere.
    """
    if names_tag(request.headers.get("If-None-Match"), headers["ETag"]):
        kept = ("ETag", "Cache-Control")
        return web.Response(status=304, headers={name: headers[name] for name in kept})
    span = _span(request, size, headers["ETag"])
    response = web.StreamResponse(status=206 if span else 200, headers=headers)
    if span:
        response.headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    wanted = span or Span(0, size)
    response.content_length = wanted.length
    await response.prepare(request)
    if request.method != "HEAD":
        await _copy(response, number, wanted)
    await response.write_eof()
    return response


def _span(request: web.Request, size: int, etag: str) -> Span | None:
    if not range_holds(request.headers.get("If-Range"), etag):
        return None
    try:
        return span_of(request.headers.get("Range"), size)
    except OutOfRange as error:
        raise RangeNotThere(
            f"the file has {size} bytes", headers={"Content-Range": f"bytes */{size}"}
        ) from error


async def _copy(response: web.StreamResponse, number: int, span: Span) -> None:
    at = span.start
    while at < span.end:
        data = await asyncio.to_thread(os.pread, number, min(_CHUNK, span.end - at), at)
        if not data:  # it was cut short meanwhile: the reader must not take this for the end
            raise ConnectionResetError("a file was cut short while it was sent")
        await response.write(data)
        at += len(data)
