"""What is wrong with the machine just now, as a health check reads it. For many threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One fault that lasts. `since` is in seconds since 1970."""

    code: str
    message: str
    since: float


@dataclass(slots=True, kw_only=True)
class Conditions:
    """The faults that last, at most one of each code."""

    clock: Callable[[], float]
    _known: dict[str, Condition] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> tuple[Condition, ...]:
        """All of them, the oldest first; none when all is well."""
        with self._lock:
            return tuple(sorted(self._known.values(), key=lambda one: (one.since, one.code)))

    def begin(self, code: str, message: str) -> bool:
        """Say that something is wrong; whether that is news. A known one keeps its date."""
        with self._lock:
            if code in self._known:
                return False
            self._known[code] = Condition(code=code, message=message, since=self.clock())
            return True

    def end(self, code: str) -> bool:
        """Say that it is well again; whether that is news."""
        with self._lock:
            return self._known.pop(code, None) is not None
