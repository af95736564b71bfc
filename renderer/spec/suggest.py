"""Did you mean: the nearest known name to an unknown one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean "text"?`, or nothing when nothing is near."""
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else ""
