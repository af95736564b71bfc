"""Keys over HTTP: an account makes, lists and revokes its own; an admin everybody's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, Field

from daemon.accounts.keys import KeyWish
from daemon.accounts.types import RENDER_AND_READ, ApiKey, Scope, may_grant
from daemon.api.bodies import Asked, body_as
from daemon.api.callers import ACCESS, Access, Caller, caller_of
from daemon.api.refusals import ScopeMissing


class KeyAsked(Asked):
    """A key to be made. `owner` is for admins to choose; else it is whoever asks."""

    label: str = Field(default="", max_length=200)
    scopes: tuple[Scope, ...] = tuple(sorted(RENDER_AND_READ))
    owner: str | None = Field(default=None, max_length=200)
    world: str = Field(default="", max_length=64, pattern=r"^[A-Za-z0-9._-]*$")
    per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    expires_at: AwareDatetime | None = None


class KeyShown(BaseModel):
    """A key, without what opens."""

    key_id: str
    last_four: str
    owner: str
    label: str
    scopes: tuple[Scope, ...]
    world: str
    per_minute: int | None
    standing: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewKeyShown(KeyShown):
    """A key that was just made: `key` is all of it, this once."""

    key: str = Field(repr=False)


class KeyList(BaseModel):
    """Keys, oldest first."""

    keys: tuple[KeyShown, ...]


async def create_key(request: web.Request) -> web.Response:
    """`POST /v1/keys`: a key with no more rights than who asks for it."""
    access = request.app[ACCESS]
    caller = await _keeper(request, access)
    made = await key_made(access, await body_as(request, KeyAsked), caller)
    return _answer(made, status=201)


async def list_keys(request: web.Request) -> web.Response:
    """`GET /v1/keys`."""
    access = request.app[ACCESS]
    caller = await _keeper(request, access)
    return _answer(KeyList(keys=await keys_seen(access, caller)))


async def revoke_key(request: web.Request) -> web.Response:
    """`DELETE /v1/keys/{key_id}`: shut from the next request on."""
    access = request.app[ACCESS]
    caller = await _keeper(request, access)
    await key_revoked(access, request.match_info["key_id"], caller)
    return web.Response(status=204)


async def key_made(access: Access, asked: KeyAsked, caller: Caller) -> NewKeyShown:
    """A new key. Raises ScopeMissing for one with more rights than the caller has."""
    now = access.clock()
    made = await asyncio.to_thread(access.accounts.keys.create, _wish(asked, caller), now=now)
    access.known.changed(access.clock())
    return NewKeyShown(**_shown(made.key, now).model_dump(), key=made.secret)


async def keys_seen(access: Access, caller: Caller) -> tuple[KeyShown, ...]:
    """The keys that the caller may see, oldest first."""
    found = await asyncio.to_thread(access.accounts.keys.all_keys, _within(caller))
    now = access.clock()
    return tuple(_shown(key, now) for key in found)


async def key_revoked(access: Access, key_id: str, caller: Caller) -> None:
    """Shut a key that the caller may see. Raises what the accounts raise for others."""
    await asyncio.to_thread(
        access.accounts.keys.revoke, key_id, now=access.clock(), owner=_within(caller)
    )
    access.known.changed(access.clock())


def see_keeper(caller: Caller) -> Caller:
    """Raises ScopeMissing for who may not see to keys.

    A key that is stolen must not be able to make itself another.
    """
    if not (caller.session_id or caller.may(Scope.ADMIN)):
        raise ScopeMissing("keys are made and seen by people who logged in, and by admins")
    return caller


async def _keeper(request: web.Request, access: Access) -> Caller:
    return see_keeper(await caller_of(request, access))


def _within(caller: Caller) -> str | None:
    return None if caller.sees_all else caller.owner


def _wish(asked: KeyAsked, caller: Caller) -> KeyWish:
    scopes = frozenset(asked.scopes)
    if not may_grant(caller.scopes, scopes):
        raise ScopeMissing("a key has no more scopes than who makes it")
    if asked.owner not in (None, caller.owner) and not caller.sees_all:
        raise ScopeMissing("only an admin makes keys for others")
    if caller.world not in ("", asked.world):
        raise ScopeMissing(f"keys made here are for the world {caller.world} alone")
    return KeyWish(
        scopes=scopes,
        owner=caller.owner if asked.owner is None else asked.owner,
        label=asked.label,
        world=asked.world,
        per_minute=asked.per_minute,
        expires_at=None if asked.expires_at is None else asked.expires_at.timestamp(),
    )


def _shown(key: ApiKey, now: float) -> KeyShown:
    return KeyShown(
        key_id=key.key_id,
        last_four=key.last_four,
        owner=_text(key.owner),
        label=_text(key.label),
        scopes=tuple(sorted(key.scopes)),
        world=_text(key.world),
        per_minute=key.per_minute,
        standing=key.standing(now),
        created_at=datetime.fromtimestamp(key.created_at, UTC),
        expires_at=_moment(key.expires_at),
        revoked_at=_moment(key.revoked_at),
        last_used_at=_moment(key.last_used_at),
    )


def _text(text: str) -> str:
    """JSON has no lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _answer(model: BaseModel, *, status: int = 200) -> web.Response:
    return web.Response(
        body=model.model_dump_json().encode(), status=status, content_type="application/json"
    )
