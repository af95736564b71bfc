"""`.cancel` files for which there is no job any more: they would end the next drop of that name.

One may come before its drop, so it has a minute from when it was first seen here. The dates of
the file say nothing: another machine may have written them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from daemon.drops import CANCEL, FOLDERS
from daemon.fs import Fs
from daemon.inbox import Inbox
from daemon.jobs import job_from_json
from daemon.places import Claim, Places

GRACE_S = 60.0


@dataclass(slots=True, kw_only=True)
class Wishes:
    """The `.cancel` files of one inbox as one daemon sees them. For the thread that claims."""

    fs: Fs
    places: Places
    inbox: Inbox
    monotonic: Callable[[], float]
    _seen: dict[Path, tuple[tuple[int, int], float]] = field(default_factory=dict)

    def sweep(self, found: Iterable[Path]) -> None:
        """Remove those without a job; `found` adds to those known. Raises OSError."""
        now = self.monotonic()
        for path in {*found, *self._seen}:
            self._look(path, now)
        late = [path for path, (_, since) in self._seen.items() if now - since >= GRACE_S]
        if not late:
            return
        names = self._names_of_claims()
        for path in sorted(late):
            identity, _ = self._seen[path]
            if names is None or self._is_needed(path, names):
                self._seen[path] = (identity, now)  # looked at again after as long
            else:
                self.fs.unlink(path)
                del self._seen[path]

    @property
    def names(self) -> frozenset[str]:
        """The names of the drops that a `.cancel` file asks to end."""
        return frozenset(path.name.removesuffix(CANCEL) for path in self._seen)

    def _look(self, path: Path, now: float) -> None:
        """Know a file for as long as it is the same one."""
        found = self.fs.stat(path)
        if found is None:
            self._seen.pop(path, None)
            return
        identity = (found.st_ino, found.st_ctime_ns)
        if path not in self._seen or self._seen[path][0] != identity:
            self._seen[path] = (identity, now)

    def _is_needed(self, path: Path, names: frozenset[str]) -> bool:
        """Whether a drop or a claim bears the name, in whichever folder either lies."""
        name = path.name.removesuffix(CANCEL)
        drops = (self.places.inbox / folder / name for folder, _ in FOLDERS)
        return name in names or any(self.fs.stat(drop) is not None for drop in drops)

    def _names_of_claims(self) -> frozenset[str] | None:
        """The names of the drops that are claimed; None when one of them is not known yet."""
        names = [self._name_of(claim) for claim in self.inbox.claims()]
        return None if None in names else frozenset(name for name in names if name)

    def _name_of(self, claim: Claim) -> str | None:
        job = self.inbox.ledger.read(claim.job_id)
        if job is not None:
            return job.name
        intent = self.inbox.papers.read(self.places.intent(claim))
        return None if intent is None else job_from_json(intent).name
