"""`People`: accounts with a password, and the sessions of their browsers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, insert, select, update
from ulid import ULID

from daemon.accounts.passwords import check_password, hashed, matches, needs_new_hash
from daemon.accounts.refusals import AccountUnknown, EmailTaken, EmailUnfit
from daemon.accounts.tokens import TokenKind, new_token, proves, token_id_of
from daemon.accounts.types import (
    RENDER_AND_READ,
    Account,
    Scopes,
    Session,
    scopes_as_text,
    scopes_of_text,
)
from daemon.database import insert_new, reading, writing
from daemon.kept.tables import accounts, sessions

_LONGEST_EMAIL = 254
_ACCOUNT_ID = re.compile(r"[0-9A-Z]{26}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session that was just begun; `secret` is what the browser keeps."""

    session: Session
    account: Account
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class People:
    """The tables of accounts and sessions. Every method raises KeptUnavailable."""

    engine: Engine

    def register(
        self, email: str, password: str, *, now: float, scopes: Scopes = RENDER_AND_READ
    ) -> Account:
        """Make an account. Raises EmailUnfit, EmailTaken and PasswordUnfit."""
        check_password(password)
        account = Account(
            account_id=str(ULID.from_timestamp(now)),
            email=folded_email(email),
            scopes=scopes,
            created_at=now,
        )
        row = {
            "account_id": account.account_id,
            "email": account.email,
            "password_hash": hashed(password),  # takes a while, so before the lock
            "scopes": scopes_as_text(scopes),
            "created_at": now,
        }
        with writing(self.engine) as connection:
            if not insert_new(connection, accounts, row):
                raise EmailTaken("there is an account of that address", hint="log in with it")
        return account

    def get(self, account_id: str) -> Account | None:
        """The account of that id."""
        with reading(self.engine) as connection:
            query = select(accounts).where(accounts.c.account_id == account_id)
            row = connection.execute(query).first()
        return None if row is None else _account(row)

    def log_in(self, email: str, password: str, *, now: float, lasting: float) -> NewSession | None:
        """Begin a session of `lasting` seconds; None for a wrong address, a wrong password and
        a disabled account alike."""
        row = self._row_of(email)
        if not matches(password, row.password_hash if row else None) or row is None:
            return None
        if row.disabled_at is not None:  # told no better than a wrong password
            return None
        if needs_new_hash(row.password_hash):
            self._rehash(row.account_id, password)
        return self._begin(_account(row), now, lasting)

    def change_password(self, account_id: str, old: str, new: str) -> bool:
        """Another password, and the end of every session; False when `old` is not the one.

        Raises PasswordUnfit.
        """
        check_password(new)
        mine = accounts.c.account_id == account_id
        with reading(self.engine) as connection:
            known = connection.scalar(select(accounts.c.password_hash).where(mine))
        if not matches(old, known):
            return False
        changed = update(accounts).where(mine, accounts.c.password_hash == known)
        renewed = changed.values(password_hash=hashed(new))
        with writing(self.engine) as connection:
            if connection.execute(renewed).rowcount != 1:
                return False  # it was changed meanwhile
            connection.execute(delete(sessions).where(sessions.c.account_id == account_id))
        return True

    def find(self, text: str, *, now: float) -> tuple[Session, Account] | None:
        """The live session of that token, and whose it is."""
        session_id = token_id_of(TokenKind.SESSION, text)
        whose = sessions.join(accounts, sessions.c.account_id == accounts.c.account_id)
        columns = (
            sessions.c.digest,
            sessions.c.expires_at,
            sessions.c.created_at.label("begun_at"),
            *accounts.c,
        )
        query = select(*columns).select_from(whose).where(sessions.c.session_id == session_id)
        with reading(self.engine) as connection:
            row = connection.execute(query).first()
        if not proves(text, row.digest if row else None) or row is None or session_id is None:
            return None
        session = Session(
            session_id=session_id,
            account_id=row.account_id,
            created_at=row.begun_at,
            expires_at=row.expires_at,
        )
        is_live = session.is_live(now) and row.disabled_at is None
        return (session, _account(row)) if is_live else None

    def log_out(self, session_id: str) -> None:
        """End a session; one that is not there is no error."""
        with writing(self.engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.session_id == session_id))

    def log_out_everywhere(self, account_id: str) -> None:
        """End every session of an account."""
        with writing(self.engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.account_id == account_id))

    def all_accounts(self) -> tuple[Account, ...]:
        """Every account, oldest first."""
        query = select(accounts).order_by(accounts.c.created_at, accounts.c.account_id)
        with reading(self.engine) as connection:
            return tuple(map(_account, connection.execute(query)))

    def disable(self, account_id: str, *, now: float) -> Account:
        """Shut an account with every session and key of it, from the next request on.

        A second time changes nothing. Raises AccountUnknown.
        """
        return self._shut(account_id, accounts.c.disabled_at.is_(None), now)

    def enable(self, account_id: str) -> Account:
        """Open it again: its keys live again, its sessions do not. Raises AccountUnknown."""
        return self._shut(account_id, accounts.c.disabled_at.is_not(None), None)

    def _shut(self, account_id: str, which: ColumnElement[bool], at: float | None) -> Account:
        unknown = AccountUnknown(
            f"there is no account {account_id}", hint="see: reelkiln accounts list"
        )
        if not _ACCOUNT_ID.fullmatch(account_id):
            raise unknown
        mine = accounts.c.account_id == account_id
        with writing(self.engine) as connection:
            connection.execute(update(accounts).where(mine, which).values(disabled_at=at))
            row = connection.execute(select(accounts).where(mine)).first()
            if at is not None:
                connection.execute(delete(sessions).where(sessions.c.account_id == account_id))
        if row is None:
            raise unknown
        return _account(row)

    def _row_of(self, email: str) -> Row[Any] | None:
        try:
            folded = folded_email(email)
        except EmailUnfit:
            return None  # as unknown as any other address
        with reading(self.engine) as connection:
            return connection.execute(select(accounts).where(accounts.c.email == folded)).first()

    def _begin(self, account: Account, now: float, lasting: float) -> NewSession:
        token = new_token(TokenKind.SESSION)
        session = Session(
            session_id=token.token_id,
            account_id=account.account_id,
            created_at=now,
            expires_at=now + lasting,
        )
        with writing(self.engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
            connection.execute(insert(sessions), {**asdict(session), "digest": token.digest})
        return NewSession(session=session, account=account, secret=token.text)

    def _rehash(self, account_id: str, password: str) -> None:
        renewed = update(accounts).where(accounts.c.account_id == account_id)
        with writing(self.engine) as connection:
            connection.execute(renewed.values(password_hash=hashed(password)))


def folded_email(email: str) -> str:
    """The address as accounts are found by it. Raises EmailUnfit.

    What mail servers take is for them to say; this keeps out what cannot be one.
    """
    folded = unicodedata.normalize("NFKC", email).strip().casefold()
    name, sign, host = folded.rpartition("@")
    printable = folded.isprintable() and " " not in folded
    if not (name and sign and host and printable and len(folded) <= _LONGEST_EMAIL):
        raise EmailUnfit("this is not an address of mail", hint="write name@host")
    return folded


def is_shut(connection: Connection, owner: str) -> bool:
    """Whether that owner is an account which was disabled. Most owners are no accounts."""
    if not _ACCOUNT_ID.fullmatch(owner):
        return False
    mine = select(accounts.c.disabled_at).where(accounts.c.account_id == owner)
    return connection.scalar(mine) is not None


def _account(row: Row[Any]) -> Account:
    return Account(
        account_id=row.account_id,
        email=row.email,
        scopes=scopes_of_text(row.scopes),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )
