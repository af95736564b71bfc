"""`Idempotency`: a request that is sent twice is done once.

The rules are those of draft-ietf-httpapi-idempotency-key-header-07. A record holds, from its
first request on, the id that the job will have: who takes over from a daemon that died in the
middle goes on with that id, so that not even then two jobs come of it.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select, update

from daemon.accounts.refusals import IdempotencyInFlight, IdempotencyKeyReused, IdempotencyKeyUnfit
from daemon.database import insert_new, writing
from daemon.kept.tables import idempotency

KEPT_S = 24 * 3600.0
"""How long an answer is remembered."""
ATTEMPT_S = 60.0
"""After how long a request that neither ended nor failed is thought dead."""

_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BARE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_LONGEST = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Do it now, under `job_id`, and then `finish` or `abandon` with this."""

    scope: str
    key: str
    attempt: str
    job_id: str
    is_resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """It was done before: give this answer again."""

    job_id: str
    response: bytes


def idempotency_key(header: str) -> str:
    """The key in a header, which is `"quoted"`; bare ones are taken too.

    Raises IdempotencyKeyUnfit.
    """
    text = header.strip(" \t")
    quoted = _QUOTED.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if not (quoted or _BARE.fullmatch(text)) or not 1 <= len(key) <= _LONGEST:
        raise IdempotencyKeyUnfit(
            f"an Idempotency-Key has 1 to {_LONGEST} visible ASCII characters",
            hint='send a fresh UUID: Idempotency-Key: "8e03978e-40d5-43e8-bc93-6894a57f9324"',
        )
    return key


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The table of records. Every method raises KeptUnavailable.

    `scope` says who asks, so that no caller meets the keys of another.
    """

    engine: Engine

    def begin(
        self, scope: str, key: str, *, request_digest: str, job_id: str, now: float
    ) -> Begun | Done:
        """Do it, or give the answer of the first time. `job_id` is for a job yet to be made.

        Raises IdempotencyInFlight while the first request is at work, and IdempotencyKeyReused
        when the first request asked for something else.
        """
        begun = Begun(scope=scope, key=key, attempt=secrets.token_hex(8), job_id=job_id)
        with writing(self.engine) as connection:
            connection.execute(delete(idempotency).where(idempotency.c.expires_at <= now))
            if insert_new(connection, idempotency, _row(begun, request_digest, now)):
                return begun
            row = connection.execute(
                select(idempotency).where(*_is(scope, key)).with_for_update()
            ).first()
            return _answer(connection, begun, row, request_digest, now)

    def finish(self, begun: Begun, response: bytes) -> None:
        """Remember the answer. One that was remembered meanwhile stays."""
        kept = update(idempotency).where(
            *_is(begun.scope, begun.key),
            idempotency.c.job_id == begun.job_id,
            idempotency.c.response.is_(None),
        )
        with writing(self.engine) as connection:
            connection.execute(kept.values(response=response))

    def release(self, begun: Begun) -> None:
        """It failed in the middle: whoever asks next goes on with the same job at once."""
        mine = update(idempotency).where(*_mine(begun))
        with writing(self.engine) as connection:
            connection.execute(mine.values(attempt_until=0.0))

    def abandon(self, begun: Begun) -> None:
        """Nothing was done: the key is free again, unless another request took over."""
        with writing(self.engine) as connection:
            connection.execute(delete(idempotency).where(*_mine(begun)))


def _is(scope: str, key: str) -> tuple[Any, ...]:
    return (idempotency.c.scope == scope, idempotency.c.key == key)


def _mine(begun: Begun) -> tuple[Any, ...]:
    return (
        *_is(begun.scope, begun.key),
        idempotency.c.attempt == begun.attempt,
        idempotency.c.response.is_(None),
    )


def _row(begun: Begun, request_digest: str, now: float) -> dict[str, Any]:
    return {
        "scope": begun.scope,
        "key": begun.key,
        "request_digest": request_digest,
        "job_id": begun.job_id,
        "attempt": begun.attempt,
        "attempt_until": now + ATTEMPT_S,
        "created_at": now,
        "expires_at": now + KEPT_S,
    }


def _answer(
    connection: Connection, begun: Begun, row: Row[Any] | None, request_digest: str, now: float
) -> Begun | Done:
    if row is None:  # abandoned between two statements
        raise _in_flight()
    if row.request_digest != request_digest:
        raise IdempotencyKeyReused(
            "this Idempotency-Key was used for another request", hint="send a fresh one"
        )
    if row.response is not None:
        return Done(job_id=row.job_id, response=bytes(row.response))
    if row.attempt_until > now:
        raise _in_flight()
    connection.execute(
        update(idempotency)
        .where(*_is(begun.scope, begun.key))
        .values(attempt=begun.attempt, attempt_until=now + ATTEMPT_S)
    )
    return replace(begun, job_id=row.job_id, is_resumed=True)


def _in_flight() -> IdempotencyInFlight:
    return IdempotencyInFlight(
        "the first request with this Idempotency-Key is still being answered",
        hint="ask again in a few seconds",
    )
