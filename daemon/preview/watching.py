"""Says when the spec or a file it names was saved, by looking at them all the time.

Looking at a file costs a microsecond, so no events are asked for: they would come later.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

_PAUSE_S = 0.02
"""Between two looks. An editor that writes in place leaves the file empty for a moment, so what
has changed must then stay as it is for one pause."""
_SHARE = 20  # a pause lasts at least so many looks: many files on a slow disk are looked at less

Sight = tuple[tuple[int, int, int] | None, ...]
"""What was seen of files: inode, size, time of the last change; None for one that is not there."""


def look(files: Sequence[Path]) -> Sight:
    """How the files are now."""
    return tuple(map(_look_at, files))


async def saved(files: Sequence[Path], seen: Sight) -> Sight:
    """Wait until the files are no longer as they were `seen`, and then settled."""
    before = seen
    while True:
        began = time.monotonic()
        now = look(files)
        if now == before and now != seen:
            return now
        before = now
        await asyncio.sleep(max(_PAUSE_S, _SHARE * (time.monotonic() - began)))


def _look_at(path: Path) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # not there, or no name of a file at all
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
