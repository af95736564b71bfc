"""Hand in a document: dropped or pasted, checked while it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aiohttp import web

from daemon.api.asking import SubmitQuery, loaded_from, query_from
from daemon.api.callers import Scope
from daemon.api.jobs import submitted
from daemon.api.problems import HttpRefusal
from daemon.dashboard.drawing import page, see
from daemon.dashboard.forms import FORM
from daemon.dashboard.page_route import PageRoute
from daemon.jobs import Priority
from renderer.errors import ReelkilnError

_SUFFIXES = {"json": ".json", "yaml": ".yaml"}
_ASKED = ("priority", "world", "fresh")
_FIELDS = ("document", "form", *_ASKED)
_DONE = 200


async def submit_page(request: web.Request) -> web.Response:
    """`GET /ui/submit`."""
    return _submit(request, {})


async def check(request: web.Request) -> web.Response:
    """`POST /ui/check`: valid, or everything that is wrong with it. 200 either way."""
    if not request[FORM].get("document", "").strip():
        return page(request, "verdict.html", loaded=None, error=None)
    data, suffix = _document(request[FORM])
    try:
        loaded = await loaded_from(request, data, suffix)
    except ReelkilnError as error:
        if error.http_status >= 500:
            raise
        return page(request, "verdict.html", loaded=None, error=error.as_json())
    return page(request, "verdict.html", loaded=loaded, kind=str(loaded.spec.kind), error=None)


async def submit(request: web.Request) -> web.Response:
    """`POST /ui/submit`: on to the job; what is refused comes back with the reasons."""
    form = request[FORM]
    try:
        query = query_from({name: form[name] for name in _ASKED if form.get(name)}, SubmitQuery)
        data, suffix = _document(form)
        answer = await submitted(request, query, data, suffix)
    except ReelkilnError as error:
        if error.http_status >= 500:
            raise
        return _submit(request, form, error)
    told = "?told=same" if answer.status == _DONE else ""
    return see(request, f"/ui/jobs/{json.loads(answer.text or '')['job_id']}{told}")


def _submit(
    request: web.Request, form: Mapping[str, str], error: ReelkilnError | None = None
) -> web.Response:
    return page(
        request, "submit.html", status=error.http_status if error else 200,
        error=error.as_json() if error else None, priorities=list(Priority),
        form={**dict.fromkeys(_FIELDS, ""), **form},
    )  # fmt: skip


def _document(form: Mapping[str, str]) -> tuple[bytes, str]:
    """The document, with line ends as people typed them, and the suffix of its kind."""
    text = form.get("document", "").replace("\r\n", "\n")
    if not text.strip():
        raise HttpRefusal("there is no document", hint="drop a file or paste a spec")
    looks_like_json = text.lstrip().startswith(("{", "["))
    suffix = _SUFFIXES.get(form.get("form", ""), ".json" if looks_like_json else ".yaml")
    return text.encode("utf-8", "surrogatepass"), suffix


SUBMIT_PAGES = (
    PageRoute(method="GET", path="/ui/submit", handler=submit_page, scope=Scope.RENDER),
    PageRoute(
        method="POST", path="/ui/submit", handler=submit, scope=Scope.RENDER, has_document=True
    ),
    PageRoute(
        method="POST", path="/ui/check", handler=check, scope=Scope.RENDER, has_document=True
    ),
)
