"""Which addresses belong to the open internet, in whatever way they are written. Pure."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NEVER_PUBLIC: tuple[Network, ...] = (
    ipaddress.IPv4Network("168.63.129.16"),  # looks public and leads into a cloud's own machinery
    ipaddress.IPv4Network("192.0.0.0/24"),  # so does this; Python 3.11 knows parts of it
    ipaddress.IPv4Network("192.88.99.0/24"),
    ipaddress.IPv6Network("3fff::/20"),
)
"""What no Python, or only a later one, knows to be special."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet, also when it wraps an IPv4 address."""
    inner = _unwrapped(address)
    if inner is not None:
        return is_public(inner)
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    is_special = address.is_multicast or address.is_reserved
    return address.is_global and not (
        is_special or any(address in network for network in _NEVER_PUBLIC)
    )


def _unwrapped(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):  # ::a.b.c.d
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
