"""Small JSON bodies, read as a model."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from daemon.api.arriving import CLOSE, in_time
from daemon.api.problems import BodyTooLarge, TypeNotSupported
from daemon.api.refusals import BodyRefused

_M = TypeVar("_M", bound=BaseModel)
_LIMIT = 16 * 1024
_SECONDS = 15.0


class Asked(BaseModel):
    """A body. It has no fields but those that are named."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


async def body_as(request: web.Request, model: type[_M], *, limit: int = _LIMIT) -> _M:
    """The body of a request, of `limit` bytes at most.

    Raises TypeNotSupported, BodyTooLarge, RequestTimeout, BodyRefused; none repeats the body,
    which may hold a password.
    """
    if request.content_type != "application/json":
        raise TypeNotSupported("the body is not application/json", hint="send it as that")
    data = await read_body(request, limit)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise refused(error, "body") from None  # its cause would repeat the body


def refused(error: ValidationError, whole: str) -> BodyRefused:
    """What is wrong with each field, without repeating any; `whole` stands for all of it."""
    told = error.errors(include_url=False, include_input=False, include_context=False)
    words = [f"{'.'.join(map(str, found['loc'])) or whole}: {found['msg']}" for found in told]
    return BodyRefused("; ".join(sorted(words)))


async def read_body(request: web.Request, limit: int) -> bytes:
    """The bytes of a body. Raises BodyTooLarge and RequestTimeout."""
    data = bytearray()
    async with in_time(request, _SECONDS, f"the body was not there after {_SECONDS:g} s"):
        async for part in request.content.iter_any():
            data += part
            if len(data) > limit:
                raise BodyTooLarge(f"the body is over the limit of {limit} bytes", headers=CLOSE)
    return bytes(data)
