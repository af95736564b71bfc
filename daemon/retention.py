"""How long what a job leaves is kept, and what of it is over. Pure.

done         the specs of jobs that succeeded or were cancelled
status       status documents of jobs that ended
quarantine   files that were refused or damaged
refused      specs in rejected/ and failed/, each with its error file
receipts     how jobs ended; without receipt and status document a job is forgotten
bundles      what was made
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Days that things are kept after the end of their job; 0 keeps them for good.

    A setting `done` is read from the environment as `REELKILN_KEEP_DONE_DAYS`.
    """

    done: int = 30
    status: int = 30
    quarantine: int = 30
    refused: int = 0
    receipts: int = 0
    bundles: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheBudget:
    """What the store may hold: bytes, and days since the last use; 0 sets no bound."""

    max_bytes: int = 0
    max_age_days: int = 0

    @property
    def is_bound(self) -> bool:
        """Whether there is anything to keep to."""
        return bool(self.max_bytes or self.max_age_days)


def keep_setting(name: str) -> str:
    """The environment variable of a field of `Retention`."""
    return f"REELKILN_KEEP_{name.upper()}_DAYS"


def over(
    found: Mapping[str, float], days: int, now: float, spared: Collection[str]
) -> tuple[str, ...]:
    """Names whose time is over, oldest first; `found` says since when each one counts."""
    if days <= 0:
        return ()
    ended = [(since, name) for name, since in found.items() if name not in spared]
    return tuple(name for since, name in sorted(ended) if now - since >= days * DAY_S)
