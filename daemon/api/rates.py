"""How often, and how much: a token bucket for each caller, and one cap on the queue."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from daemon.api.refusals import QueueFull, TooManyRequests

_SECOND_NS = 10**9
_WINDOW_NS = 60 * _SECOND_NS
_MOST = 10_000
_COUNT_EVERY_S = 1.0
_REST = 100  # times as long as a count took
_QUEUE_RETRY_S = 10.0


@dataclass(slots=True)
class Rates:
    """Buckets of `per_minute` tokens that fill up evenly within a minute, one for each caller.

    A bucket is one number, the moment at which it is full again. They live in this process:
    daemons that share a PostgreSQL count each for itself. `clock` is monotonic, in whole
    nanoseconds, so that nothing is rounded however long it has run.
    """

    clock: Callable[[], int]
    _full_at: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, who: str, per_minute: int | None) -> None:
        """One request. Raises TooManyRequests when the bucket is empty. None is without end."""
        if per_minute is None:
            return
        with self._lock:
            now = self.clock()
            full_at = max(self._full_at.get(who, now), now) + _WINDOW_NS // per_minute
            wait = full_at - now - _WINDOW_NS
            if wait <= 0:
                self._full_at[who] = full_at
                self._forget_full_ones(now)
                return
        raise TooManyRequests(
            f"more than {per_minute} requests in a minute",
            retry_after=wait / _SECOND_NS,
            hint="wait as long as Retry-After says",
        )

    def _forget_full_ones(self, now: int) -> None:
        if len(self._full_at) > _MOST:
            self._full_at = {who: at for who, at in self._full_at.items() if at > now}


@dataclass(slots=True)
class QueueRoom:
    """The cap on how many jobs wait. `count` asks the index, at most once a second, and for no
    more than a hundredth of the time.

    Only the first waits for that: a long queue takes a while to be counted, so it is done anew
    `later`, beside those who come meanwhile. `clock` is monotonic, in seconds.
    """

    count: Callable[[], int]
    most: int
    clock: Callable[[], float]
    later: Callable[[Callable[[], None]], object]
    _waiting: int = 0
    _came: int = 0  # since the count began that is under way
    _count_at: float | None = None
    _is_counting: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> None:
        """Room for one more job. Raises QueueFull."""
        if self._is_out_of_date():
            self.later(self._count_anew)
        with self._lock:
            if self._count_at is None:
                self._waiting, self._count_at = self._counted()
            is_full = self._waiting >= self.most
            self._waiting += not is_full
            self._came += not is_full
        if is_full:
            raise QueueFull(
                f"{self.most} jobs wait already",
                retry_after=_QUEUE_RETRY_S,
                hint="try again when some are done, or raise REELKILN_MAX_QUEUED",
            )

    def _is_out_of_date(self) -> bool:
        """Whether it is time to count anew and nobody does; then the caller has to."""
        with self._lock:
            if self._count_at is None or self._is_counting:
                return False
            self._is_counting = self.clock() >= self._count_at
            self._came = 0
            return self._is_counting

    def _count_anew(self) -> None:
        try:
            waiting, count_at = self._counted()
            with self._lock:  # who came since it began may be counted or not: they count once more
                self._waiting, self._count_at = waiting + self._came, count_at
        finally:
            self._is_counting = False

    def _counted(self) -> tuple[int, float]:
        """How many wait, and when to count again."""
        began = self.clock()
        waiting = self.count()
        now = self.clock()
        return waiting, now + max(_COUNT_EVERY_S, (now - began) * _REST)


ROOM = web.AppKey("reelkiln_queue_room", QueueRoom)
