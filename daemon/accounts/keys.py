"""`Keys`: the keys of programs, made, found, listed and revoked."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import Engine, Row, insert, or_, select, update

from daemon.accounts.people import is_shut
from daemon.accounts.refusals import KeyUnfit, KeyUnknown
from daemon.accounts.tokens import TokenKind, new_token, proves, token_id_of
from daemon.accounts.types import ApiKey, Scopes, scopes_as_text, scopes_of_text
from daemon.database import reading, writing
from daemon.kept.tables import api_keys

USED_EVERY_S = 300.0
"""How old `last_used_at` may be: a write for each request would cost more than the request."""
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWish:
    """A key as it is asked for: see `ApiKey`. Raises KeyUnfit for one that makes no sense."""

    scopes: Scopes
    owner: str = ""
    label: str = ""
    world: str = ""
    per_minute: int | None = None
    expires_at: float | None = None

    def __post_init__(self) -> None:
        if not self.scopes:
            raise KeyUnfit("a key without a scope opens nothing", hint="give it render or read")
        if self.per_minute is not None and not 1 <= self.per_minute <= 1_000_000:
            raise KeyUnfit(f"{self.per_minute} requests a minute: 1 to 1000000 are possible")
        for name in ("owner", "label", "world"):
            if len(getattr(self, name)) > _LONGEST:
                raise KeyUnfit(f"the {name} of a key has at most {_LONGEST} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was just made; `secret` is all of it, and is never to be had again."""

    key: ApiKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """The table of keys. Every method raises KeptUnavailable."""

    engine: Engine

    def create(self, wish: KeyWish, *, now: float) -> NewKey:
        """Make a key. It works, and outlasts the power, before this returns."""
        token = new_token(TokenKind.KEY)
        key = ApiKey(
            key_id=token.token_id, last_four=token.last_four, created_at=now, **_wished(wish)
        )
        row = {**asdict(key), "scopes": scopes_as_text(key.scopes), "digest": token.digest}
        with writing(self.engine) as connection:
            connection.execute(insert(api_keys), row)
        return NewKey(key=key, secret=token.text)

    def find(self, text: str, *, now: float) -> ApiKey | None:
        """The live key of that text; None for every other, whatever is wrong with it, and for
        the keys of an account that is disabled."""
        key_id = token_id_of(TokenKind.KEY, text)
        with reading(self.engine) as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.key_id == key_id)).first()
            shut = row is not None and is_shut(connection, row.owner)
        if not proves(text, row.digest if row else None) or row is None:
            return None
        key = _key(row)
        if shut or not key.is_live(now):
            return None
        self._used(key, now)
        return key

    def all_keys(self, owner: str | None = None) -> tuple[ApiKey, ...]:
        """Every key ever made, or those of one owner; oldest first."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)
        if owner is not None:
            query = query.where(api_keys.c.owner == owner)
        with reading(self.engine) as connection:
            return tuple(map(_key, connection.execute(query)))

    def revoke(self, key_id: str, *, now: float, owner: str | None = None) -> ApiKey:
        """Shut a key for ever; a second time changes nothing. Raises KeyUnknown.

        With an `owner` a stranger's key is as unknown as one that never was.
        """
        mine = (
            api_keys.c.key_id == key_id,
            *([] if owner is None else [api_keys.c.owner == owner]),
        )
        shut = update(api_keys).where(*mine, api_keys.c.revoked_at.is_(None)).values(revoked_at=now)
        with writing(self.engine) as connection:
            connection.execute(shut)
            row = connection.execute(select(api_keys).where(*mine)).first()
        if row is None:
            raise KeyUnknown(f"there is no key {key_id}", hint="see: reelkiln keys list")
        return _key(row)

    def _used(self, key: ApiKey, now: float) -> None:
        last = key.last_used_at
        if last is not None and last > now - USED_EVERY_S:
            return
        stale = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < now)
        with writing(self.engine) as connection:
            connection.execute(
                update(api_keys)
                .where(api_keys.c.key_id == key.key_id, stale)
                .values(last_used_at=now)
            )


def _wished(wish: KeyWish) -> dict[str, Any]:
    return {name.name: getattr(wish, name.name) for name in fields(wish)}


def _key(row: Row[Any]) -> ApiKey:
    values = {name: value for name, value in row._asdict().items() if name != "digest"}
    return ApiKey(**{**values, "scopes": scopes_of_text(row.scopes)})
