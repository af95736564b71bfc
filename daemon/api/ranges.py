"""Byte ranges and validators of HTTP (RFC 9110, sections 13 and 14). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"^\s*bytes\s*=\s*([0-9]*)\s*-\s*([0-9]*)\s*$", re.IGNORECASE)
_DIGITS = 18  # no file is longer; int() of more is slow


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` up to, not including, `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start


class OutOfRange(Exception):
    """No byte of the range is there."""


def span_of(header: str | None, size: int) -> Span | None:
    """The one range that is asked for; None for the whole.

    Several ranges, other units and nonsense are not honoured, which RFC 9110 allows. Raises
    OutOfRange.
    """
    found = _ONE_RANGE.match(header or "")
    if found is None or not any(found.groups()) or max(map(len, found.groups())) > _DIGITS:
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise OutOfRange
    return Span(start, end)


def names_tag(header: str | None, etag: str) -> bool:
    """Whether If-None-Match names `etag` (or anything); weak marks do not count."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or "*" in tags


def range_holds(if_range: str | None, etag: str) -> bool:
    """Whether If-Range lets a range through: there is none, or it is this very tag."""
    return if_range is None or if_range.strip() == etag
