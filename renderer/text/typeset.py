"""Words become placed runs: which face, which line, which pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from renderer.media import Size
from renderer.text.faces import FontBook
from renderer.text.graphemes import cleaned
from renderer.text.lines import Breaking, broken, measured
from renderer.text.ruler import Draft, Ruler
from renderer.text.runs import Caster, Run
from renderer.text.style import Align, TextStyle

_SMALLEST_PX = 4
_SOFT_EDGES_PX = 2
"""What the ruler adds to a line for the soft edges of its first and last letter."""
_WORDS_STAY_WHOLE_PERCENT = 50
"""Down to this share of the asked size letters shrink rather than tear a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Runs from left to right on one baseline, `baseline` pixels below the block's top."""

    text: str
    runs: tuple[Run, ...]
    baseline: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """A text with every run in its place.

    `size` is what `draw` draws, outline, shadow and box included. `size_px` is the letter
    size after shrinking. `faces` are the digests of the font files that decide how it looks,
    sorted; `own_fonts` those of them that the spec brings along, in its order. `missing` are
    the characters that no font has a glyph for, sorted. `overflow` is how many pixels are cut
    off on the right and below, since even the smallest letters do not fit.
    """

    text: str
    style: TextStyle
    size: Size
    size_px: int
    lines: tuple[Line, ...]
    faces: tuple[str, ...]
    own_fonts: tuple[str, ...]
    missing: tuple[str, ...]
    overflow: Size


def typeset(text: str, style: TextStyle, fonts: FontBook) -> TextBlock:
    """Break, shape and place `text`; letters shrink until the block fits its style's maxima.

    Words stay whole as long as half the asked size allows it; then the longest are torn.
    Pure: the same text, style and fonts give the same block. Raises ToolchainUnfit when
    there is no font at all.
    """
    setting = _Setting(cleaned(text), style, fonts)
    size_px = setting.largest_fitting()
    files = {face.file for face in setting.faces}
    (width, height), lines = setting.placed(size_px)
    size = (min(width, style.max_width_px), min(height, style.max_height_px))
    return TextBlock(
        text=text,
        style=style,
        size=size,
        size_px=size_px,
        lines=tuple(line for line in lines if line.baseline < size[1] + size_px),
        faces=tuple(sorted(file.sha256 for file in files)),
        own_fonts=tuple(file.sha256 for file in fonts.own_files if file in files),
        missing=tuple(sorted(setting.missing)),
        overflow=(width - size[0], height - size[1]),
    )


def ruler_for(style: TextStyle, size_px: int, fonts: FontBook) -> Ruler:
    """The ruler of a style at one letter size; lines are as high as its first face says."""
    faces = fonts.candidates(style.families, italic=style.italic, weight=style.weight)
    scale = size_px / float(faces[0].tables.upem)
    extents = fonts.opened(faces[0], style.weight).get_font_extents("ltr")
    return Ruler(
        style=style,
        size_px=size_px,
        fonts=fonts,
        ascent=round(extents.ascender * scale),
        descent=round(-extents.descender * scale),
    )


def margins(style: TextStyle) -> Size:
    """The room left on each side of the lines for outline, shadow and box, in pixels.

    The same left as right and above as below, so that the words stay in the middle.
    """
    across = down = style.outline.width_px if style.outline else 0
    if style.shadow:
        spread = 3 * style.shadow.blur_px
        across, down = (
            across + abs(style.shadow.dx) + spread,
            down + abs(style.shadow.dy) + spread,
        )
    if style.box:
        across = max(across, style.box.padding_x_px)
        down = max(down, style.box.padding_y_px)
    return (across, down)


class _Setting:
    """One text, tried at several sizes."""

    def __init__(self, text: str, style: TextStyle, fonts: FontBook) -> None:
        caster = Caster(text, style, fonts)
        paragraphs = [caster.units(line) for line in text.split("\n")]
        self._style, self._fonts = style, fonts
        self._paragraphs = [measured(units, base, style, fonts) for units, base in paragraphs]
        self.missing = caster.missing
        # The first face decides the height of lines even where none of its glyphs is used.
        self.faces = {caster.faces[0], *(unit.face for units, _ in paragraphs for unit in units)}

    def largest_fitting(self) -> int:
        """The letter size: as asked, or the largest that fits; the smallest when none does."""
        asked = self._style.size_px
        whole = max(1, asked * _WORDS_STAY_WHOLE_PERCENT // 100)
        for least, fits in ((whole, self._fits_whole), (min(_SMALLEST_PX, asked), self._fits)):
            if found := _largest(least, asked, fits):
                return found
        return min(_SMALLEST_PX, asked)

    def placed(self, size_px: int) -> tuple[Size, tuple[Line, ...]]:
        """The lines in their places, and the size of the block."""
        return _placed(self._drafts(self._breakings(size_px), size_px), size_px, self._style)

    def _fits_whole(self, size_px: int) -> bool:
        return self._fits(size_px, may_tear=False)

    def _fits(self, size_px: int, may_tear: bool = True) -> bool:
        breakings, style = self._breakings(size_px), self._style
        if not may_tear and any(breaking.torn for breaking in breakings):
            return False
        count = sum(len(breaking.lines) for breaking in breakings)
        if (count - 1) * _step(style, size_px) > style.max_height_px:
            return False  # plainly too high: no need to look at every glyph
        (width, height), _ = _placed(self._drafts(breakings, size_px), size_px, style)
        return width <= style.max_width_px and height <= style.max_height_px

    def _breakings(self, size_px: int) -> list[Breaking]:
        style = self._style
        room = max(1, style.max_width_px - 2 * margins(style)[0] - _SOFT_EDGES_PX)
        is_balanced = style.align is Align.CENTER
        return [
            broken(paragraph, room, size_px, style.letter_spacing_px, balance=is_balanced)
            for paragraph in self._paragraphs
        ]

    def _drafts(self, breakings: Sequence[Breaking], size_px: int) -> list[Draft]:
        ruler = ruler_for(self._style, size_px, self._fonts)
        return [
            ruler.draft(paragraph.units[slice(*span)], paragraph.base)
            for paragraph, breaking in zip(self._paragraphs, breakings, strict=True)
            for span in breaking.lines
        ]


def _step(style: TextStyle, size_px: int) -> int:
    """From one baseline to the next, in pixels."""
    return size_px * style.line_spacing_percent // 100


def _largest(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """The largest number from `low` to `high` that fits, `high` first; 0 when none does."""
    if fits(high):
        return high
    best = 0
    while low < high:
        middle = (low + high) // 2
        if fits(middle):
            best, low = middle, middle + 1
        else:
            high = middle
    return best


def _placed(
    drafts: Sequence[Draft], size_px: int, style: TextStyle
) -> tuple[Size, tuple[Line, ...]]:
    across, down = margins(style)
    inner = max(1, *(draft.width for draft in drafts))
    step = _step(style, size_px)
    lines: list[Line] = []
    baseline = down + drafts[0].above
    for before, draft in zip((None, *drafts), drafts, strict=False):
        if before is not None:
            # Tall letters push lines apart rather than run into each other.
            baseline += max(step, before.ink_below + draft.ink_above)
        start = across + _indent(draft, inner, style.align) - draft.left
        runs = tuple(replace(run, x=run.x + start) for run in draft.runs)
        lines.append(Line(text=draft.text, runs=runs, baseline=baseline))
    return (inner + 2 * across, baseline + drafts[-1].below + down), tuple(lines)


def _indent(draft: Draft, inner: int, align: Align) -> int:
    free = inner - draft.width
    if align is Align.CENTER:
        return free // 2
    is_far = align is Align.RIGHT or (
        (align is Align.END) != bool(draft.base) if align in (Align.START, Align.END) else False
    )
    return free if is_far else 0
