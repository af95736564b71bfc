"""Who calls, and what they may.

Without a single key the API is open, on loopback alone: whoever reaches it may do everything
but the moves of a worker. Pages of other sites are not "whoever": their origin gives them away.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from daemon.api.problems import KeyMissing, OriginRefused, ScopeMissing
from renderer.errors import UsageError


class Scope(StrEnum):
    """What a caller may do."""

    RENDER = "render"
    READ = "read"
    ADMIN = "admin"
    WORKER = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: jobs are those of `owner`; an admin sees every owner's."""

    owner: str
    scopes: frozenset[Scope]
    key_id: str = ""
    account_id: str = ""

    @property
    def sees_all(self) -> bool:
        """Whether other owners' jobs are visible."""
        return Scope.ADMIN in self.scopes


CALLER = web.RequestKey("reelkiln_caller", Caller)
ANYBODY = Caller(owner="", scopes=frozenset({Scope.RENDER, Scope.READ, Scope.ADMIN}))
"""Who calls where no key is asked for."""


def is_open() -> bool:
    """Whether no key is asked for."""
    return True


async def find_caller(request: web.Request) -> Caller | None:
    """The caller of a request; None when nobody is known to call."""
    refuse_other_sites(request)
    return ANYBODY


async def enter(request: web.Request, scope: Scope | None) -> None:
    """Find who calls and see that they may. Raises KeyMissing and ScopeMissing."""
    if scope is None:
        return
    caller = await find_caller(request)
    if caller is None:
        raise KeyMissing(
            "this needs a key",
            hint="send it as Authorization: Bearer rk_...",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if scope not in caller.scopes:
        raise ScopeMissing(
            f"this needs the scope {scope}", hint="use a key that has it, or have one made"
        )
    request[CALLER] = caller


def refuse_other_sites(request: web.Request) -> None:
    """Without keys a browser must not be lent out: neither by a foreign name nor a foreign page.

    Raises OriginRefused.
    """
    host = request.host.rpartition(":")[0] if _has_port(request.host) else request.host
    if not is_loopback(host):
        raise OriginRefused(
            f"this API is open, and answers on loopback alone, not as {request.host}",
            hint="ask 127.0.0.1 or localhost, or make a key",
        )
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise OriginRefused(
            "this API is open, and takes no requests from pages of other sites",
            hint="make a key, and name the site in REELKILN_CORS_ORIGINS",
        )


def refuse_open_elsewhere(host: str) -> None:
    """Raises UsageError for an address that others may reach."""
    if not is_loopback(host):
        raise UsageError(
            f"the API would be open to all who reach {host}",
            hint="make a key first, or serve on 127.0.0.1",
        )


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine alone."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdigit() and not host.endswith("]")
