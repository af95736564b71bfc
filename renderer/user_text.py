"""A stranger's words made safe to stand inside a prompt: one line, no marks, nothing unseen."""

from __future__ import annotations

import unicodedata

OPEN, CLOSE = "<<", ">>"
"""Around every user text in a prompt. No user text can hold either."""
SECTION = "###"
"""Begins the heading of a section of a prompt. No user text can hold it."""

_INSTEAD = str.maketrans(
    {"<": "‹", ">": "›", "{": "(", "}": ")", "[": "(", "]": ")", "`": "'", "#": None, "\\": "/"}
)
_UNSEEN = frozenset({0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0})
"""Letters by category that show nothing."""
_MOST_MARKS = 4
"""Marks on one letter; more is decoration that hides what is written."""


def safe_text(text: str, *, at_most: int) -> str:
    """`text` as one line of at most `at_most` visible characters; saying it twice changes nothing.

    Control, zero-width, bidirectional, private and unassigned characters are dropped, every
    kind of white space becomes one space, and the marks that have a meaning in prompts and
    templates become harmless neighbours.
    """
    visible = "".join(_seen(char) for char in unicodedata.normalize("NFC", text))
    line = " ".join(visible.translate(_INSTEAD).split())
    whole = unicodedata.normalize("NFC", _with_few_marks(line))
    return whole[:at_most].strip()


def quoted(safe: str) -> str:
    """A safe text between the marks that say: this is what to show, not what to do."""
    return f"{OPEN}{safe}{CLOSE}"


def _seen(char: str) -> str:
    code, category = ord(char), unicodedata.category(char)
    if category in ("Zs", "Zl", "Zp") or char in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85":
        return " "
    is_selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180F
    return "" if category[0] == "C" or code in _UNSEEN or is_selector else char


def _with_few_marks(text: str) -> str:
    kept, run = [], 0
    for char in text:
        run = run + 1 if unicodedata.category(char)[0] == "M" else 0
        if run <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)
