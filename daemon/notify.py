"""Telling systemd how we are (sd_notify); nothing when nobody listens."""

from __future__ import annotations

import socket
from collections.abc import Mapping


def notify(words: str, environment: Mapping[str, str]) -> None:
    """Send `READY=1`, `WATCHDOG=1` or `STOPPING=1`. A listener that is gone is no fault."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        name = "\0" + address[1:] if address.startswith("@") else address
        try:
            line.sendto(words.encode(), name)
        except OSError:
            return  # systemd will notice the silence by itself
