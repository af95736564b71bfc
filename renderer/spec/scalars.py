"""Faults that JSON and YAML share: numbers too large, fields written twice, limits passed."""

from __future__ import annotations

import math

from renderer.errors import Fault, Path, Position
from renderer.limits import Limits, over_limit

LARGEST_INTEGER = 2**53
"""Past this, JSON readers elsewhere lose digits; canonical JSON refuses it too."""

_LONGEST_NUMBER = 1000


def number_fault(written: str) -> Fault | None:
    """What is wrong with a number as it is written in the document; None when nothing is."""
    if len(written) > _LONGEST_NUMBER:
        message = f"a number of {len(written)} characters"
        return Fault(code="bad-number", message=message, hint="fewer digits will do")
    if not math.isfinite(float(written)):
        return Fault(code="not-finite", message=f"{_short(written)} is too large for a number")
    is_integer = written.lstrip("+-").isdigit()
    if is_integer and abs(int(written)) > LARGEST_INTEGER:
        message = f"{_short(written)} is past 2^53, where integers are no longer exact"
        return Fault(code="bad-number", message=message, hint="put it into quotes if it is a name")
    return None


def written_twice(path: Path, key: str, first: Position, second: Position) -> Fault:
    """A field that stands twice in one mapping; the fault is at the second."""
    message = f'the field "{_short(key)}" is written twice'
    hint = f"the first is at {first.line}:{first.column}; keep one of them"
    return Fault(
        code="duplicate-key", path=(*path, key), message=message, hint=hint, position=second
    )


def too_deep(path: Path, position: Position, limits: Limits) -> Fault:
    """Lists and mappings inside one another beyond the limit."""
    message = over_limit("nesting", "max_depth", limits.max_depth)
    return Fault(code="too-deep", path=_near(path), message=message, position=position)


def too_many(path: Path, position: Position, limits: Limits) -> Fault:
    """More values than the limit, aliases written out."""
    message = over_limit("the number of values", "max_nodes", limits.max_nodes)
    return Fault(code="too-many-values", path=_near(path), message=message, position=position)


def _near(path: Path) -> Path:
    """The beginning of a path that may be absurdly long."""
    return path[:4]


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
