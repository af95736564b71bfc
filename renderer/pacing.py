"""How long words take: to be said, and to be read."""

from __future__ import annotations

from fractions import Fraction

_CHARACTERS_A_WORD = 6  # with the space; scripts without spaces are counted fairly by it too
_SENTENCE_REST = Fraction(1, 4)
_ENDS = ".!?…。！？"


def spoken_seconds(text: str, *, pace: int = 150) -> Fraction:
    """Seconds that a voice needs for `text` at `pace` words a minute; at least one."""
    words = Fraction(len(" ".join(text.split())), _CHARACTERS_A_WORD)
    rests = sum(text.count(mark) for mark in _ENDS) * _SENTENCE_REST
    return max(Fraction(1), words * 60 / pace + rests)
