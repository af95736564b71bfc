"""Words into lines: runs by font, wrapping, measuring, reading order."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from renderer.text.faces import FontBook, FontFace
from renderer.text.style import Direction, TextStyle

_JOINERS = frozenset("\u200d\ufe0e\ufe0f\u20e3")
_SMALLEST_PX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Letters of one face, `x` pixels into its line."""

    text: str
    face: int
    x: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Runs in visual order."""

    runs: tuple[Run, ...]
    width: int
    is_rtl: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """Typeset text. `size` holds everything drawn: outline, shadow and plate too."""

    text: str
    style: TextStyle
    lines: tuple[Line, ...]
    faces: tuple[str, ...]
    missing: tuple[str, ...]
    line_height: int
    ascent: int
    size: tuple[int, int]
    margin: tuple[int, int]


def typeset(text: str, style: TextStyle, fonts: FontBook) -> TextBlock:
    """Set `text`, smaller if need be so that it stays within the style's height."""
    block = _set(text, style, fonts, style.size_px)
    size = style.size_px
    while (block.size[1] > style.max_height_px or block.size[0] > _room(style)) and (
        size > _SMALLEST_PX
    ):
        size = max(_SMALLEST_PX, size * 9 // 10)
        block = _set(text, style, fonts, size)
    return replace(block, text=text)


def _room(style: TextStyle) -> int:
    margin = _margin(style)
    return style.max_width_px + 2 * margin[0] + 2


def _set(text: str, wanted: TextStyle, fonts: FontBook, size: int) -> TextBlock:
    style = replace(wanted, size_px=size)
    setter = _Setter(style, fonts)
    paragraphs = unicodedata.normalize("NFC", text).splitlines() or [""]
    lines = tuple(line for paragraph in paragraphs for line in setter.lines(paragraph))
    main = fonts.face_for("Hx", style.families, style.italic)
    ascent, descent = main.at(size, style.weight).getmetrics() if main else (size, size // 4)
    height = max(1, (ascent + descent) * style.line_spacing_percent // 100)
    margin = _margin(style)
    width = max((line.width for line in lines), default=1)
    total = height * (len(lines) - 1) + ascent + descent
    return TextBlock(
        text=text, style=style, lines=lines, faces=tuple(sorted(setter.used)),
        missing=tuple(sorted(setter.missing)), line_height=height, ascent=ascent,
        size=(_even(width + 2 * margin[0]), _even(total + 2 * margin[1])), margin=margin,
    )  # fmt: skip


def _margin(style: TextStyle) -> tuple[int, int]:
    extra = style.size_px // 8 + (style.outline.width_px if style.outline else 0)
    x = y = extra
    if style.shadow:
        x += abs(style.shadow.dx) + 2 * style.shadow.blur_px
        y += abs(style.shadow.dy) + 2 * style.shadow.blur_px
    if style.box:
        x, y = max(x, style.box.padding_x_px), max(y, style.box.padding_y_px)
    return x, y


def _even(side: int) -> int:
    return side + side % 2


class _Setter:
    def __init__(self, style: TextStyle, fonts: FontBook) -> None:
        self.style = style
        self.fonts = fonts
        self.used: set[str] = set()
        self.missing: set[str] = set()

    def lines(self, paragraph: str) -> list[Line]:
        rtl = self._is_rtl(paragraph)
        lines, current = [], ""
        for word in _words(paragraph):
            if current and self._width(current + word.rstrip()) > self.style.max_width_px:
                lines.append(current.rstrip())
                current = ""
            current += word if current or not word.isspace() else ""
            while self._width(current.rstrip()) > self.style.max_width_px and len(current) > 1:
                head = self._fitting(current)
                lines.append(head)
                current = current[len(head) :]
        lines.append(current.rstrip())
        return [self._line(text, rtl) for text in lines]

    def _fitting(self, text: str) -> str:
        clusters = _clusters(text)
        count = 1
        while count < len(clusters) and (
            self._width("".join(clusters[: count + 1])) <= self.style.max_width_px
        ):
            count += 1
        return "".join(clusters[:count])

    def _is_rtl(self, text: str) -> bool:
        if self.style.direction is not Direction.AUTO:
            return self.style.direction is Direction.RTL
        strong = (unicodedata.bidirectional(c) for c in text)
        return next((kind in ("R", "AL") for kind in strong if kind in ("L", "R", "AL")), False)

    def _runs(self, text: str) -> list[tuple[FontFace, str]]:
        runs: list[tuple[FontFace, str]] = []
        for cluster in _clusters(text):
            stays = cluster.isspace() and runs
            face = runs[-1][0] if stays else self.fonts.face_for(
                cluster, self.style.families, self.style.italic
            )  # fmt: skip
            if face is None:
                self.missing.add(cluster)
                continue
            self.used.add(face.sha256)
            if runs and runs[-1][0] is face:
                runs[-1] = (face, runs[-1][1] + cluster)
            else:
                runs.append((face, cluster))
        return runs

    def _length(self, face: FontFace, text: str) -> int:
        font = face.at(self.style.size_px, self.style.weight)
        spacing = self.style.letter_spacing_px * len(text)
        return max(0, round(font.getlength(text)) + spacing)

    def _width(self, text: str) -> int:
        return sum(self._length(face, part) for face, part in self._runs(text))

    def _line(self, text: str, rtl: bool) -> Line:
        runs, x = [], 0
        measured = [(face, part, self._length(face, part)) for face, part in self._runs(text)]
        for face, part, width in reversed(measured) if rtl else measured:
            number = next(n for n, known in enumerate(self.fonts.faces) if known is face)
            runs.append(Run(text=part, face=number, x=x))
            x += width
        return Line(runs=tuple(runs), width=x, is_rtl=rtl)


def _words(text: str) -> list[str]:
    """Pieces a line may end after: words with their spaces, single CJK characters."""
    return re.findall(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]|"
                      r"[^\s\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+\s*|\s+", text)


def _clusters(text: str) -> list[str]:
    """Characters with the marks and joiners that belong to them."""
    clusters: list[str] = []
    for char in text:
        joins = unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Mc", "Me")
        tone = "\U0001f3fb" <= char <= "\U0001f3ff"
        after_joiner = clusters and clusters[-1].endswith("\u200d")
        if clusters and (joins or tone or char in _JOINERS or after_joiner):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters
