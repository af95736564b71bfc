"""When to ask again, how long to wait first, and how many may ask at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from renderer.errors import NoImage, ProviderRefused, ProviderUnavailable, RateLimited

Made = TypeVar("Made")
Sleep = Callable[[float], None]
Clock = Callable[[], float]
_WORTH_ANOTHER_TRY = (RateLimited, ProviderUnavailable, NoImage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """`waits_s` before each further try. A provider that asks for more than `longest_s` is
    not waited for: the error goes up, with what it asked for.
    """

    waits_s: tuple[float, ...] = (1, 2, 4)
    longest_s: float = 120


class Limiter:
    """Shared by all tasks that use one provider.

    At most `at_once` requests are under way, at most `per_minute` begin in a minute (evenly
    spread; 0 is without limit), and when one task is told to wait, nobody asks before.
    """

    def __init__(
        self,
        *,
        at_once: int = 4,
        per_minute: int = 0,
        sleep: Sleep = time.sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        self._slots = threading.BoundedSemaphore(at_once)
        self._spacing = 60 / per_minute if per_minute else 0.0
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._not_before = clock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn; it ends with the block."""
        with self._slots:
            while (wait := self._taken()) > 0:
                self._sleep(wait)
            yield

    def hold(self, seconds: float) -> None:
        """Nobody begins within the next `seconds`."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + seconds)

    def _taken(self) -> float:
        """Nothing, and the turn is taken; or the seconds until it may be asked for again."""
        with self._lock:
            now = self._clock()
            if now < self._not_before:
                return self._not_before - now
            self._not_before = now + self._spacing
            return 0.0


def patiently(
    ask: Callable[[ProviderRefused | None], Made], limiter: Limiter, patience: Patience
) -> Made:
    """`ask` until it gives something; it is told why the try before failed.

    Waits at least as long as the provider asked for, never tries more often than there are
    waits and once. Raises what the last try raised.
    """
    before: ProviderRefused | None = None
    for wait in (*patience.waits_s, None):
        try:
            with limiter.turn():
                return ask(before)
        except _WORTH_ANOTHER_TRY as error:
            told = error.retry_after or 0.0
            if wait is None or told > patience.longest_s:
                raise
            limiter.hold(max(wait, told))
            before = error
    raise AssertionError("the last try returns or raises")
