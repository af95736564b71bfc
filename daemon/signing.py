"""Signed URLs: who holds one may fetch one file for a while, and nothing else. Pure.

The signature is over method, path, owner, expiry and the name of the key. A URL is accepted in
the one spelling in which it was given out: there is nothing to normalise, and so to confuse.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from renderer.errors import ReelkilnError, UsageError

HOUR_S = 3600
LONGEST_S = 7 * 24 * HOUR_S
LEAST_KEY_BYTES = 32
_KID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_PATH = re.compile(r"/[!-\"$->@-~]*")  # as it stands in a request line: no blank, ? or #
_METHOD = re.compile(r"[A-Z]{1,16}")
_QUERY = re.compile(
    r"expires=([1-9][0-9]{0,11})&kid=([A-Za-z0-9_-]{1,32})&owner=([A-Za-z0-9_.~%-]{0,1000})"
    r"&signature=([A-Za-z0-9_-]{43})"
)


class LinkRefused(ReelkilnError):
    """A signed URL that is none of ours, was changed, or is over."""

    code = "link-refused"
    http_status = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key and the name that URLs call it by."""

    kid: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _KID.fullmatch(self.kid):
            raise UsageError(
                "a signing key has a bad name", hint="use 1 to 32 letters, digits, _ and -"
            )
        if len(self.secret) < LEAST_KEY_BYTES:
            raise UsageError(
                f"the signing key {self.kid} is shorter than {LEAST_KEY_BYTES} bytes",
                hint="make it of 32 random bytes",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a signed URL allows: its file, on behalf of `owner`, before `expires_at` (s, UTC)."""

    owner: str
    expires_at: int


def sign_url(
    keys: Sequence[SigningKey], path: str, *, owner: str, now: float, seconds: int = HOUR_S,
    method: str = "GET",
) -> str:  # fmt: skip
    """`path` with a query that lets it be fetched for `seconds`, signed with the first key.

    `path` is as in a request line, percent-encoded. Raises UsageError for a time under a second
    or over seven days, ValueError for no path.
    """
    if not 1 <= seconds <= LONGEST_S:
        raise UsageError(
            f"a link for {seconds} s is not possible", hint=f"ask for 1 to {LONGEST_S} seconds"
        )
    if not (_PATH.fullmatch(path) and _METHOD.fullmatch(method)):
        raise ValueError(f"{method} {path!r} cannot be signed")
    key, written = keys[0], quote(owner.encode("utf-8", "surrogatepass"), safe="")
    expires = str(int(now) + seconds)
    signature = _signature(key, method, path, expires, written)
    return f"{path}?expires={expires}&kid={key.kid}&owner={written}&signature={signature}"


def check_url(
    keys: Sequence[SigningKey], path: str, query: str, *, now: float, method: str = "GET"
) -> Grant:
    """What the URL allows. `path` and `query` are raw, as they came. Raises LinkRefused.

    Who may GET may HEAD. A link is good before its expiry, and not from that second on.
    """
    found = _QUERY.fullmatch(query)
    if found is None:
        raise _refusal("is not in the form in which links are given out")
    expires, kid, owner, signature = found.groups()
    key = next((key for key in keys if key.kid == kid), None)
    if key is None:
        raise _refusal("is signed with a key that is not in use")
    asked = "GET" if method == "HEAD" else method
    expected = _signature(key, asked, path, expires, owner)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise _refusal("has a signature that does not fit")
    if now >= int(expires):
        raise _refusal("is over")
    return Grant(
        owner=unquote(owner, encoding="utf-8", errors="surrogatepass"), expires_at=int(expires)
    )


def _signature(key: SigningKey, method: str, path: str, expires: str, owner: str) -> str:
    said = "\n".join(("reelkiln-link-1", method, path, expires, owner, key.kid))
    digest = hmac.new(key.secret, said.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _refusal(words: str) -> LinkRefused:
    return LinkRefused(f"the link {words}", hint="ask for a new one")
