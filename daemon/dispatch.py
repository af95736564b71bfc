"""Who goes next: by class, then by time of arrival; whoever waits long moves up. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from daemon.jobs import Priority

AGEING_S = 600.0
"""A job that has waited this long goes with the class above its own."""


def rank_of(priority: Priority, arrived: float, now: float) -> int:
    """The class that something goes with now; 0 goes first, and nothing goes before that."""
    return max(0, priority.rank - int(max(0.0, now - arrived) // AGEING_S))


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Something that may be started: `arrived` and `not_before` in seconds of one clock."""

    name: str
    priority: Priority
    arrived: float
    not_before: float = 0.0

    def rank(self, now: float) -> int:
        """The class it goes with now."""
        return rank_of(self.priority, self.arrived, now)


def order(waiting: Iterable[Waiting], now: float) -> tuple[Waiting, ...]:
    """Those that may start now, in the order in which they should."""
    ready = (one for one in waiting if one.not_before <= now)
    return tuple(sorted(ready, key=lambda one: (one.rank(now), one.arrived, one.name)))
