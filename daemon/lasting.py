"""What is imported lasts as long as the process, and is never looked through for garbage.

To do so takes a quarter of a command that has little to do: again and again while it imports, and
once more at its end, where all of its memory goes anyway.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting() -> Iterator[None]:
    """Whatever is made within lasts to the end of the process."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def end_at_once() -> None:
    """Let the process end without a look for garbage; `atexit` does all that it has to."""
    atexit.register(gc.freeze)
