"""Signed requests of the folder storage: what is asked, as a URL and back. Pure.

What a link allows stands in its query, in front of the signature, and is signed with the path:
as `path;terms`, a path that no key can have, since keys are quoted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from daemon.signing import SigningKey, check_url, sign_url
from daemon.storage.keys import checked_key

ROUTE = "/v1/storage/"
_TERMS = {"file_name": "name", "media_type": "type", "sha256": "sha256", "upload_id": "upload"}
_NUMBERS = {"part": "part", "size_bytes": "size"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a link allows; empty, 0 and None mean that nothing is asked of it."""

    method: str
    key: str
    media_type: str = ""
    size_bytes: int | None = None
    sha256: str = ""
    file_name: str = ""
    upload_id: str = ""
    part: int = 0


def order_url(keys: Sequence[SigningKey], order: Order, *, now: float, seconds: int) -> str:
    """The path and query of the request."""
    path, terms = ROUTE + quote(order.key, safe="/"), _terms(order)
    signed = sign_url(
        keys, f"{path};{terms}", owner="", now=now, seconds=seconds, method=order.method
    )
    signature = signed.partition("?")[2]
    return f"{path}?{terms}&{signature}" if terms else f"{path}?{signature}"


def order_of(
    keys: Sequence[SigningKey], path: str, query: str, *, now: float, method: str
) -> Order:
    """The order of a request; path and query are raw, as they came. Raises LinkRefused."""
    terms, _, rest = query.rpartition("expires=")
    terms = terms.removesuffix("&")
    check_url(keys, f"{path};{terms}", f"expires={rest}", now=now, method=method)
    return _order("GET" if method == "HEAD" else method, path, terms)


def _terms(order: Order) -> str:
    said = {name: getattr(order, field) for field, name in (_TERMS | _NUMBERS).items()}
    return "&".join(
        f"{name}={quote(str(value), safe='')}"
        for name, value in sorted(said.items())
        if value not in ("", None) and (name, value) != ("part", 0)
    )


def _order(method: str, path: str, terms: str) -> Order:
    said = dict(parse_qsl(terms))
    texts = {field: said.get(name, "") for field, name in _TERMS.items()}
    size = said.get("size")
    return Order(
        method=method, key=checked_key(unquote(path.removeprefix(ROUTE))),
        size_bytes=int(size) if size else None, part=int(said.get("part", 0)), **texts,
    )  # fmt: skip
