"""What a request shows at the door, as a value: no database is asked here."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

COOKIE = "reelkiln_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TOKEN = web.RequestKey("reelkiln_form_token", str)
"""The token that a form of ours brought: forms cannot send headers."""
_LONGEST = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown: the key of a header, the session of a cookie, and where it comes from.

    `key` is None without such a header. Two headers that differ are a key that opens nothing.
    """

    method: str
    host: str
    key: str | None = field(default=None, repr=False)
    session: str = field(default="", repr=False)
    csrf: str = field(default="", repr=False)
    origin: str | None = None
    is_forwarded: bool = False
    address: str = ""


def shown_by(request: web.Request) -> Shown:
    """What a request shows."""
    headers = request.headers
    forwarded = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
    return Shown(
        method=request.method,
        host=request.host,
        key=_key_of(request),
        session=request.cookies.get(COOKIE, "")[:_LONGEST],
        csrf=(headers.get(CSRF_HEADER) or request.get(FORM_TOKEN, ""))[:_LONGEST],
        origin=headers.get("Origin"),
        is_forwarded=any(name in headers for name in forwarded),
        address=request.remote or "",
    )


def _key_of(request: web.Request) -> str | None:
    found = set(request.headers.getall("X-API-Key", []))
    for value in request.headers.getall("Authorization", []):
        scheme, _, rest = value.partition(" ")
        if scheme.casefold() == "bearer":  # other schemes are for a proxy before us
            found.add(rest.strip(" "))
    if not found:
        return None
    key = found.pop()
    return "" if found or len(key) > _LONGEST else key
