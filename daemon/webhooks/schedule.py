"""When a delivery is tried again. Pure: time and chance are arguments."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

MINUTE, HOUR = 60.0, 3600.0
WAITS_S = (
    0.0, 5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR,
    24 * HOUR,
)  # fmt: skip
"""Seconds before each attempt, counted from the one before it."""
JITTER = 0.1
"""A wait is longer by up to this share, so that many do not come back at the same moment."""
LONGEST_RETRY_AFTER_S = 24 * HOUR


def wait_after(attempt: int, chance: float, asked_s: float = 0.0) -> float | None:
    """Seconds from the failed `attempt` (from 1) to the next; None when it was the last.

    `chance` is from 0 up to 1; `asked_s` is what the receiver asked for.
    """
    if attempt >= len(WAITS_S):
        return None
    planned = WAITS_S[attempt] * (1 + JITTER * chance)
    return max(planned, min(asked_s, LONGEST_RETRY_AFTER_S))


def asked_of(retry_after: str, now: float) -> float:
    """Seconds that a Retry-After header asks for: a number or a date; 0 for anything else."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return 0.0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, aware.timestamp() - now), LONGEST_RETRY_AFTER_S)
