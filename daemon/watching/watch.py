"""Events of the inbox: they wake the scanner and say which files were closed or renamed.

Only hints. Past some ten thousand drops at once the kernel drops most events, and network file
systems have none; whatever is missed here is found by the next scan.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watchdog.events import (
    DirDeletedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver

from daemon.places import Places
from daemon.watching.drops import CANCEL, FOLDERS, READY, Arrival, Hint, companion_of, kind_of

_MOST_HINTS = 20_000
_HEARD: list[type[FileSystemEvent]] = [
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    DirDeletedEvent,
]


class HintBook(FileSystemEventHandler):
    """What events said last about each path. Called by the observer, read by the scanner.

    A change after a close takes the hint back. Of too many names the oldest are forgotten: those
    drops wait until they have settled.
    """

    def __init__(self, wake: threading.Event, clock: Callable[[], float]) -> None:
        self._wake = wake
        self._clock = clock
        self._lock = threading.Lock()
        self._hints: OrderedDict[str, Hint] = OrderedDict()

    def of(self, path: str) -> Hint | None:
        """The hint about a path, if any."""
        return self._hints.get(path)

    def clear(self) -> None:
        """Forget everything: events were lost, or belong to another folder."""
        with self._lock:
            self._hints.clear()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note an event. Everything but a write in progress wakes the scanner."""
        source, target = os.fsdecode(event.src_path), os.fsdecode(event.dest_path)
        if isinstance(event, FileMovedEvent):
            self._note(source, None)
            self._note(target, Arrival.RENAMED)
        else:
            self._note(source, Arrival.CLOSED if isinstance(event, FileClosedEvent) else None)
        is_news = isinstance(event, DirDeletedEvent) or any(map(_is_of_interest, (source, target)))
        if is_news and not isinstance(event, FileModifiedEvent):
            self._wake.set()

    def _note(self, path: str, arrival: Arrival | None) -> None:
        if not _is_of_interest(path):
            return
        with self._lock:
            self._hints.pop(path, None)
            if arrival is not None:
                self._hints[path] = Hint(arrival, self._clock())
            while len(self._hints) > _MOST_HINTS:
                self._hints.popitem(last=False)


@dataclass(slots=True, kw_only=True)
class Watch:
    """Events of one inbox. `words` says why there are none; empty while there are.

    `wake` is set when a scan is worth while. Hints are dated by `clock`, which must be the one
    that the scanner is given. `refresh` before every scan; `stop` at the end.
    """

    places: Places
    wake: threading.Event
    clock: Callable[[], float] = time.monotonic
    words: str = "not started"
    hints: HintBook = field(init=False)
    _observer: Any = None
    _watched: tuple[tuple[int, int] | None, ...] = ()

    def __post_init__(self) -> None:
        self.hints = HintBook(self.wake, self.clock)

    @property
    def is_watching(self) -> bool:
        """Whether events arrive."""
        return not self.words

    def refresh(self) -> bool:
        """Watch the folders that are there now. Returns whether events arrive.

        A folder that was removed, or whose place another one took, is watched anew; when the
        machine has no more watches to give, `words` says so and scanning goes on without.
        """
        folders = [self.places.inbox / name if name else self.places.inbox for name, _ in FOLDERS]
        present = tuple(map(_identity, folders))
        if self._observer is not None and present == self._watched and self._is_alive():
            return self.is_watching
        if self._observer is None and self.words != "not started" and present == self._watched:
            return False  # it was refused; a changed folder is a reason to ask again
        self.stop()
        self._watched = present
        self._start([str(f) for f, seen in zip(folders, present, strict=True) if seen])
        return self.is_watching

    def stop(self) -> None:
        """End the watch and forget its hints."""
        observer, self._observer = self._observer, None
        self.words = "stopped"
        self.hints.clear()
        if observer is not None:
            _end(observer)

    def _is_alive(self) -> bool:
        emitters = self._observer.emitters
        return self._observer.is_alive() and all(e.should_keep_running() for e in emitters)

    def _start(self, folders: list[str]) -> None:
        observer: Any = None
        try:
            observer = _new_observer()
            observer.start()
            for folder in folders:
                observer.schedule(self.hints, folder, event_filter=_HEARD)
        except OSError as error:
            self.words = _words_of(error)
            if observer is not None:
                _end(observer)
            return
        self._observer = observer
        self.words = "" if folders else "there is no folder to watch"


def _new_observer() -> BaseObserver:
    """An observer that also tells of renames from folders it does not watch, where it can."""
    try:
        from watchdog.observers.inotify import InotifyObserver
    except ImportError:  # not Linux
        from watchdog.observers import Observer

        return Observer()
    # Its thread may read once more when it was stopped, and calls that an error.
    logging.getLogger(InotifyObserver.__module__).addFilter(_is_no_farewell)
    return InotifyObserver(generate_full_events=True)


def _is_no_farewell(record: logging.LogRecord) -> bool:
    return "called when the thread is inactive" not in record.getMessage()


def _end(observer: Any) -> None:
    observer.stop()
    if observer.is_alive():
        observer.join()


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)
    except OSError:  # the scan says what is wrong with it
        return None
    return status.st_dev, status.st_ino


def _is_of_interest(path: str) -> bool:
    name = os.path.basename(path)
    return bool(name) and (
        kind_of(name) is not None
        or companion_of(name, READY) is not None
        or companion_of(name, CANCEL) is not None
    )


def _words_of(error: OSError) -> str:
    return (
        f"the system gives no events for the inbox ({error.strerror}); it is scanned instead. "
        "For more watches: sysctl fs.inotify.max_user_watches=524288 "
        "fs.inotify.max_user_instances=1024"
    )
