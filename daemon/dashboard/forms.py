"""What a form of ours sent: its fields, its token, and that it was ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel, ValidationError

from daemon.api.bodies import read_body, refused
from daemon.api.context import CONTEXT
from daemon.api.problems import TypeNotSupported
from daemon.api.refusals import BodyRefused, OriginRefused

PROOF = "csrf"
"""The field of the token; every form of a session has it."""
FORM: web.RequestKey[Mapping[str, str]] = web.RequestKey("reelkiln_form", dict)
_TYPE = "application/x-www-form-urlencoded"
_SMALL = 64 * 1024
_ESCAPED = 3  # bytes on the way for one of a document
_MOST_FIELDS = 100
_OURS = ("same-origin", "none")
_M = TypeVar("_M", bound=BaseModel)


async def read_form(request: web.Request, *, has_document: bool) -> Mapping[str, str]:
    """The fields of a form, each once. Raises TypeNotSupported, BodyTooLarge, BodyRefused.

    With a document it may be as large as documents may.
    """
    if request.content_type != _TYPE:
        raise TypeNotSupported("this is not a form of the dashboard", hint="use the page itself")
    most = request.app[CONTEXT].limits.max_document_bytes if has_document else 0
    data = await read_body(request, _SMALL + _ESCAPED * most)
    try:
        pairs = parse_qsl(
            data.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS,
            errors="strict",
        )  # fmt: skip
    except ValueError as error:
        raise BodyRefused("the form cannot be read", hint="load the page again") from error
    return dict(pairs)


def form_as(request: web.Request, model: type[_M]) -> _M:
    """The form as a model; its token and empty fields are left out. Raises BodyRefused."""
    fields = {name: value for name, value in request[FORM].items() if value and name != PROOF}
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise refused(error, "form") from None  # its cause would repeat the fields


def refuse_foreign(request: web.Request) -> None:
    """Raises OriginRefused for what another site's page sent.

    A session proves itself by its token; who logs in has none yet.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    is_ours = origin is None or origin.partition("://")[2] == request.host
    if (site not in _OURS) if site is not None else not is_ours:
        raise OriginRefused("another site sent this form", hint="use the page of this server")
