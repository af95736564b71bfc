"""A thread that follows jobs: it is hinted at those that ended, and may be told to end itself.

What it does is its owner's; nothing here waits for it but `stop`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue


class Following:
    """Runs `run` on a daemon thread of that name, from `start` until it returns after `stop`."""

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self._hints: SimpleQueue[str] = SimpleQueue()
        self._news, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=run, name=name, daemon=True)

    @property
    def is_over(self) -> bool:
        """Whether it was told to end."""
        return self._ended.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Have it end, and wait for that."""
        self._ended.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join()

    def hint(self, job_id: str) -> None:
        """A job has probably ended. Never waits."""
        self._hints.put(job_id)
        self.wake()

    def wake(self) -> None:
        """There is something to look at."""
        self._news.set()

    def hinted(self) -> Iterator[str]:
        """The jobs that were hinted at and not taken yet, as they come, until there is none."""
        while True:
            try:
                yield self._hints.get_nowait()
            except Empty:
                return

    def wait(self, seconds: float | None) -> bool:
        """Wait for news, at most so long (None: for ever); whether there was any."""
        is_news = self._news.wait(seconds)
        self._news.clear()  # what came since is looked at after this, as all of it is
        return is_news
