"""Runs measured at one letter size: where each glyph stands and where its ink ends."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import uharfbuzz as hb

from renderer.text.faces import FontBook
from renderer.text.runs import Glyph, Run, Unit, is_joined, ordered_runs, shaped
from renderer.text.style import TextStyle

_NO_LIGATURES = ("liga", "clig", "dlig")

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels, downwards, from the pen's start on the baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A line before it has a place: ink bounds relative to the pen's start and baseline."""

    text: str
    runs: tuple[Run, ...]
    base: int
    left: int
    right: int
    above: int
    below: int
    ink_above: int
    ink_below: int

    @property
    def width(self) -> int:
        """How far ink and pen reach, in pixels."""
        return self.right - self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruler:
    """Measures runs at one letter size. `ascent` and `descent` are of the first face."""

    style: TextStyle
    size_px: int
    fonts: FontBook
    ascent: int
    descent: int

    def draft(self, units: Sequence[Unit], base: int) -> Draft:
        """The units as runs from left to right, with the bounds of their ink."""
        pen = left = right = ink_above = ink_below = 0
        runs = []
        for run in ordered_runs(units):
            box = self.bounds(run)
            runs.append(replace(run, x=pen))
            left, right = min(left, pen + box[0]), max(right, pen + box[2])
            ink_above, ink_below = max(ink_above, -box[1]), max(ink_below, box[3])
            pen += self.advance(run)
        if runs:  # no letter follows the last one, so it is not set apart from any
            pen -= self._spacing(runs[-1])
        return Draft(
            text="".join(unit.text for unit in units),
            runs=tuple(runs),
            base=base,
            left=left,
            right=max(right, pen),
            above=max(self.ascent, ink_above),
            below=max(self.descent, ink_below),
            ink_above=ink_above,
            ink_below=ink_below,
        )

    def font(self, run: Run) -> hb.Font:
        """The opened font of a run."""
        return self.fonts.opened(self.fonts.face(run.face_key), self.style.weight)

    def scale(self, run: Run) -> float:
        """Pixels per unit of the run's font."""
        return self.size_px / float(self.fonts.face(run.face_key).tables.upem)

    def advance(self, run: Run) -> int:
        """How far the pen moves, in whole pixels."""
        glyphs = self._glyphs(run)
        pens = sum(glyph.advance for glyph in glyphs) * self.scale(run)
        return round(pens + self._spacing(run) * len({glyph.cluster for glyph in glyphs}))

    def placed(self, run: Run) -> Iterator[tuple[int, float, float]]:
        """Each glyph of a run: its number, and x and y (upwards) from the run's start."""
        scale, spacing = self.scale(run), self._spacing(run)
        pen = apart = 0
        before: int | None = None
        for glyph in self._glyphs(run):
            apart += before is not None and glyph.cluster != before
            yield (
                glyph.id,
                (pen + glyph.dx) * scale + apart * spacing,
                glyph.dy * scale,
            )
            pen, before = pen + glyph.advance, glyph.cluster

    def bounds(self, run: Run) -> Box:
        """The box of the run's ink, with a pixel more for the soft edge of letters."""
        font, scale = self.font(run), self.scale(run)
        found: Box | None = None
        for number, x, y in self.placed(run):
            ink = font.get_glyph_extents(number)
            if ink is None or not ink.width:
                continue
            box = (
                math.floor(x + ink.x_bearing * scale) - 1,
                math.floor(-y - ink.y_bearing * scale) - 1,
                math.ceil(x + (ink.x_bearing + ink.width) * scale) + 1,
                math.ceil(-y - (ink.y_bearing + ink.height) * scale) + 1,
            )
            found = box if found is None else _around(found, box)
        return found or (0, 0, 0, 0)

    def _glyphs(self, run: Run) -> tuple[Glyph, ...]:
        return shaped(run, self.font(run), _NO_LIGATURES if self._spacing(run) else ())

    def _spacing(self, run: Run) -> int:
        return 0 if is_joined(run) else self.style.letter_spacing_px


def _around(one: Box, other: Box) -> Box:
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )
