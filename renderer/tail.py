"""The last lines of a stream, however much is said on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

_LONGEST_LINE = 4096  # bytes


@dataclass(slots=True, kw_only=True)
class Tail:
    """Keeps the last `most` lines that are not blank, each as `clean` gives it back."""

    most: int
    clean: Callable[[str], str] = str.strip
    _lines: deque[str] = field(default_factory=deque)
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """More of the stream. A carriage return ends a line as well."""
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self._rest = self._rest[-_LONGEST_LINE:]
        self._lines.extend(self._words(line) for line in lines if line.strip())
        while len(self._lines) > self.most:
            self._lines.popleft()

    def lines(self) -> tuple[str, ...]:
        """The last lines, oldest first, with one that was not ended."""
        rest = (self._words(self._rest),) if self._rest.strip() else ()
        return (*self._lines, *rest)[-self.most :]

    def _words(self, line: bytes) -> str:
        return self.clean(line[:_LONGEST_LINE].decode("utf-8", "replace"))
