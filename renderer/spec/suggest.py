"""Did you mean: the nearest known name to an unknown one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean "text"?`, or nothing when nothing is near."""
    near = get_close_matches(name[:80].lower(), sorted(known), n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else ""


def listed(words: Sequence[str], last: str = "or") -> str:
    """`a, b or c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
