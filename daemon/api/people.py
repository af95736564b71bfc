"""Accounts and sessions over HTTP: register, log in, log out, and who am I."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, Field

from daemon.accounts.people import NewSession
from daemon.accounts.tokens import csrf_of
from daemon.accounts.types import RENDER_AND_READ, Account, Scope, Scopes
from daemon.api.bodies import Asked, body_as
from daemon.api.callers import ACCESS, ANYBODY, CALLER, Access, Caller, caller_of, is_loopback
from daemon.api.credentials import COOKIE, shown_by
from daemon.api.refusals import (
    KeyMissing,
    OwnAccount,
    PasswordWrong,
    RegistrationClosed,
    ScopeMissing,
)

_T = TypeVar("_T")
_R = TypeVar("_R", bound=web.Response)
_FROM_ONE_ADDRESS = 3  # so many people may share one


class AccountAsked(Asked):
    """An account to be made. `scopes` are for admins to choose."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=1024, repr=False)
    scopes: tuple[Scope, ...] | None = None


class LoginAsked(Asked):
    """A session to be begun."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=1024, repr=False)


class PasswordAsked(Asked):
    """A password to be changed."""

    old: str = Field(max_length=1024, repr=False)
    new: str = Field(max_length=1024, repr=False)


class AccountShown(BaseModel):
    """An account."""

    account_id: str
    email: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    disabled_at: datetime | None = None


class AccountChange(Asked):
    """Whether an account is shut."""

    disabled: bool


class AccountList(BaseModel):
    """Accounts, oldest first."""

    accounts: tuple[AccountShown, ...]


class SessionShown(BaseModel):
    """A session; unsafe requests send `csrf_token` in the header X-CSRF-Token."""

    account: AccountShown
    csrf_token: str = Field(repr=False)
    expires_at: datetime


class Me(BaseModel):
    """Who calls. `csrf_token` is there for sessions alone."""

    owner: str
    scopes: tuple[Scope, ...]
    account: AccountShown | None = None
    key_id: str | None = None
    world: str | None = None
    csrf_token: str | None = None


async def register(request: web.Request) -> web.Response:
    """`POST /v1/accounts`: for admins, and for anybody where registration is open.

    Who makes the first account of an API that is open to this machine becomes its admin.
    """
    caller = await known_caller(request)
    account = await account_made(request, await body_as(request, AccountAsked), caller)
    return _answer(shown_account(account), status=201)


async def log_in(request: web.Request) -> web.Response:
    """`POST /v1/sessions`: the cookie of a session, for an address and its password."""
    begun = await session_begun(request, await body_as(request, LoginAsked))
    if begun is None:
        raise KeyMissing
    return with_cookie(_answer(_shown_session(begun), status=201), begun, request.app[ACCESS])


async def log_out(request: web.Request) -> web.Response:
    """`DELETE /v1/sessions`: the session ends here and now, also for whoever copied its cookie."""
    access = request.app[ACCESS]
    await session_ended(await caller_of(request, access), access)
    return without_cookie(web.Response(status=204), access)


async def change_password(request: web.Request) -> web.Response:
    """`PUT /v1/me/password`: by who logged in and knows the old one; every session ends."""
    access = request.app[ACCESS]
    caller = await caller_of(request, access)
    await password_changed(caller, await body_as(request, PasswordAsked), access)
    return without_cookie(web.Response(status=204), access)


async def me(request: web.Request) -> web.Response:
    """`GET /v1/me`: who calls, and what they may."""
    access = request.app[ACCESS]
    caller = await caller_of(request, access)
    account = None
    if caller.account_id:
        account = await asyncio.to_thread(access.accounts.people.get, caller.account_id)
    return _answer(
        Me(
            owner=caller.owner,
            scopes=tuple(sorted(caller.scopes)),
            account=shown_account(account) if account else None,
            key_id=caller.key_id or None,
            world=caller.world or None,
            csrf_token=caller.csrf_token or None,
        )
    )


async def list_accounts(request: web.Request) -> web.Response:
    """`GET /v1/accounts`, for admins."""
    access = _of_admins(request)
    found = await asyncio.to_thread(access.accounts.people.all_accounts)
    return _answer(AccountList(accounts=tuple(map(shown_account, found))))


async def change_account(request: web.Request) -> web.Response:
    """`PATCH /v1/accounts/{account_id}`: shut an account with its sessions and keys, or open it."""
    access, account_id = _of_admins(request), request.match_info["account_id"]
    asked = await body_as(request, AccountChange)
    people = access.accounts.people
    if not asked.disabled:
        account = await asyncio.to_thread(people.enable, account_id)
    elif account_id == request[CALLER].owner:
        raise OwnAccount(
            "nobody shuts their own account: who would open it?", hint="ask another admin"
        )
    else:
        account = await asyncio.to_thread(people.disable, account_id, now=access.clock())
        access.known.changed(access.clock())
    return _answer(shown_account(account))


def _of_admins(request: web.Request) -> Access:
    """Accounts are of no world, so a key of one world has no say about them."""
    if request[CALLER].world:
        raise ScopeMissing("this key is for one world, and accounts are of none")
    return request.app[ACCESS]


def shown_account(account: Account) -> AccountShown:
    """An account as clients see it."""
    shut_at = account.disabled_at
    return AccountShown(
        account_id=account.account_id,
        email=account.email,
        scopes=tuple(sorted(account.scopes)),
        created_at=datetime.fromtimestamp(account.created_at, UTC),
        disabled_at=None if shut_at is None else datetime.fromtimestamp(shut_at, UTC),
    )


async def account_made(request: web.Request, asked: AccountAsked, caller: Caller | None) -> Account:
    """A new account. Raises RegistrationClosed, ScopeMissing, EmailTaken, EmailUnfit and so on."""
    access = request.app[ACCESS]
    scopes = _scopes_of(asked, caller, access)
    _slow_down(request, access, asked.email)
    made = await _costly(
        access,
        lambda: access.accounts.people.register(
            asked.email, asked.password, now=access.clock(), scopes=scopes
        ),
    )
    access.known.changed(access.clock())
    return made


async def session_begun(request: web.Request, asked: LoginAsked) -> NewSession | None:
    """A new session; None for a wrong address or password. Raises TooManyRequests."""
    access = request.app[ACCESS]
    _slow_down(request, access, asked.email)
    return await _costly(
        access,
        lambda: access.accounts.people.log_in(
            asked.email, asked.password, now=access.clock(), lasting=access.settings.session_s
        ),
    )


async def session_ended(caller: Caller, access: Access) -> None:
    """End the session that somebody came with, if they came with one."""
    if caller.session_id:
        await asyncio.to_thread(access.accounts.people.log_out, caller.session_id)


async def password_changed(caller: Caller, asked: PasswordAsked, access: Access) -> None:
    """Another password. Raises ScopeMissing, PasswordWrong, PasswordUnfit, TooManyRequests."""
    if not caller.session_id:
        raise ScopeMissing("only people have a password", hint="log in to change it")
    access.rates.take(f"password of {caller.account_id}", access.settings.logins_per_minute)
    changed = await _costly(
        access,
        lambda: access.accounts.people.change_password(caller.account_id, asked.old, asked.new),
    )
    if not changed:
        raise PasswordWrong("the old password is not this one", hint="nothing was changed")


def with_cookie(response: _R, begun: NewSession, access: Access) -> _R:
    """The answer, with the cookie of a session that was just begun."""
    response.set_cookie(
        COOKIE,
        begun.secret,
        max_age=int(access.settings.session_s),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=access.settings.secure_cookies,
    )
    return response


def without_cookie(response: _R, access: Access) -> _R:
    """The answer, and the browser forgets its session."""
    response.del_cookie(
        COOKIE, path="/", httponly=True, samesite="Strict", secure=access.settings.secure_cookies
    )
    return response


async def known_caller(request: web.Request) -> Caller | None:
    """Who calls; None for somebody who shows nothing at all."""
    access = request.app[ACCESS]
    try:
        return await caller_of(request, access)
    except KeyMissing:
        if shown_by(request).key is not None:
            raise
        return None


def _scopes_of(asked: AccountAsked, caller: Caller | None, access: Access) -> Scopes:
    is_admin = caller is not None and caller.may(Scope.ADMIN)
    if not (is_admin or access.settings.is_registering):
        raise RegistrationClosed(
            "accounts are made by admins alone", hint="ask one of them for an account"
        )
    if asked.scopes is None:
        return ANYBODY.scopes if caller is ANYBODY else RENDER_AND_READ
    if not is_admin:
        raise ScopeMissing("only an admin chooses scopes", hint="leave scopes out")
    return frozenset(asked.scopes)


def _slow_down(request: web.Request, access: Access, email: str) -> None:
    """Raises TooManyRequests for who tries many passwords, or one password on many accounts."""
    often = access.settings.logins_per_minute
    access.rates.take(f"password of {email.strip().casefold()}", often)
    address = request.remote or ""
    if not is_loopback(address):  # a proxy's, who speaks for many
        access.rates.take(f"passwords from {address}", often * _FROM_ONE_ADDRESS)


async def _costly(access: Access, act: Callable[[], _T]) -> _T:
    async with access.passwords:
        return await asyncio.to_thread(act)


def _shown_session(begun: NewSession) -> SessionShown:
    return SessionShown(
        account=shown_account(begun.account),
        csrf_token=csrf_of(begun.secret),
        expires_at=datetime.fromtimestamp(begun.session.expires_at, UTC),
    )


def _answer(model: BaseModel, *, status: int = 200) -> web.Response:
    return web.Response(
        body=model.model_dump_json().encode(), status=status, content_type="application/json"
    )
