"""Bodies that are the content of an asset: a file, or the JSON of a value."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import web

from daemon.api.arriving import CLOSE, in_time
from daemon.api.problems import BodyTooLarge, HttpRefusal
from renderer.assets import AssetKind

MOST_BYTES = 32 << 20
MOST_VALUE_BYTES = 1 << 20
_CHUNK = 1 << 20
_BODY_S = 300.0


async def received_body(request: web.Request, path: Path, kind: AssetKind) -> int:
    """The body, written to a file; its size. Raises BodyTooLarge and RequestTimeout."""
    limit = MOST_BYTES if kind is AssetKind.FILE else MOST_VALUE_BYTES
    too_large = BodyTooLarge(
        f"the body is over the limit of {limit} bytes",
        hint="larger files go up by POST /v1/uploads/presign",
        headers=CLOSE,
    )
    if (request.content_length or 0) > limit:
        raise too_large
    size, parts = 0, bytearray()
    with path.open("xb") as stream:
        async with in_time(request, _BODY_S, f"the body was not there after {_BODY_S:g} s"):
            async for part in request.content.iter_any():
                size += len(part)
                if size > limit:
                    raise too_large
                parts += part
                if len(parts) >= _CHUNK:
                    await asyncio.to_thread(stream.write, bytes(parts))
                    parts.clear()
        await asyncio.to_thread(stream.write, bytes(parts))
    return size


def value_in(path: Path) -> Any:
    """The JSON in a file. Raises HttpRefusal for anything else."""
    try:
        value = json.loads(path.read_bytes(), parse_constant=_no_constant)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise HttpRefusal(f"the body is no JSON: {error}", hint="send the value as JSON") from error
    return value


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
