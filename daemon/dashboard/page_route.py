"""One page: who may see it, how its form is taken, and how its errors are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web

from daemon.api.callers import CALLER, Scope, enter
from daemon.api.credentials import FORM_TOKEN
from daemon.api.people import known_caller
from daemon.api.problems import REQUEST_ID, as_refusal, title_of
from daemon.api.refusals import KeyMissing
from daemon.dashboard.drawing import page, see
from daemon.dashboard.forms import FORM, PROOF, read_form, refuse_foreign
from renderer.errors import ReelkilnError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRoute:
    """A row of the table. `scope` None lets in whoever comes; the handler sees who it is, unless
    the page `asks_nobody`.

    A POST is a form: its fields are in `request[FORM]`, and its token was right. `nav` is what
    the bar at the top calls the page. With `has_body` the handler reads the body itself, and the
    token comes in the header X-CSRF-Token.
    """

    method: str
    path: str
    handler: Handler
    scope: Scope | None
    nav: str = ""
    has_document: bool = False
    has_body: bool = False
    asks_nobody: bool = False


def entered(route: PageRoute) -> Handler:
    """The handler of a page behind its door; errors come out as pages."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            await _enter(request, route)
            return await route.handler(request)
        except KeyMissing:
            return see(request, f"/ui/login?next={quote(_way_back(request), safe='')}")
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            return told(request, as_refusal(error))
        except ReelkilnError as error:
            return told(request, error)

    return handle


def told(request: web.Request, error: ReelkilnError) -> web.Response:
    """An error as a page, or as a piece of one for htmx."""
    template = "problem.html" if "HX-Request" in request.headers else "error.html"
    response = page(
        request, template, status=error.http_status, error=error.as_json(),
        title=title_of(error.http_status), request_id=request.get(REQUEST_ID, ""),
    )  # fmt: skip
    response.headers.update(getattr(error, "headers", {}))
    return response


async def _enter(request: web.Request, route: PageRoute) -> None:
    if request.method == "POST":
        refuse_foreign(request)
        if not route.has_body:
            request[FORM] = form = await read_form(request, has_document=route.has_document)
            request[FORM_TOKEN] = form.get(PROOF, "")
    if route.scope is not None:
        await enter(request, route.scope)
    elif not route.asks_nobody and (caller := await known_caller(request)) is not None:
        request[CALLER] = caller


def _way_back(request: web.Request) -> str:
    """The page that was asked for; a form is not sent again."""
    return request.path_qs if request.method == "GET" else "/ui/jobs"
