"""Scalars of the language: times, sizes, colours, measures, names. Text in, exact values out.

Each type is text (or a number) with a pattern in the JSON Schema, and has one function
that turns it into the exact value the resolver works with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated, Any, Literal

from PIL import ImageColor
from pydantic import Field

from renderer.media import Size
from renderer.spec.numbers import Number, Pattern
from renderer.timebase import TIME_PATTERN, Time, exact, parse_time, round_half_up

RGBA = tuple[int, int, int, int]

IDENTIFIER = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$"
_REFERENCE = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
START_PATTERN = rf"^(?:auto|end|(?:after|with):{_REFERENCE})$"
LENGTH_PATTERN = rf"^(?:auto|end|(?:after|with):{_REFERENCE})$"
SIZE_PATTERN = r"^[0-9]{1,5}x[0-9]{1,5}$"
BOX_PATTERN = r"^[0-9]{1,5}(?:\.[0-9]{1,4})?%?x[0-9]{1,5}(?:\.[0-9]{1,4})?%?$"
MEASURE_PATTERN = r"^-?[0-9]{1,5}(?:\.[0-9]{1,4})?%$"
COLOUR_PATTERN = (
    r"^(?:#[0-9a-fA-F]{3}|#[0-9a-fA-F]{4}|#[0-9a-fA-F]{6}|#[0-9a-fA-F]{8}|[a-z]{3,20})$"
)
RATE_PATTERN = r"^[1-9][0-9]{0,5}/[1-9][0-9]{0,5}$"

Identifier = Annotated[str, Pattern(IDENTIFIER)]
TimeText = Annotated[str, Pattern(TIME_PATTERN)]
Seconds = Annotated[Number, Field(ge=0, le=1_000_000)]
TimeValue = Seconds | TimeText
"""Seconds as a number, or text such as `1:02.5`, `250ms`, `48f`."""

SIZE_PRESETS: dict[str, Size] = {
    "4k": (3840, 2160),
    "1440p": (2560, 1440),
    "1080p": (1920, 1080),
    "720p": (1280, 720),
    "480p": (854, 480),
    "360p": (640, 360),
    "story": (1080, 1920),
    "square": (1080, 1080),
    "portrait": (1080, 1350),
    "cinema": (2048, 858),
}
SizePreset = Literal[
    "4k", "1440p", "1080p", "720p", "480p", "360p", "story", "square", "portrait", "cinema"
]
SizeText = Annotated[str, Pattern(SIZE_PATTERN)]
BoxText = Annotated[str, Pattern(BOX_PATTERN)]
MeasureText = Annotated[str, Pattern(MEASURE_PATTERN)]
Pixels = Annotated[Number, Field(ge=-100_000, le=100_000)]
MeasureValue = Pixels | MeasureText
"""Pixels as a number, or a share of the canvas such as `5%`."""
ColourText = Annotated[str, Pattern(COLOUR_PATTERN)]
RateText = Annotated[str, Pattern(RATE_PATTERN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A time said by pointing: `auto`, `end`, `after` or `with` another clip."""

    how: str
    clip: str = ""
    offset: Time = field(default_factory=Time)
    is_before: bool = False


def to_time(value: float | int | str) -> Time:
    """The exact time of a `TimeValue`."""
    return parse_time(value)


def to_relation(text: str) -> Relation | None:
    """`auto`, `end`, `after:ID`, `with:ID` as a relation; None when it is a time."""
    if text in ("auto", "end"):
        return Relation(how=text)
    how, colon, clip = text.partition(":")
    if colon and how in ("after", "with"):
        return Relation(how=how, clip=clip)
    return None


def to_size(value: str) -> Size:
    """(width, height) of a size text or preset."""
    if value in SIZE_PRESETS:
        return SIZE_PRESETS[value]
    width, _, height = value.partition("x")
    return int(width), int(height)


def to_box(value: str, canvas: Size) -> Size:
    """(width, height) of a box such as `50%x40%` or `640x360` on a canvas."""
    width, _, height = value.partition("x")
    return _side(width, canvas[0]), _side(height, canvas[1])


def to_pixels(value: float | int | str, whole: int) -> int:
    """Whole pixels of a measure; a percentage is of `whole`."""
    return _side(str(value), whole)


def to_colour(text: str) -> RGBA | None:
    """Red, green, blue, alpha (0–255); None for a name that is not a CSS colour."""
    if text.startswith("#"):
        return _hex_colour(text[1:])
    if text == "transparent":
        return 0, 0, 0, 0
    if text not in ImageColor.colormap:
        return None
    # Not by reading the map itself: Pillow replaces what it has parsed by tuples.
    red, green, blue = ImageColor.getrgb(text)[:3]
    return red, green, blue, 255


def to_permille(value: float | int) -> int:
    """A share of one, in thousandths."""
    return round_half_up(exact(value) * 1000)


def _side(text: str, whole: int) -> int:
    if text.endswith("%"):
        return round_half_up(exact(text[:-1]) * whole / 100)
    return round_half_up(Fraction(text))


def _hex_colour(digits: str) -> RGBA:
    if len(digits) in (3, 4):
        digits = "".join(2 * digit for digit in digits)
    red, green, blue = (int(digits[i : i + 2], 16) for i in (0, 2, 4))
    return red, green, blue, int(digits[6:8], 16) if len(digits) == 8 else 255


def is_reference(value: Any) -> bool:
    """Whether a start or length points at something rather than naming a time."""
    return isinstance(value, str) and re.match(START_PATTERN, value) is not None
