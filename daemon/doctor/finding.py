"""What the doctor found, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. A fault means that jobs will fail or be unsafe."""

    OK = "ok"
    WARN = "warn"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. `fix` says what to do and is empty when all is well."""

    check: str
    level: Level
    message: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        """For programs."""
        return asdict(self)


def fine(check: str, message: str) -> Finding:
    """Nothing to do."""
    return Finding(check=check, level=Level.OK, message=message)


def poor(check: str, message: str, fix: str) -> Finding:
    """It works, yet not as well as it could."""
    return Finding(check=check, level=Level.WARN, message=message, fix=fix)


def broken(check: str, message: str, fix: str) -> Finding:
    """It will not work."""
    return Finding(check=check, level=Level.FAULT, message=message, fix=fix)
