"""The glyphs of a run as ink: coverage of the letters, of their outline, and colour pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import comb

import uharfbuzz as hb
from fontTools.pens.recordingPen import RecordingPen
from PIL import Image, ImageDraw

from renderer.text.ruler import Ruler
from renderer.text.runs import Run

_SMOOTHING = 4
_CURVE_STEPS = 8

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """A picture and where its top left corner lies, from the run's start on the baseline."""

    picture: Image.Image
    left: int
    top: int


def letters(run: Run, ruler: Ruler) -> Ink | None:
    """How much of each pixel the letters of a run cover (mode L); None without any ink."""
    font, scale = ruler.font(run), ruler.scale(run)
    pen = hb.RasterDraw()
    for number, x, y in ruler.placed(run):
        pen.transform = (scale, 0.0, 0.0, scale, x, y)
        pen.draw_glyph(font, number)
    return _ink(pen.render(), "L", "L")


def colour_glyphs(run: Run, ruler: Ruler) -> Iterator[Ink]:
    """The glyphs of a run that bring their own colours (mode RGBA)."""
    font, scale = ruler.font(run), ruler.scale(run)
    for number, x, y in ruler.placed(run):
        extents = font.get_glyph_extents(number)
        if extents is None or not extents.width:
            continue
        brush = hb.RasterPaint()
        brush.transform = (scale, 0.0, 0.0, scale, x, y)
        brush.set_glyph_extents(extents)
        brush.paint_glyph(font, number)
        ink = _ink(brush.render(), "RGBa", "BGRa")
        if ink is not None:
            yield Ink(picture=ink.picture.convert("RGBA"), left=ink.left, top=ink.top)


def outline(run: Run, ruler: Ruler, width_px: int) -> Ink | None:
    """How much of each pixel lies within `width_px` of an edge of the letters (mode L)."""
    left, top, right, bottom = ruler.bounds(run)
    if right <= left:
        return None
    room = width_px + 1
    left, top = left - room, top - room
    size = ((right + room - left) * _SMOOTHING, (bottom + room - top) * _SMOOTHING)
    large = Image.new("L", size, 0)
    brush = _Brush(ImageDraw.Draw(large), width_px * _SMOOTHING)
    for contour in _contours(run, ruler):
        brush.trace([((x - left) * _SMOOTHING, (y - top) * _SMOOTHING) for x, y in contour])
    return Ink(picture=large.reduce(_SMOOTHING), left=left, top=top)


def _ink(image: hb.RasterImage | None, mode: str, raw: str) -> Ink | None:
    if image is None or not image.extents.width or not image.extents.height:
        return None
    at = image.extents
    size = (at.width, at.height)
    picture = Image.frombytes(mode, size, bytes(image.buffer), "raw", raw, at.stride, -1)
    return Ink(picture=picture, left=at.x_origin, top=-at.y_origin - at.height)


def _contours(run: Run, ruler: Ruler) -> Iterator[list[Point]]:
    """The edges of the letters as closed lines, in pixels downwards from the run's start."""
    font, scale = ruler.font(run), ruler.scale(run)
    for number, x, y in ruler.placed(run):
        pen = RecordingPen()
        font.draw_glyph_with_pen(number, pen)
        for contour in _flattened(pen):
            yield [(x + px * scale, -y - py * scale) for px, py in contour]


def _flattened(pen: RecordingPen) -> Iterator[list[Point]]:
    """The contours a pen has recorded, their curves as short straight pieces."""
    contour: list[Point] = []
    for move, points in pen.value:
        if move == "moveTo":
            contour = [points[0]]
        elif move == "closePath":
            yield [*contour, contour[0]]
        else:
            contour += _pieces((contour[-1], *points))


def _pieces(points: tuple[Point, ...]) -> list[Point]:
    """Points along a line or a Bézier curve, the last one included."""
    degree = len(points) - 1
    steps = _CURVE_STEPS if degree > 1 else 1
    found = []
    for step in range(1, steps + 1):
        t = step / steps
        shares = [comb(degree, k) * (1 - t) ** (degree - k) * t**k for k in range(degree + 1)]
        x = sum(point[0] * share for point, share in zip(points, shares, strict=True))
        y = sum(point[1] * share for point, share in zip(points, shares, strict=True))
        found.append((x, y))
    return found


@dataclass(frozen=True, slots=True)
class _Brush:
    """Paints everything within `radius` of a line."""

    canvas: ImageDraw.ImageDraw
    radius: float

    def trace(self, points: list[Point]) -> None:
        radius = self.radius
        for (x1, y1), (x2, y2) in pairwise(points):
            self.canvas.ellipse((x1 - radius, y1 - radius, x1 + radius, y1 + radius), fill=255)
            length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
            if length:
                dx, dy = (y1 - y2) / length * radius, (x2 - x1) / length * radius
                corners = [(x1 + dx, y1 + dy), (x2 + dx, y2 + dy),
                           (x2 - dx, y2 - dy), (x1 - dx, y1 - dy)]  # fmt: skip
                self.canvas.polygon(corners, fill=255)
