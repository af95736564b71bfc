"""Says when the spec or a file it names was saved: events are hints, looking is the truth."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

POLL_S = 0.25
"""How often the files are looked at without a hint."""
_SETTLED_S = 0.03  # an editor that writes in place leaves the file empty for a moment

Sight = tuple[tuple[int, int, int] | None, ...]
"""What was seen of files: inode, size, time of the last change; None for one that is not there."""


def look(files: Sequence[Path]) -> Sight:
    """How the files are now."""
    return tuple(map(_look_at, files))


async def saved(files: Sequence[Path], seen: Sight, hint: asyncio.Event) -> Sight:
    """Wait until the files are no longer as they were `seen`, and then settled."""
    while True:
        now = look(files)
        if now != seen:
            return await _settled(files, now)
        hint.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(hint.wait(), POLL_S)


@contextmanager
def hints_of(folder: Path) -> Iterator[asyncio.Event]:
    """An event that is set when something happens in the folder; never, where none are given."""
    hint, observer = asyncio.Event(), Observer()
    handler = _Handler(asyncio.get_running_loop(), hint)
    try:
        observer.schedule(handler, str(folder))
        observer.start()
    except OSError:  # no more watches on this machine: the files are looked at all the same
        yield hint
        return
    try:
        yield hint
    finally:
        observer.stop()
        observer.join()


async def _settled(files: Sequence[Path], now: Sight) -> Sight:
    while True:
        await asyncio.sleep(_SETTLED_S)
        later = look(files)
        if later == now:
            return now
        now = later


def _look_at(path: Path) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # not there, or no name of a file at all
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


class _Handler(FileSystemEventHandler):
    def __init__(self, loop: asyncio.AbstractEventLoop, hint: asyncio.Event) -> None:
        self._loop, self._hint = loop, hint

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in ("opened", "closed_no_write"):  # our own reading
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._hint.set)
