"""Tokens: `rk_<id>_<secret>` for a key, `rs_<id>_<secret>` for a session.

The id finds the record, the secret proves the right to it. A secret has 256 random bits, so its
plain SHA-256 is safe to keep: nothing shorter than trying them all leads back.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

_FORM = re.compile(r"(rk|rs)_([0-9a-f]{16})_[0-9a-f]{64}", re.ASCII)
_NOBODYS = hashlib.sha256(b"nobody").hexdigest()


class TokenKind(StrEnum):
    """What a token is for, which is how it begins."""

    KEY = "rk"
    SESSION = "rs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A fresh token. `text` is the secret itself: it is shown once and kept nowhere."""

    token_id: str
    text: str = field(repr=False)

    @property
    def digest(self) -> str:
        """What is kept of it."""
        return digest_of(self.text)

    @property
    def last_four(self) -> str:
        """Its last four characters."""
        return self.text[-4:]


def new_token(kind: TokenKind) -> Token:
    """A token that nobody has had before."""
    token_id = secrets.token_hex(8)
    return Token(token_id=token_id, text=f"{kind}_{token_id}_{secrets.token_hex(32)}")


def token_id_of(kind: TokenKind, text: str) -> str | None:
    """The id in a token of that kind; None when the text is none."""
    found = _FORM.fullmatch(text)
    return found[2] if found and found[1] == kind else None


def digest_of(text: str) -> str:
    """The digest of a whole token, its id included: a secret under another's id is nothing."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def proves(text: str, digest: str | None) -> bool:
    """Whether the token has that digest. None, for an unknown id, takes as long and is False."""
    same = hmac.compare_digest(digest_of(text), _NOBODYS if digest is None else digest)
    return same and digest is not None


def csrf_of(session_token: str) -> str:
    """What a page must send along with an unsafe request, to show that it is ours.

    It follows from the session's token, which pages of other sites cannot read.
    """
    return hmac.digest(session_token.encode("utf-8", "surrogatepass"), b"csrf", "sha256").hex()
