"""Which addresses belong to the open internet, in whatever way they are written. Pure."""

from __future__ import annotations

import ipaddress

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # looks public and leads into a cloud's own machinery
            "192.0.0.0/24",  # another cloud's metadata; Python knew only parts of it as private
            "192.88.99.0/24",
            "64:ff9b:1::/48",
            "3fff::/20",
            "5f00::/16",
        ),
    )
)
"""What no Python, or only a later one, knows to be special."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet, also when it wraps an IPv4 address."""
    inner = _unwrapped(address)
    if inner is not None:
        return is_public(inner)
    is_special = address.is_multicast or address.is_reserved
    is_special = is_special or any(address in network for network in _NEVER_PUBLIC)
    return address.is_global and not is_special


def _unwrapped(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):  # ::a.b.c.d
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
