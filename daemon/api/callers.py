"""Who calls, and what they may.

A key comes in a header, a session in a cookie. Without any key, account or shared key the API is
open, on loopback alone: whoever reaches it may do everything but the moves of a worker. Pages of
other sites and proxies are not "whoever": their headers give them away.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256

from aiohttp import web

from daemon.accounts.store import Accounts
from daemon.accounts.tokens import csrf_of
from daemon.accounts.types import RENDER_AND_READ, ApiKey, Scope, Scopes, allows
from daemon.api.access_settings import SHARED_KEY, AccessSettings
from daemon.api.credentials import CSRF_HEADER, SAFE_METHODS, Shown, shown_by
from daemon.api.known_callers import KnownCallers
from daemon.api.problems import HttpRefusal
from daemon.api.rates import Rates
from daemon.api.refusals import CsrfRefused, KeyMissing, OriginRefused, ScopeMissing
from daemon.database import DatabaseUnavailable
from renderer.errors import UsageError

__all__ = ["ACCESS", "ANYBODY", "CALLER", "Access", "Caller", "Scope", "caller_of", "enter",
           "find_caller", "is_loopback", "is_open", "refuse_open_elsewhere", "require"]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: jobs are those of `owner`, in `world` or, when that is empty, in all.

    `identity` tells callers apart for rates and idempotency keys.
    """

    owner: str
    scopes: Scopes
    key_id: str = ""
    account_id: str = ""
    session_id: str = ""
    world: str = ""
    per_minute: int | None = None
    csrf_token: str = field(default="", repr=False)

    @property
    def sees_all(self) -> bool:
        """Whether other owners' jobs are visible, within the caller's world."""
        return Scope.ADMIN in self.scopes

    @property
    def identity(self) -> str:
        """Empty for the shared key and for anybody."""
        return self.key_id or self.account_id

    def sees(self, owner: str, world: str) -> bool:
        """Whether a thing of that owner in that world is there for this caller."""
        return (self.sees_all or owner == self.owner) and self.world in ("", world)

    def may(self, scope: Scope) -> bool:
        """Whether the scopes are enough."""
        return allows(self.scopes, scope)


CALLER = web.RequestKey("reelkiln_caller", Caller)
ANYBODY = Caller(owner="", scopes=RENDER_AND_READ | {Scope.ADMIN})
"""Who calls where no key is asked for."""
_SHARED = Caller(owner="", scopes=RENDER_AND_READ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The door of one API. `clock` gives seconds since 1970.

    Passwords are costly by design, so that `passwords` lets only a few be tried at once: the
    threads of the API stay free for everybody else.
    """

    accounts: Accounts
    settings: AccessSettings
    rates: Rates
    clock: Callable[[], float]
    passwords: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    known: KnownCallers = field(default_factory=KnownCallers)


ACCESS = web.AppKey("reelkiln_access", Access)


async def enter(request: web.Request, scope: Scope | None) -> None:
    """Find who calls and see that they may; `request[CALLER]` says who it was.

    Raises KeyMissing, CsrfRefused, OriginRefused, TooManyRequests and ScopeMissing. Without a
    scope nobody is asked.
    """
    if scope is None:
        return
    caller = await caller_of(request, request.app[ACCESS])
    require(caller, scope)
    request[CALLER] = caller


async def caller_of(request: web.Request, access: Access) -> Caller:
    """Who calls, with one request taken from their rate. Raises as `enter`, save ScopeMissing."""
    shown, now = shown_by(request), access.clock()
    caller = access.known.caller(shown, now)
    if caller is None:
        caller = await asyncio.to_thread(_looked_up, shown, access, now)
    elif access.known.is_to_be_looked_up(shown, now):
        asyncio.get_running_loop().run_in_executor(None, _look_again, shown, access, now)
    if caller is ANYBODY:
        _refuse_strangers(shown)
    access.rates.take(caller.key_id, caller.per_minute)
    return caller


def _looked_up(shown: Shown, access: Access, now: float) -> Caller:
    caller = find_caller(shown, access.accounts, access.settings, now=now)
    access.known.seen(shown, caller, now)
    return caller


def _look_again(shown: Shown, access: Access, now: float) -> None:
    try:
        _looked_up(shown, access, now)
    except HttpRefusal:
        access.known.refused(shown)
    except DatabaseUnavailable:
        pass  # whoever comes next asks and is told


def require(caller: Caller, scope: Scope) -> None:
    """Raises ScopeMissing."""
    if not caller.may(scope):
        raise ScopeMissing(
            f"this needs the scope {scope}", hint="use a key that has it, or have one made"
        )


def find_caller(
    shown: Shown, accounts: Accounts, settings: AccessSettings, *, now: float
) -> Caller:
    """Who shows this. Raises KeyMissing, CsrfRefused, OriginRefused; blocks on the database."""
    if shown.key is not None:
        return _by_key(shown.key, accounts, settings, now)
    found = _by_session(shown, accounts, now)
    if found is not None:
        return found
    if not is_open(accounts, settings):
        raise KeyMissing
    _refuse_strangers(shown)
    return ANYBODY


def is_open(accounts: Accounts, settings: AccessSettings) -> bool:
    """Whether no key is asked for. The first key or account shuts the door for good."""
    return settings.is_loopback and not settings.shared_key and accounts.is_empty()


def refuse_open_elsewhere(host: str, accounts: Accounts, settings: AccessSettings) -> None:
    """Raises UsageError for an address that others may reach, where nobody needs a key.

    Whether there is one cannot be known while the database is away: then nobody comes in.
    """
    if is_loopback(host) or settings.shared_key:
        return
    with suppress(DatabaseUnavailable):
        if not accounts.is_empty():
            return
        raise UsageError(
            f"the API would listen on {host}, and there is no key that could open it",
            hint=f"make one with: reelkiln keys create, or set {SHARED_KEY}, or use 127.0.0.1",
        )


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine alone."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _by_key(text: str, accounts: Accounts, settings: AccessSettings, now: float) -> Caller:
    if settings.shared_key and _same(text, settings.shared_key):
        return _SHARED
    key = accounts.keys.find(text, now=now)
    if key is None:
        raise KeyMissing
    return _caller(key)


def _caller(key: ApiKey) -> Caller:
    return Caller(
        owner=key.owner,
        scopes=key.scopes,
        key_id=key.key_id,
        world=key.world,
        per_minute=key.per_minute,
    )


def _by_session(shown: Shown, accounts: Accounts, now: float) -> Caller | None:
    if not shown.session:
        return None
    found = accounts.people.find(shown.session, now=now)
    if found is None:
        return None
    session, account = found
    csrf_token = csrf_of(shown.session)
    if shown.method not in SAFE_METHODS and not _same(shown.csrf, csrf_token):
        raise CsrfRefused(
            f"the header {CSRF_HEADER} is missing or not this session's",
            hint="GET /v1/me tells the token of the session",
        )
    return Caller(
        owner=account.account_id,
        scopes=account.scopes,
        account_id=account.account_id,
        session_id=session.session_id,
        csrf_token=csrf_token,
    )


def _same(one: str, other: str) -> bool:
    """Compared by digest, so that not even the length shows in the time it takes."""
    digests = [sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (one, other)]
    return hmac.compare_digest(*digests)


def _refuse_strangers(shown: Shown) -> None:
    """Without keys neither a browser nor a proxy may be lent out to others.

    A foreign name in Host is DNS that was turned towards us, a foreign Origin is another site's
    page, and a header of a proxy means that the world may stand behind loopback.
    """
    if not is_loopback(_without_port(shown.host)):
        raise OriginRefused(
            f"this API is open, and answers on loopback alone, not as {shown.host}",
            hint="ask 127.0.0.1 or localhost, or make a key",
        )
    if shown.origin is not None and shown.origin.partition("://")[2] != shown.host:
        raise OriginRefused(
            "this API is open, and takes no requests from pages of other sites",
            hint="make a key, and name the site in REELKILN_CORS_ORIGINS",
        )
    if shown.is_forwarded:
        raise OriginRefused(
            "this API is open, and takes no requests from proxies",
            hint="make a key before others can reach the API: reelkiln keys create",
        )


def _without_port(host: str) -> str:
    name, sign, port = host.rpartition(":")
    return name if sign and port.isdigit() and not host.endswith("]") else host
