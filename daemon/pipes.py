"""Reading what a child says, on as many pipes as it has, without waiting for any one of them."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from typing import IO

_MOST = 1 << 18  # bytes at a time


def listen_to(
    selector: selectors.BaseSelector, pipe: IO[bytes], sink: Callable[[bytes], None]
) -> None:
    """From now on `pump` gives what is said on `pipe` to `sink`."""
    os.set_blocking(pipe.fileno(), False)
    selector.register(pipe, selectors.EVENT_READ, sink)


def pump(selector: selectors.BaseSelector, timeout_s: float) -> int:
    """Pass on what can be read now, or within `timeout_s`; how many pipes had something to say.

    A pipe that was closed at the other end is listened to no more.
    """
    ready = selector.select(timeout_s)
    for key, _ in ready:
        data = os.read(key.fd, _MOST)
        if data:
            key.data(data)
        else:
            selector.unregister(key.fileobj)
    return len(ready)
