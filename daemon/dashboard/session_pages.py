"""Pages of people: log in, log out, register, and who am I."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from daemon.api.callers import ACCESS, ANYBODY, CALLER, Scope
from daemon.api.people import (
    AccountAsked,
    LoginAsked,
    PasswordAsked,
    account_made,
    password_changed,
    session_begun,
    session_ended,
    shown_account,
    with_cookie,
    without_cookie,
)
from daemon.api.refusals import KeyMissing, RegistrationClosed
from daemon.dashboard.drawing import page, see
from daemon.dashboard.forms import FORM, form_as
from daemon.dashboard.page_route import PageRoute
from renderer.errors import ReelkilnError

_HOME = "/ui/jobs"
_OUR_PAGES = re.compile(r"/ui/[A-Za-z0-9/._~?&=%:+-]*", re.ASCII)
_NOTES = {
    "password": "The password is changed. Log in with it.",
    "out": "You are logged out.",
}


class _LoginForm(LoginAsked):
    next: str = ""


async def home(request: web.Request) -> web.Response:
    """`GET /`: the jobs are what people come for."""
    return see(request, _HOME)


async def login_page(request: web.Request) -> web.Response:
    """`GET /ui/login`."""
    if CALLER in request:
        return see(request, _home_or(request.query.get("next", "")))
    return _login(request, request.query.get("next", ""))


async def log_in(request: web.Request) -> web.Response:
    """`POST /ui/login`: a session, and on to the page that was asked for."""
    asked = form_as(request, _LoginForm)
    begun = await session_begun(request, LoginAsked(email=asked.email, password=asked.password))
    if begun is None:
        return _login(
            request, asked.next, status=401, email=asked.email,
            wrong="This address and this password do not belong together.",
        )  # fmt: skip
    return with_cookie(see(request, _home_or(asked.next)), begun, request.app[ACCESS])


async def log_out(request: web.Request) -> web.Response:
    """`POST /ui/logout`: the session ends here and now."""
    access = request.app[ACCESS]
    if CALLER in request:
        await session_ended(request[CALLER], access)
    return without_cookie(see(request, "/ui/login?told=out"), access)


async def register_page(request: web.Request) -> web.Response:
    """`GET /ui/register`: there, where somebody may make an account."""
    if not _may_register(request):
        raise RegistrationClosed(
            "accounts are made by admins alone", hint="ask one of them for an account"
        )
    return _register(request)


async def register(request: web.Request) -> web.Response:
    """`POST /ui/register`: an account; whoever made their own is logged in with it."""
    caller = request.get(CALLER)
    try:
        asked = form_as(request, AccountAsked)
        await account_made(request, asked, caller)
    except ReelkilnError as error:
        if isinstance(error, RegistrationClosed) or error.http_status >= 500:
            raise
        return _register(
            request, status=error.http_status, wrong=error, email=request[FORM].get("email", "")
        )
    if caller is not None and caller is not ANYBODY:
        return _register(request, made=asked.email)
    begun = await session_begun(request, LoginAsked(email=asked.email, password=asked.password))
    if begun is None:  # it was removed meanwhile
        return see(request, "/ui/login")
    return with_cookie(see(request, _HOME), begun, request.app[ACCESS])


async def me_page(request: web.Request) -> web.Response:
    """`GET /ui/me`: who calls, and what they may."""
    return await _me(request)


async def change_password(request: web.Request) -> web.Response:
    """`POST /ui/me/password`: every session ends, this one too."""
    access = request.app[ACCESS]
    try:
        await password_changed(request[CALLER], form_as(request, PasswordAsked), access)
    except ReelkilnError as error:
        if error.http_status >= 500:
            raise
        return await _me(request, status=error.http_status, wrong=error)
    return without_cookie(see(request, "/ui/login?told=password"), access)


async def _me(
    request: web.Request, *, status: int = 200, wrong: ReelkilnError | None = None
) -> web.Response:
    caller, access = request.get(CALLER), request.app[ACCESS]
    if caller is None:
        raise KeyMissing
    account = None
    if caller.account_id:
        account = await asyncio.to_thread(access.accounts.people.get, caller.account_id)
    return page(
        request, "me.html", status=status, wrong=wrong,
        account=shown_account(account) if account else None,
        scopes=sorted(caller.scopes), may_register=_may_register(request),
    )  # fmt: skip


def _login(
    request: web.Request, next_: str, *, status: int = 200, wrong: str = "", email: str = ""
) -> web.Response:
    return page(
        request, "login.html", status=status, next=_home_or(next_), wrong=wrong, email=email,
        note=_NOTES.get(request.query.get("told", ""), ""), may_register=_may_register(request),
    )  # fmt: skip


def _register(
    request: web.Request, *, status: int = 200, wrong: ReelkilnError | None = None,
    email: str = "", made: str = "",
) -> web.Response:  # fmt: skip
    return page(request, "register.html", status=status, wrong=wrong, email=email, made=made)


def _may_register(request: web.Request) -> bool:
    caller = request.get(CALLER)
    is_admin = caller is not None and caller.may(Scope.ADMIN)
    return is_admin or request.app[ACCESS].settings.is_registering


def _home_or(next_: str) -> str:
    """The page to go on to; only pages of ours."""
    return next_ if _OUR_PAGES.fullmatch(next_) and "//" not in next_ else _HOME


SESSION_PAGES = (
    PageRoute(method="GET", path="/ui/me", handler=me_page, scope=None, nav="Me"),
    PageRoute(method="POST", path="/ui/me/password", handler=change_password, scope=Scope.READ),
    PageRoute(method="GET", path="/", handler=home, scope=None, asks_nobody=True),
    PageRoute(method="GET", path="/ui/login", handler=login_page, scope=None),
    PageRoute(method="POST", path="/ui/login", handler=log_in, scope=None, asks_nobody=True),
    PageRoute(method="POST", path="/ui/logout", handler=log_out, scope=None),
    PageRoute(method="GET", path="/ui/register", handler=register_page, scope=None),
    PageRoute(method="POST", path="/ui/register", handler=register, scope=None),
)
