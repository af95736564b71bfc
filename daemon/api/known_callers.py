"""Who was let in a moment ago, so that not every request goes to the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from daemon.api.callers import Caller
    from daemon.api.credentials import Shown

_MOST = 10_000
_NOBODY = b""


@dataclass(slots=True)
class _Known:
    """Who they were when they were looked up, and since when somebody looks again."""

    caller: Caller
    at: float
    looking_since: float


@dataclass(slots=True)
class KnownCallers:
    """Those who show a key, or where none is asked for nothing, by what they show.

    What another process changes, a first key, one that is revoked, an account that is disabled,
    is heard of at most `FOR_S` seconds later; what is changed here, at once: whoever changes it
    says `changed`. Who comes often is looked up again before that moment is over, by one of their
    requests, and none waits. Who logged in is looked up each time.
    """

    FOR_S: ClassVar[float] = 0.25
    LOOK_AFTER_S: ClassVar[float] = 0.1
    _known: dict[bytes, _Known] = field(default_factory=dict)
    _changed_at: float = float("-inf")

    def caller(self, shown: Shown, now: float) -> Caller | None:
        """Who shows this, without asking; None when it takes a question."""
        known = self._of(shown)
        return known.caller if known and 0 <= now - known.at < self.FOR_S else None

    def is_to_be_looked_up(self, shown: Shown, now: float) -> bool:
        """Whether it is time to look again and nobody does; then the caller has to."""
        known = self._of(shown)
        if known is None or now - max(known.at, known.looking_since) < self.LOOK_AFTER_S:
            return False
        known.looking_since = now
        return True

    def seen(self, shown: Shown, caller: Caller, now: float) -> None:
        """They came at `now` and were let in."""
        name = _name_of(shown)
        if name is not None:
            self._known[name] = _Known(caller, at=now, looking_since=now)
            if len(self._known) > _MOST:
                self._forget_old_ones(now)

    def refused(self, shown: Shown) -> None:
        """They are not let in any more."""
        name = _name_of(shown)
        if name is not None:
            self._known.pop(name, None)

    def changed(self, now: float) -> None:
        """A key or an account was just made or shut here: who came before may be wrong, also who
        is being looked up."""
        self._changed_at = now

    def _of(self, shown: Shown) -> _Known | None:
        name = _name_of(shown)
        known = None if name is None else self._known.get(name)
        return known if known and known.at > self._changed_at else None

    def _forget_old_ones(self, now: float) -> None:
        for name, known in list(self._known.items()):
            if now - known.at >= self.FOR_S:
                self._known.pop(name, None)


def _name_of(shown: Shown) -> bytes | None:
    """No secret is kept: a key goes by its digest."""
    if shown.key is not None:
        return sha256(shown.key.encode("utf-8", "surrogatepass")).digest()
    return None if shown.session else _NOBODY
