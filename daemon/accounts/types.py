"""Accounts, keys and sessions as values, and what they may do. Pure.

Times are seconds since 1970, UTC. None of these holds a secret or its digest, so that none can
leak one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a caller may do."""

    RENDER = "render"  # hand in specs, cancel jobs
    READ = "read"  # see jobs, fetch bundles
    ADMIN = "admin"  # both, for the jobs of every owner; keys and accounts of others
    WORKER = "worker"  # report on jobs that it runs


Scopes = frozenset[Scope]

RENDER_AND_READ: Scopes = frozenset({Scope.RENDER, Scope.READ})
"""What a new key or account may do unless more is said."""

_IMPLIED = {Scope.ADMIN: RENDER_AND_READ}


def allows(held: Scopes, needed: Scope) -> bool:
    """Whether these scopes are enough. An admin renders and reads, and is no worker."""
    return needed in held or any(needed in _IMPLIED.get(scope, ()) for scope in held)


def may_grant(held: Scopes, wanted: Scopes) -> bool:
    """Whether somebody with these scopes may hand those out: no more than they have.

    An admin grants every scope, as they could at the command line.
    """
    return Scope.ADMIN in held or wanted <= held


def scopes_as_text(scopes: Iterable[Scope]) -> str:
    """Sorted, joined by blanks: how a column holds them."""
    return " ".join(sorted(scopes))


def scopes_of_text(text: str) -> Scopes:
    """The inverse of `scopes_as_text`."""
    return frozenset(map(Scope, text.split()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who logs in. The jobs of an account have its id as their owner.

    Since `disabled_at` neither the person nor any key of the account opens anything.
    """

    account_id: str
    email: str
    scopes: Scopes
    created_at: float
    disabled_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of a program. It acts for `owner`, in one `world` or, when that is empty, in all.

    `per_minute` is how many requests it has a minute, None without end. `last_used_at` is
    right to a few minutes. `last_four` ends the key, for people to tell theirs apart.
    """

    key_id: str
    last_four: str
    owner: str
    label: str
    scopes: Scopes
    created_at: float
    world: str = ""
    per_minute: int | None = None
    expires_at: float | None = None
    revoked_at: float | None = None
    last_used_at: float | None = None

    def is_live(self, now: float) -> bool:
        """Whether it opens anything now."""
        return self.revoked_at is None and not _is_past(self.expires_at, now)

    def standing(self, now: float) -> str:
        """`live`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "live" if self.is_live(now) else "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that logged in."""

    session_id: str
    account_id: str
    created_at: float
    expires_at: float

    def is_live(self, now: float) -> bool:
        """Whether it opens anything now."""
        return not _is_past(self.expires_at, now)


def _is_past(moment: float | None, now: float) -> bool:
    return moment is not None and moment <= now
