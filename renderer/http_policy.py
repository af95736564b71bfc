"""What a download may do, for those who never download: `renderer.http` is slow to import."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from renderer.addresses import Network
from renderer.errors import UsageError
from renderer.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPolicy:
    """What a download may do.

    `total_s` bounds the whole of it with all attempts, `connect_s` each connection, `idle_s`
    each silence; `pause_s` is the wait before the second attempt. `networks` are let through
    although they are not public, for a media server in the house.
    """

    schemes: frozenset[str] = frozenset({"http", "https"})
    networks: tuple[Network, ...] = ()
    max_bytes: int = Limits().max_source_bytes
    max_redirects: int = Limits().max_redirects
    attempts: int = Limits().max_download_attempts
    connect_s: float = Limits().max_connect_s
    idle_s: float = Limits().max_idle_s
    total_s: float = Limits().max_download_s
    pause_s: float = 0.5
    plain_inside_only: bool = False  # http:// is for `networks` alone


def http_policy(limits: Limits, networks: str = "") -> HttpPolicy:
    """The policy of the settings; `networks` as in `10.0.0.0/8, 127.0.0.1`.

    Raises UsageError for what is not a network.
    """
    try:
        words = (word.strip() for word in networks.split(","))
        allowed = tuple(ipaddress.ip_network(word) for word in words if word)
    except ValueError as error:
        hint = "write addresses or networks, 10.0.0.0/8,127.0.0.1"
        raise UsageError(f"REELKILN_ALLOW_NETWORKS: {error}", hint=hint) from error
    return HttpPolicy(
        networks=allowed,
        max_bytes=limits.max_source_bytes,
        max_redirects=limits.max_redirects,
        attempts=limits.max_download_attempts,
        connect_s=limits.max_connect_s,
        idle_s=limits.max_idle_s,
        total_s=limits.max_download_s,
    )
