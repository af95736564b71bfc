"""Gradients: a ramp of exact colours, looked up by each pixel's place along it.

Colours are mixed premultiplied and rounded once, from whole numbers, so that neighbouring
steps differ by what eight bits force and no more.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from itertools import pairwise

from PIL import Image

from renderer.errors import RenderFailed
from renderer.media import Size

_LEVELS = 8192  # more than 15 passages of 255 steps, so no colour is skipped
_MARGIN = 4  # ramp entries repeated at each end, for what rounding puts outside
_LUT_SIZE = 65536  # entries that Pillow wants for a table from whole numbers to bytes

Colour = tuple[int, ...]
"""(red, green, blue, alpha), each 0 to 255."""


def gradient(
    size: Size,
    *,
    kind: str,
    angle: int,
    colours: Sequence[Colour],
    stops: Sequence[int] | None = None,
) -> Image.Image:
    """A gradient as an RGBA picture.

    `kind` linear runs along `angle` (degrees, 0 upwards, 90 to the right) so that the
    corners have the outermost colours; radial runs from the middle to the corners. `stops`
    are the colours' places in thousandths, rising; evenly spread when None. Raises
    RenderFailed for another kind, or stops that do not fit the colours.
    """
    places = _places(colours, stops)
    if len(set(colours)) == 1:
        return Image.new("RGBA", size, tuple(colours[0]))
    ramp = _ramp(colours, places)
    if kind == "linear":
        return _linear(ramp, angle, size)
    if kind == "radial":
        return _radial(ramp, size)
    raise RenderFailed(f"{kind!r} is not a kind of gradient", hint="use linear or radial")


def _places(colours: Sequence[Colour], stops: Sequence[int] | None) -> list[int]:
    """Where each colour is, in units of 1/(1000 * gaps)."""
    gaps = max(1, len(colours) - 1)
    if stops is None:
        return [1000 * index for index in range(len(colours))]
    if len(stops) != len(colours) or list(stops) != sorted(stops):
        raise RenderFailed("a gradient needs one stop for each colour, in rising order")
    return [stop * gaps for stop in stops]


def _ramp(colours: Sequence[Colour], places: Sequence[int]) -> list[Colour]:
    whole = 1000 * max(1, len(colours) - 1)
    middles = [(2 * n + 1) * whole for n in range(_LEVELS)]  # in units of 2 * _LEVELS
    unit = 2 * _LEVELS
    ramp: list[Colour] = []
    passages = zip(pairwise(colours), pairwise(places), strict=True)
    ramp += [colours[0]] * sum(1 for middle in middles if middle < places[0] * unit)
    for (before, after), (start, end) in passages:
        first, last = start * unit, end * unit
        inside = (m for m in middles[len(ramp) :] if m < last)
        ramp += [_mixed(before, after, middle - first, last - first) for middle in inside]
    return ramp + [colours[-1]] * (_LEVELS - len(ramp))


def _mixed(before: Colour, after: Colour, part: int, whole: int) -> Colour:
    """`part` of `whole` of the way, premultiplied: a clear colour lends no tint."""
    weights = before[3] * (whole - part), after[3] * part
    alpha = sum(weights)
    if alpha == 0:
        return (*before[:3], 0)
    mixed = ((b * weights[0] + a * weights[1] + alpha // 2) // alpha
             for b, a in zip(before[:3], after[:3], strict=True))  # fmt: skip
    return (*mixed, (alpha + whole // 2) // whole)


def _linear(ramp: Sequence[Colour], angle: int, size: Size) -> Image.Image:
    width, height = size
    turn = math.radians(angle)
    dx, dy = round(math.sin(turn), 12), round(-math.cos(turn), 12)
    scale = _LEVELS / (abs(width * dx) + abs(height * dy))
    middle = _MARGIN + _LEVELS / 2
    padded = [ramp[0]] * _MARGIN + list(ramp) + [ramp[-1]] * _MARGIN
    strip = Image.frombytes("RGBA", (len(padded), 1), bytes(v for c in padded for v in c))
    offset = middle - (width / 2 * dx + height / 2 * dy) * scale
    matrix = (dx * scale, dy * scale, offset, 0, 0, 0.5)
    return strip.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST)


def _radial(ramp: Sequence[Colour], size: Size) -> Image.Image:
    """One quarter is calculated, the rest are its mirror images."""
    width, height = size
    half = ((width + 1) // 2, (height + 1) // 2)
    across = [((2 * x + 1 - width) * _LEVELS / width) ** 2 / 2 for x in range(half[0])]
    levels = array("i")
    for y in range(half[1]):
        down = ((2 * y + 1 - height) * _LEVELS / height) ** 2 / 2
        levels.extend(map(int, map(math.sqrt, [far + down for far in across])))
    quarter = _looked_up(Image.frombytes("I", half, levels.tobytes()), ramp)
    picture = Image.new("RGBA", size)
    flips = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM)
    picture.paste(quarter, (0, 0))
    picture.paste(quarter.transpose(flips[0]), (width - half[0], 0))
    upper = picture.crop((0, 0, width, half[1]))
    picture.paste(upper.transpose(flips[1]), (0, height - half[1]))
    return picture


def _looked_up(levels: Image.Image, ramp: Sequence[Colour]) -> Image.Image:
    rest = [0] * (_LUT_SIZE - _LEVELS)
    tables = [[colour[band] for colour in ramp] + rest for band in range(4)]
    return Image.merge("RGBA", [levels.point(table, "L") for table in tables])
