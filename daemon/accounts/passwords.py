"""Passwords: argon2id, with costs that follow RFC 9106."""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from daemon.accounts.refusals import PasswordUnfit

SHORTEST = 12
LONGEST = 1024
_HASHER = PasswordHasher()  # 64 MiB, three passes, four lanes


def check_password(password: str) -> None:
    """Raises PasswordUnfit for one that nobody should choose."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordUnfit(
            f"a password has {SHORTEST} to {LONGEST} characters, this one has {len(password)}",
            hint="a sentence is easy to remember and hard to guess",
        )


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(_bytes(password))


def matches(password: str, password_hash: str | None) -> bool:
    """Whether it is that password. None, for an unknown account, takes as long and is False."""
    if len(password) > LONGEST:
        return False
    try:
        _HASHER.verify(password_hash or _nobodys(), _bytes(password))
    except VerifyMismatchError:
        return False
    return password_hash is not None


def needs_new_hash(password_hash: str) -> bool:
    """Whether it was made with smaller costs than those of today."""
    return _HASHER.check_needs_rehash(password_hash)


def _bytes(password: str) -> bytes:
    # One password, however a keyboard composes its letters.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _nobodys() -> str:
    return _HASHER.hash(b"the password of nobody")
