"""Sending to an address that a stranger gave: under the same guard as downloads, and one way.

Whatever answers, its status is all that is looked at: no body is read, no redirect is followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from renderer.errors import SourceUnavailable
from renderer.http import (
    Deadline,
    Passing,
    checked_addresses,
    first_answer,
    parsed,
    pinned_request,
    transport_errors,
    trust,
)
from renderer.http_policy import HttpPolicy

_MOST_ADDRESSES = 3  # each may take `connect_s`


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The status of the answer, and its Retry-After as it was written."""

    status: int
    retry_after: str = ""


def post(url: str, body: bytes, headers: Mapping[str, str], policy: HttpPolicy) -> Answered:
    """Send `body` once, within `policy.total_s` seconds once it is connected.

    Raises SourceRefused for an address that may not be sent to, SourceUnavailable when nobody
    answered.
    """
    target = parsed(url)
    with Deadline(policy.total_s) as deadline:
        try:
            return _posted(target, body, headers, policy, deadline)
        except Passing as error:
            late = f" within {policy.total_s:g} s" if deadline.is_over else ""
            raise SourceUnavailable(f"{error}{late}", hint="try again later") from error


def check_receiver(url: str, policy: HttpPolicy) -> None:
    """Look an address up without sending anything. Raises as `post` does before it connects."""
    checked_addresses(parsed(url), policy)


def _posted(
    url: httpx.URL, body: bytes, headers: Mapping[str, str], policy: HttpPolicy, deadline: Deadline
) -> Answered:
    addresses = checked_addresses(url, policy)[:_MOST_ADDRESSES]
    with transport_errors(url), httpx.HTTPTransport(verify=trust(url.scheme)) as transport:
        response = first_answer(
            transport,
            addresses,
            lambda to: pinned_request("POST", url, to, policy, deadline, headers, body),
        )
        response.close()  # unread
    return Answered(
        status=response.status_code, retry_after=response.headers.get("Retry-After", "")[:100]
    )
