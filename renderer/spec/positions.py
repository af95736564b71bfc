"""Where in a text a value stands, and how to show that place to people."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from renderer.errors import Fault, Path, Position

Places = Mapping[Path, tuple[Position, Position]]
"""By path: the position of the key (of the item itself in a list), and that of the value."""

_LINE_END = re.compile(r"\r\n|\n|\r")
_TAB = "    "
_WINDOW = 96
_AFTER_CARET = 24
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(slots=True)
class Reading:
    """What a reader found in a text: the value, all faults, the place of every value.

    `is_whole` is False when the text could not be understood up to its end.
    """

    value: Any = None
    is_whole: bool = True
    faults: list[Fault] = field(default_factory=list)
    places: dict[Path, tuple[Position, Position]] = field(default_factory=dict)


class Lines:
    """The lines of a text, so that an index becomes a line and a column."""

    def __init__(self, text: str) -> None:
        self._text = text
        ends = list(_LINE_END.finditer(text))
        self._starts = [0, *(end.end() for end in ends)]
        self._stops = [*(end.start() for end in ends), len(text)]

    def at(self, index: int) -> Position:
        """The position of the character at `index` (the end of the text when it is past it)."""
        index = min(max(index, 0), len(self._text))
        line = bisect_right(self._starts, index) - 1
        return Position(line=line + 1, column=index - self._starts[line] + 1)

    def text_from(self, position: Position) -> str:
        """The rest of the line of `position`, from its column on."""
        return self.line(position.line)[position.column - 1 :]

    def line(self, number: int) -> str:
        """Line `number` without its end; empty when there is no such line."""
        if not 1 <= number <= len(self._starts):
            return ""
        return self._text[self._starts[number - 1] : self._stops[number - 1]]


def excerpt(lines: Lines, position: Position) -> str:
    """The line of a position and a second line with a caret under its column.

    Tabs are written out, characters that a terminal would obey are replaced, wide
    characters count twice, and a long line is cut to a window around the caret.
    """
    line = lines.line(position.line)
    at = min(position.column - 1, len(line))
    start = 0 if len(line) <= _WINDOW else max(0, at - (_WINDOW - _AFTER_CARET))
    stop = start + _WINDOW
    head = ("…" if start else "") + printable(line[start:at])
    tail = printable(line[at:stop]) + ("…" if stop < len(line) else "")
    return f"{head}{tail}\n{' ' * _width(head)}^"


def printable(text: str) -> str:
    """`text` for one line of a terminal: tabs as spaces, unseen characters as `·`."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character == "\t":
        return _TAB
    return "·" if unicodedata.category(character) in _UNSEEN else character


def _width(text: str) -> int:
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
