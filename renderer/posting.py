"""One POST to a service that the operator has named: bytes out, bytes in, bounded in time and size.

`renderer.http` and `renderer.http_post` guard against addresses of strangers; here the address is
configuration, so it may lie in the house and behind a proxy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What a service answered. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class PostFailed(Exception):
    """There was no whole answer: refused, too slow, broken off or too large."""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float = 30,
    max_bytes: int = 64 << 20,
) -> Posted:
    """Send `body` and read the whole answer within `timeout_s`. Raises PostFailed."""
    import httpx  # slow to import, and few jobs ask anybody

    from renderer.http import Deadline, shown

    timeout = httpx.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S))
    try:
        with (
            Deadline(timeout_s) as deadline,
            httpx.Client(timeout=timeout, follow_redirects=False) as client,
            client.stream(
                "POST",
                url,
                content=body,
                headers={"User-Agent": "reelkiln", **headers},
                extensions={"trace": deadline.trace},
            ) as response,
        ):
            told = {name.lower(): value for name, value in response.headers.items()}
            return Posted(
                status=response.status_code, headers=told, body=_read(response, max_bytes)
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        is_slow = deadline.is_over or isinstance(error, httpx.TimeoutException)
        why = f"no answer within {timeout_s:g} s" if is_slow else str(error) or type(error).__name__
        raise PostFailed(f"{shown(url)}: {why}") from error


def _read(response: httpx.Response, max_bytes: int) -> bytes:
    from renderer.http import shown

    found = bytearray()
    for chunk in response.iter_bytes():
        found += chunk
        if len(found) > max_bytes:
            raise PostFailed(f"{shown(response.url)}: an answer of more than {max_bytes} bytes")
    return bytes(found)
