"""Words become placed runs: which face, which line, which pixel."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from renderer.media import Size
from renderer.text.bidi import base_level, levels, visual_order
from renderer.text.faces import FontBook, FontFace
from renderer.text.graphemes import breakable_after, cleaned, clusters, visible
from renderer.text.style import Align, Direction, TextStyle

_SMALLEST_PX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Clusters of one face and one direction; `x` is the pen's left end in the block."""

    text: str
    face_key: str
    is_rtl: bool
    x: int = 0


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
    size after shrinking. `faces` are the digests of the fonts used, sorted. `missing` are
    the characters that no font has a glyph for, sorted.
    """

    text: str
    style: TextStyle
    size: Size
    size_px: int
    lines: tuple[Line, ...]
    faces: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One cluster with its face and level."""

    text: str
    face: FontFace
    level: int


def typeset(text: str, style: TextStyle, fonts: FontBook) -> TextBlock:
    """Break, shape and place `text`; letters shrink until the block fits its style's maxima.

    Pure: the same text, style and fonts give the same block. Raises ToolchainUnfit when
    there is no text engine or no font at all.
    """
    paragraphs, missing = _paragraphs(cleaned(text), style, fonts)
    block = _set(text, paragraphs, style.size_px, style, fonts)
    if block.size[1] > style.max_height_px or block.size[0] > style.max_width_px:
        block = _shrunk(text, paragraphs, style, fonts)
    return replace(block, missing=missing)


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


def spread_out(run: Run, style: TextStyle) -> bool:
    """Whether letter spacing applies: not to scripts whose letters are joined."""
    return style.letter_spacing_px != 0 and not any(map(_is_joined, run.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paragraph:
    units: tuple[Unit, ...]
    base: int


def _paragraphs(
    text: str, style: TextStyle, fonts: FontBook
) -> tuple[tuple[_Paragraph, ...], tuple[str, ...]]:
    candidates = _in_language_order(text, style, fonts)
    missing: set[str] = set()
    paragraphs = []
    for line in text.split("\n"):
        base = base_level(line) if style.direction is Direction.AUTO else 0
        base = 1 if style.direction is Direction.RTL else base
        units = _units(line, base, candidates, missing)
        paragraphs.append(_Paragraph(units=units, base=base))
    return tuple(paragraphs), tuple(sorted(missing))


def _in_language_order(text: str, style: TextStyle, fonts: FontBook) -> tuple[FontFace, ...]:
    """Faces to try; Han characters take Japanese or Korean shapes beside kana or hangul."""
    faces = fonts.candidates(style.families, italic=style.italic)
    tongue = "SC"
    if any(0x3040 <= ord(char) <= 0x30FF for char in text):
        tongue = "JP"
    elif any(0xAC00 <= ord(char) <= 0xD7A3 for char in text):
        tongue = "KR"
    chosen = {name.casefold() for name in style.families}

    def later(face: FontFace) -> bool:
        is_han = " CJK " in face.family and face.family.casefold() not in chosen
        return is_han and not face.family.endswith(tongue)

    return tuple(sorted(faces, key=later))


def _units(
    line: str, base: int, candidates: Sequence[FontFace], missing: set[str]
) -> tuple[Unit, ...]:
    all_levels = levels(line, base)
    units: list[Unit] = []
    place = 0
    for cluster in clusters(line):
        before = units[-1].face if units else None
        face = _face_for(cluster, candidates, before, missing)
        units.append(Unit(text=cluster, face=face, level=all_levels[place]))
        place += len(cluster)
    return tuple(units)


def _face_for(
    cluster: str, candidates: Sequence[FontFace], before: FontFace | None, missing: set[str]
) -> FontFace:
    needed = visible(cluster)
    # Spaces and points stay in the face they follow, so that a sentence is not torn apart.
    follows = before is not None and unicodedata.category(cluster[0])[0] in "ZPC"
    if follows and before is not None and before.covers(needed):
        return before
    for face in candidates:
        if face.covers(needed):
            return face
    for face in candidates:
        if face.covers(needed[:1]):
            missing.update(char for char in needed if not face.covers(char))
            return face
    missing.update(needed)
    return candidates[0]


def _shrunk(
    text: str, paragraphs: Sequence[_Paragraph], style: TextStyle, fonts: FontBook
) -> TextBlock:
    """The largest letters that fit; the smallest legible ones when none do."""
    low, high = min(_SMALLEST_PX, style.size_px), style.size_px - 1
    best = _set(text, paragraphs, low, style, fonts)
    while low < high:
        middle = (low + high + 1) // 2
        block = _set(text, paragraphs, middle, style, fonts)
        if block.size[0] <= style.max_width_px and block.size[1] <= style.max_height_px:
            low, best = middle, block
        else:
            high = middle - 1
    return best


def _set(
    text: str, paragraphs: Sequence[_Paragraph], size_px: int, style: TextStyle, fonts: FontBook
) -> TextBlock:
    ruler = Ruler(style=style, size_px=size_px, fonts=fonts)
    room = max(1, style.max_width_px - 2 * margins(style)[0])
    drafts = [
        ruler.draft(line, paragraph.base)
        for paragraph in paragraphs
        for line in _broken(paragraph.units, room, ruler)
    ]
    size, lines = _placed(drafts, size_px, style)
    used = {unit.face.sha256 for paragraph in paragraphs for unit in paragraph.units}
    return TextBlock(
        text=text,
        style=style,
        size=size,
        size_px=size_px,
        lines=lines,
        faces=tuple(sorted(used)),
        missing=(),
    )


def _broken(units: Sequence[Unit], room: int, ruler: Ruler) -> list[tuple[Unit, ...]]:
    lines: list[tuple[Unit, ...]] = []
    texts = [unit.text for unit in units]
    stops = [place + 1 for place in range(len(units)) if breakable_after(texts, place)]
    start = 0
    while start < len(units):
        fitting = start
        for stop in stops:
            if stop <= start:
                continue
            if ruler.width(_trimmed(units[start:stop])) > room:
                break
            fitting = stop
        if fitting == start:  # not even one word: it is broken inside
            end = next(stop for stop in stops if stop > start)
            fitting = start + _most_that_fit(units[start:end], room, ruler)
        lines.append(_trimmed(units[start:fitting]))
        start = fitting
    return lines or [()]


def _most_that_fit(units: Sequence[Unit], room: int, ruler: Ruler) -> int:
    low, high = 1, len(units)
    while low < high:
        middle = (low + high + 1) // 2
        if ruler.width(units[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _trimmed(units: Sequence[Unit]) -> tuple[Unit, ...]:
    end = len(units)
    while end and units[end - 1].text in (" ", "\u200b", "\u3000"):
        end -= 1
    return tuple(units[:end])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruler:
    """Measures runs at one letter size."""

    style: TextStyle
    size_px: int
    fonts: FontBook

    def width(self, units: Sequence[Unit]) -> int:
        """How far the ink and the pen of these units reach, in pixels."""
        draft = self.draft(units, 0)
        return draft.right - draft.left

    def draft(self, units: Sequence[Unit], base: int) -> _Draft:
        """The units as runs from left to right, with the bounds of their ink."""
        pen = left = right = 0
        above, below = self._metrics()
        ink_above = ink_below = 0
        runs = []
        for run in _ordered(units):
            box = self._bounds(run)
            runs.append(replace(run, x=pen))
            left, right = min(left, pen + box[0]), max(right, pen + box[2])
            ink_above, ink_below = max(ink_above, -box[1]), max(ink_below, box[3])
            pen += self.advance(run)
        return _Draft(
            text="".join(unit.text for unit in units),
            runs=tuple(runs),
            base=base,
            left=left,
            right=max(right, pen),
            above=max(above, ink_above),
            below=max(below, ink_below),
            ink_above=ink_above,
            ink_below=ink_below,
        )

    def advance(self, run: Run) -> int:
        """How far the pen moves, in whole pixels."""
        if not spread_out(run, self.style):
            return round(self._length(run.text, run))
        count = len(clusters(run.text))
        return round(self._length(run.text, run)) + count * self.style.letter_spacing_px

    def pieces(self, run: Run) -> list[tuple[str, int]]:
        """What is drawn at once, and how far right of the run's start."""
        if not spread_out(run, self.style):
            return [(run.text, 0)]
        found = []
        whole, done = self.advance(run), ""
        for count, cluster in enumerate(clusters(run.text)):
            offset = round(self._length(done, run)) + count * self.style.letter_spacing_px
            done += cluster
            if run.is_rtl:
                end = round(self._length(done, run)) + (count + 1) * self.style.letter_spacing_px
                offset = whole - end
            found.append((cluster, offset))
        return found

    def features(self, run: Run) -> list[str] | None:
        """The font features to turn off: letters set apart do not form ligatures."""
        return ["-liga", "-clig"] if spread_out(run, self.style) else None

    def _length(self, text: str, run: Run) -> float:
        if not text:
            return 0.0
        font = self.fonts.opened(self.fonts.face(run.face_key), self.style.weight, self.size_px)
        return font.getlength(text, direction=_way(run), features=self.features(run))

    def _bounds(self, run: Run) -> tuple[int, int, int, int]:
        font = self.fonts.opened(self.fonts.face(run.face_key), self.style.weight, self.size_px)
        boxes = []
        for text, offset in self.pieces(run):
            box = font.getbbox(text, direction=_way(run), features=self.features(run), anchor="ls")
            # One pixel more for the soft edge of letters.
            boxes.append((offset + box[0] - 1, box[1] - 1, offset + box[2] + 1, box[3] + 1))
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return (int(min(lefts)), int(min(tops)), int(max(rights)), int(max(bottoms)))

    def _metrics(self) -> tuple[int, int]:
        face = self.fonts.candidates(self.style.families, italic=self.style.italic)[0]
        return self.fonts.opened(face, self.style.weight, self.size_px).getmetrics()


def _way(run: Run) -> str:
    return "rtl" if run.is_rtl else "ltr"


def _ordered(units: Sequence[Unit]) -> tuple[Run, ...]:
    logical = []
    for (level, key), group in groupby(units, key=lambda unit: (unit.level, unit.face.key)):
        text = "".join(unit.text for unit in group)
        logical.append((level, Run(text=text, face_key=key, is_rtl=bool(level % 2))))
    return tuple(logical[place][1] for place in visual_order([level for level, _ in logical]))


def _placed(
    drafts: Sequence[_Draft], size_px: int, style: TextStyle
) -> tuple[Size, tuple[Line, ...]]:
    across, down = margins(style)
    inner = max(1, *(draft.right - draft.left for draft in drafts))
    step = size_px * style.line_spacing_percent // 100
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


def _indent(draft: _Draft, inner: int, align: Align) -> int:
    free = inner - (draft.right - draft.left)
    if align is Align.CENTER:
        return free // 2
    is_far = align is Align.RIGHT or (
        (align is Align.END) != bool(draft.base) if align in (Align.START, Align.END) else False
    )
    return free if is_far else 0


def _is_joined(char: str) -> bool:
    code = ord(char)
    return 0x0600 <= code <= 0x08FF or 0x0900 <= code <= 0x0DFF or 0xFB50 <= code <= 0xFEFC
