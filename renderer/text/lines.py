"""Where the lines of a paragraph end: no wider than the room, no word torn without need."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from renderer.text.faces import FontBook
from renderer.text.graphemes import line_breaks, phrase_breaks
from renderer.text.runs import Unit, is_joined, logical_runs, shaped
from renderer.text.style import TextStyle

_BLANKS = (" ", "\u200b", "\u3000")
_BALANCED_LINES = 12
"""Longer texts are for reading: their lines are filled, not balanced."""


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Units, the base level, and how far each unit moves the pen in thousandths of an em.

    `spread` holds 1 for each unit that letter spacing applies to.
    """

    units: tuple[Unit, ...]
    base: int
    widths: tuple[float, ...]
    spread: tuple[int, ...]

    @cached_property
    def stops(self) -> tuple[int, ...]:
        """How many units may stand before the end of a line, the last one included."""
        return self._counts(line_breaks)

    @cached_property
    def good_stops(self) -> tuple[int, ...]:
        """The stops that leave words and phrases whole."""
        return self._counts(phrase_breaks)

    def _counts(self, breaks: Callable[[str], frozenset[int]]) -> tuple[int, ...]:
        ends = accumulate(len(unit.text) for unit in self.units)
        allowed = breaks("".join(unit.text for unit in self.units))
        return tuple(count for count, end in enumerate(ends, start=1) if end in allowed)

    @cached_property
    def pens(self) -> tuple[float, ...]:
        """Where the pen stands before each unit and after the last, in thousandths of an em."""
        return (0.0, *accumulate(self.widths))

    @cached_property
    def gaps(self) -> tuple[int, ...]:
        """How many letter spaces stand before each unit and after the last."""
        return (0, *accumulate(self.spread))

    def trimmed(self, start: int, end: int) -> int:
        """`end` without the blanks before it."""
        while end > start and self.units[end - 1].text in _BLANKS:
            end -= 1
        return end


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaking:
    """The lines of a paragraph as spans of units.

    `split` counts the lines that end inside a phrase, `torn` those that end where no line
    may end.
    """

    lines: tuple[tuple[int, int], ...]
    split: int
    torn: int

    def is_as_good_as(self, other: Breaking) -> bool:
        """Whether it has as many lines and breaks no more words."""
        return (len(self.lines), self.split, self.torn) == (
            len(other.lines),
            other.split,
            other.torn,
        )


def measured(units: tuple[Unit, ...], base: int, style: TextStyle, fonts: FontBook) -> Paragraph:
    """A paragraph with the widths of its units."""
    owners = [number for number, unit in enumerate(units) for _ in unit.text]
    widths, spread = [0.0] * len(units), [1] * len(units)
    place = 0
    for _, run in logical_runs(units):
        face = fonts.face(run.face_key)
        thousandth = float(face.tables.upem) / 1000
        for glyph in shaped(run, fonts.opened(face, style.weight)):
            widths[owners[place + glyph.cluster]] += glyph.advance / thousandth
        if is_joined(run):
            for owner in owners[place : place + len(run.text)]:
                spread[owner] = 0
        place += len(run.text)
    return Paragraph(units=units, base=base, widths=tuple(widths), spread=tuple(spread))


def broken(
    paragraph: Paragraph, room: int, size_px: int, spacing_px: int, *, balance: bool
) -> Breaking:
    """The paragraph in lines no wider than `room` pixels; balanced ones are about equal."""
    measure = _Measure(paragraph, size_px, spacing_px)
    greedy = measure.broken(room)
    if not balance or not 1 < len(greedy.lines) <= _BALANCED_LINES:
        return greedy
    low, high, best = 1, room, greedy
    while low < high:
        middle = (low + high) // 2
        tried = measure.broken(middle)
        if tried.is_as_good_as(greedy):
            high, best = middle, tried
        else:
            low = middle + 1
    return best


@dataclass(frozen=True, slots=True)
class _Measure:
    paragraph: Paragraph
    size_px: int
    spacing_px: int

    def width(self, start: int, end: int) -> float:
        end = self.paragraph.trimmed(start, end)
        pens = self.paragraph.pens
        gaps = self.paragraph.gaps[end] - self.paragraph.gaps[start]
        return (pens[end] - pens[start]) * self.size_px / 1000 + gaps * self.spacing_px

    def broken(self, room: int) -> Breaking:
        paragraph = self.paragraph
        lines: list[tuple[int, int]] = []
        split = torn = start = 0
        while start < len(paragraph.units):
            most = self._most(start, room)
            end = _last_stop(paragraph.good_stops, start, most)
            if not end:
                end = _last_stop(paragraph.stops, start, most)
                split += bool(end)
            if not end:  # not even one word
                end, torn = most, torn + 1
            lines.append((start, paragraph.trimmed(start, end)))
            start = end
        return Breaking(lines=tuple(lines) or ((0, 0),), split=split, torn=torn)

    def _most(self, start: int, room: int) -> int:
        """The end of the longest line from `start` that fits; at least one unit."""
        end, last = start + 1, len(self.paragraph.units)
        while end < last and self.width(start, end + 1) <= room:
            end += 1
        return end


def _last_stop(stops: Sequence[int], start: int, most: int) -> int:
    """The last stop after `start` and not after `most`; 0 when there is none."""
    place = bisect_right(stops, most) - 1
    return stops[place] if place >= 0 and stops[place] > start else 0
