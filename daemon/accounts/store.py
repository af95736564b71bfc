"""`Accounts`: everything that says who may call, in one database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, exists, or_, select

from daemon.accounts.idempotency import Idempotency
from daemon.accounts.keys import Keys
from daemon.accounts.people import People
from daemon.database import reading
from daemon.kept import open_kept
from daemon.kept.tables import accounts, api_keys

_IS_THERE_ANY = select(
    or_(exists(select(api_keys.c.key_id)), exists(select(accounts.c.account_id)))
)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Keys, people and idempotency records. Every method raises KeptUnavailable."""

    engine: Engine

    @property
    def keys(self) -> Keys:
        """The keys of programs."""
        return Keys(self.engine)

    @property
    def people(self) -> People:
        """Accounts with a password, and sessions."""
        return People(self.engine)

    @property
    def idempotency(self) -> Idempotency:
        """What was asked once already."""
        return Idempotency(self.engine)

    def is_empty(self) -> bool:
        """Whether neither a key nor an account was ever made. A revoked key counts: it must not
        open the door."""
        with reading(self.engine) as connection:
            return not connection.scalar(_IS_THERE_ANY)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def open_accounts(root: Path, environment: Mapping[str, str] = os.environ) -> Accounts:
    """Those of a root, their tables made. Raises UsageError and KeptUnavailable."""
    return Accounts(open_kept(root, environment))
