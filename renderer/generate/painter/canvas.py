"""The canvas of the painter: fields of numbers, mixed layer by layer.

Only operations that IEEE 754 rounds exactly are used, one at a time (+ - * / sqrt floor min
max), never a sum over many numbers, a sine or a power: so every machine gets the same pixels.
Lengths are shares of the canvas's shorter side.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from renderer.generate.painter.chance import Chance, Field
from renderer.media import Size

RGB = tuple[int, int, int]
Points = list[tuple[float, float]]
_FINE = 2  # polygons are drawn at twice the size


class Canvas:
    """A picture under way. `x` is a row, `y` a column: together they give every place."""

    def __init__(self, size: Size, ground: RGB = (0, 0, 0)) -> None:
        self.size = size
        self.unit = np.float32(min(size))
        self.width = size[0] / min(size)
        self.height = size[1] / min(size)
        self.x = ((np.arange(size[0], dtype=np.float32) + np.float32(0.5)) / self.unit)[None, :]
        self.y = ((np.arange(size[1], dtype=np.float32) + np.float32(0.5)) / self.unit)[:, None]
        # One plane for each channel: numpy is several times faster with long inner rows.
        self.pixels = np.empty((3, size[1], size[0]), dtype=np.float32)
        self.pixels[:] = colour(ground)

    def lay(self, paint: RGB | Field, cover: Field | float) -> None:
        """Lay a colour, or a field of colours, over the picture as far as `cover` (0–1) says."""
        shade = colour(paint) if isinstance(paint, tuple) else paint
        amount = np.broadcast_to(np.float32(cover), self.pixels.shape[1:])
        rows = _touched(amount)
        part = self.pixels[:, rows]
        part += ((shade[:, rows] if shade.shape[1] > 1 else shade) - part) * amount[rows]

    def shine(self, paint: RGB, amount: Field) -> None:
        """Add light of a colour, as a lamp does: never past white."""
        rows = _touched(amount)
        part = self.pixels[:, rows]
        part += (np.float32(255) - part) * (colour(paint) / np.float32(255) * amount[rows])

    def distance(self, x: float, y: float) -> Field:
        """How far every place is from a point."""
        dx, dy = self.x - np.float32(x), self.y - np.float32(y)
        far: Field = np.sqrt(dx * dx + dy * dy)
        return far

    def below(self, line: Field) -> Field:
        """1 under a line (the height in every column), 0 above, soft over one pixel."""
        return clamp((self.y - line) * self.unit + np.float32(0.5))

    def shapes(self, polygons: list[tuple[Points, int]]) -> Field:
        """Polygons, each filled with a level of 0 to 255, as a field of 0 to 1."""
        width, height = self.size[0] * _FINE, self.size[1] * _FINE
        plate = Image.new("L", (width, height))
        pen = ImageDraw.Draw(plate)
        scale = float(self.unit) * _FINE
        for points, level in polygons:
            pen.polygon([(round(x * scale), round(y * scale)) for x, y in points], fill=level)
        return np.asarray(plate.reduce(_FINE)).astype(np.float32) / np.float32(255)

    def finished(self, chance: Chance, *, vignette: float = 0.35) -> Image.Image:
        """The picture in 8 bits, darker to the corners, with a grain that hides the steps."""
        dx = self.x / np.float32(self.width) - np.float32(0.5)
        dy = self.y / np.float32(self.height) - np.float32(0.5)
        dark = np.float32(1) - np.float32(vignette) * clamp((dx * dx + dy * dy) * np.float32(2))
        grain = chance.table(self.size[1], self.size[0]) - np.float32(0.5)
        levels = self.pixels * dark + (grain * np.float32(2.5) + np.float32(0.5))
        planes = np.floor(np.clip(levels, 0, 255)).astype(np.uint8)
        return Image.merge("RGB", [Image.fromarray(plane) for plane in planes])


def colour(rgb: RGB) -> Field:
    """A colour for calculating with, one plane for each channel."""
    return np.array(rgb, dtype=np.float32)[:, None, None]


def _touched(amount: Field) -> slice:
    """The rows from the first to the last in which there is anything."""
    rows = np.flatnonzero(amount.any(axis=1))
    return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)


def clamp(field: Field) -> Field:
    """Nothing under 0 or over 1."""
    return np.clip(field, np.float32(0), np.float32(1))


def smooth(low: float, high: float, field: Field) -> Field:
    """0 up to `low`, 1 from `high` on, a soft curve between."""
    t = clamp((field - np.float32(low)) / np.float32(high - low))
    return t * t * (np.float32(3) - t - t)


def blend(one: RGB, other: RGB, share: float) -> RGB:
    """The colour between two, at `share` of the way."""
    red, green, blue = (int(a + (b - a) * share + 0.5) for a, b in zip(one, other, strict=True))
    return red, green, blue


def ramp(field: Field, colours: list[RGB]) -> Field:
    """A field of colours: 0 is the first, 1 the last, evenly spaced, softly joined."""
    steps = len(colours) - 1
    place = clamp(field) * np.float32(steps)
    out = np.empty((3, *field.shape), dtype=np.float32)
    out[:] = colour(colours[0])
    for index in range(steps):
        share = smooth(index, index + 1, place)
        out += (colour(colours[index + 1]) - out) * share
    return out


def noise_line(chance: Chance, places: Field, cell: float, octaves: int) -> Field:
    """Hills over a line, from -1 to 1: large ones and ever smaller ones on them."""
    total, weight, whole = np.zeros_like(places), 1.0, 0.0
    for octave in range(octaves):
        size = cell / (1 << octave)
        table = chance.table(512)
        index, share = _cells(places, size)
        near, far = table[index % 512], table[(index + 1) % 512]
        total += (near + (far - near) * share) * np.float32(weight)
        whole, weight = whole + weight, weight / 2
    return total * np.float32(2 / whole) - np.float32(1)


def noise(chance: Chance, canvas: Canvas, cell: float, octaves: int, stretch: float = 1) -> Field:
    """Clouds over the canvas, from 0 to 1; `stretch` makes them wider than high."""
    shape = (canvas.size[1], canvas.size[0])
    total, weight, whole = np.zeros(shape, dtype=np.float32), 1.0, 0.0
    for octave in range(octaves):
        size = cell / (1 << octave)
        table = chance.table(128, 128)
        column, across = _cells(canvas.x[0], size * stretch)
        row, down = _cells(canvas.y[:, 0], size)
        near, far = table[:, column % 128], table[:, (column + 1) % 128]
        rows = near + (far - near) * across
        upper, lower = rows[row % 128], rows[(row + 1) % 128]
        total += (upper + (lower - upper) * down[:, None]) * np.float32(weight)
        whole, weight = whole + weight, weight / 2
    return total / np.float32(whole)


def _cells(
    places: Field, size: float
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int64]], Field]:
    scaled = places / np.float32(size)
    whole = np.floor(scaled)
    share = scaled - whole
    return whole.astype(np.int64), share * share * (np.float32(3) - share - share)
