"""Pages of keys: those there are, a new one, whose secret is shown once, and the end of one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from aiohttp import web

from daemon.accounts.types import Scope, may_grant
from daemon.api.callers import ACCESS, CALLER, Caller
from daemon.api.keys import KeyAsked, NewKeyShown, key_made, key_revoked, keys_seen, see_keeper
from daemon.api.refusals import BodyRefused
from daemon.dashboard.drawing import page, see
from daemon.dashboard.forms import FORM
from daemon.dashboard.page_route import PageRoute
from renderer.errors import ReelkilnError

_WORDS = {
    Scope.RENDER: "hand in specs, cancel jobs, keep assets",
    Scope.READ: "see jobs and assets, fetch them",
    Scope.ADMIN: "both, for everybody's; keys and accounts of others",
    Scope.WORKER: "run jobs and report on them",
}
_CHOSEN = (Scope.READ, Scope.RENDER)


async def keys_page(request: web.Request) -> web.Response:
    """`GET /ui/keys`."""
    return await _keys(request)


async def make_key(request: web.Request) -> web.Response:
    """`POST /ui/keys`: the answer alone shows the key; it cannot be asked for again."""
    caller = see_keeper(request[CALLER])
    try:
        made = await key_made(request.app[ACCESS], _asked(request), caller)
    except ReelkilnError as error:
        if error.http_status >= 500:
            raise
        return await _keys(request, status=error.http_status, wrong=error)
    return await _keys(request, made=made)


async def revoke(request: web.Request) -> web.Response:
    """`POST /ui/keys/{key_id}/revoke`: it opens nothing from the next request on."""
    caller = see_keeper(request[CALLER])
    await key_revoked(request.app[ACCESS], request.match_info["key_id"], caller)
    return see(request, "/ui/keys")


async def _keys(
    request: web.Request, *, status: int = 200, made: NewKeyShown | None = None,
    wrong: ReelkilnError | None = None,
) -> web.Response:  # fmt: skip
    caller = see_keeper(request[CALLER])
    keys = await keys_seen(request.app[ACCESS], caller)
    return page(
        request, "keys.html", status=status, keys=keys[::-1], made=made, wrong=wrong,
        choices=[
            (scope.value, _WORDS[scope], scope in _CHOSEN) for scope in Scope if _may(caller, scope)
        ],
    )  # fmt: skip


def _may(caller: Caller, scope: Scope) -> bool:
    return may_grant(caller.scopes, frozenset({scope}))


def _asked(request: web.Request) -> KeyAsked:
    """The key that the form asks for; a day is meant to its end, in UTC."""
    form = request[FORM]
    fields = {name: form[name] for name in ("label", "world", "per_minute") if form.get(name)}
    scopes = [scope for scope in Scope if f"scope_{scope}" in form]
    if not scopes:
        raise BodyRefused("the key would open nothing", hint="tick what it may do")
    until = form.get("expires_on", "")
    try:
        day = datetime.combine(date.fromisoformat(until), time.max, UTC) if until else None
        return KeyAsked.model_validate({**fields, "expires_at": day, "scopes": scopes})
    except ValueError as error:
        raise BodyRefused(
            "the key cannot be made as it was asked for",
            hint="a world has letters, digits and . _ - alone; a day is written 2027-01-31",
        ) from error


KEY_PAGES = (
    PageRoute(method="GET", path="/ui/keys", handler=keys_page, scope=Scope.READ, nav="Keys"),
    PageRoute(method="POST", path="/ui/keys", handler=make_key, scope=Scope.READ),
    PageRoute(method="POST", path="/ui/keys/{key_id}/revoke", handler=revoke, scope=Scope.READ),
)
