"""Scalars of the language: times, sizes, colours, measures, names. Text in, exact values out.

Each type is text (or a number) with a pattern in the JSON Schema, and has one function
that turns it into the exact value the resolver works with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated

from PIL import ImageColor
from pydantic import Field
from typing_extensions import TypeAliasType

from renderer.media import Size
from renderer.spec.numbers import Number, Written
from renderer.timebase import TIME_PATTERN, Time, exact, parse_time, round_half_up

RGBA = tuple[int, int, int, int]

_REFERENCE = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
IDENTIFIER = rf"^{_REFERENCE}$"
POINTER_PATTERN = rf"^(?:after|with):{_REFERENCE}$"
SIZE_PATTERN = r"^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$"
BOX_PATTERN = r"^[0-9]{1,5}(?:\.[0-9]{1,4})?%?x[0-9]{1,5}(?:\.[0-9]{1,4})?%?$"
MEASURE_PATTERN = r"^-?[0-9]{1,5}(?:\.[0-9]{1,4})?%$"
COLOUR_PATTERN = r"^#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$"
RATE_PATTERN = r"^[1-9][0-9]{0,5}/[1-9][0-9]{0,5}$"

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
COLOUR_NAMES = (*sorted(ImageColor.colormap), "transparent")

_A_TIME = "a time such as 5, 2.5s, 250ms, 1:02.5 or 48f"
Identifier = TypeAliasType(
    "Identifier",
    Annotated[
        str,
        Written(IDENTIFIER, form="a name of letters, digits, _ . and - (at most 80)"),
        Field(description="A name: letters, digits, `_`, `.` and `-`.", examples=["intro"]),
    ],
)
TimeText = Annotated[str, Written(TIME_PATTERN, form=_A_TIME)]
Seconds = Annotated[Number, Field(ge=0, le=1_000_000)]
TimeValue = TypeAliasType(
    "TimeValue",
    Annotated[
        Seconds | TimeText,
        Field(
            description="Seconds as a number, or text such as `1:02.5`, `250ms`, `48f`.",
            examples=[5, "2.5s", "1:02.5", "48f"],
        ),
    ],
)
SizeText = Annotated[
    str,
    Written(SIZE_PATTERN, form="a size such as 1920x1080", words=tuple(SIZE_PRESETS)),
]
BoxText = Annotated[str, Written(BOX_PATTERN, form="a box such as 640x360 or 50%x40%")]
MeasureText = Annotated[str, Written(MEASURE_PATTERN, form="a share such as 5%")]
Pixels = Annotated[Number, Field(ge=-100_000, le=100_000)]
MeasureValue = TypeAliasType(
    "MeasureValue",
    Annotated[
        Pixels | MeasureText,
        Field(
            description="Pixels as a number, or a share of the canvas such as `5%`.",
            examples=[40, "5%"],
        ),
    ],
)
ColourText = TypeAliasType(
    "ColourText",
    Annotated[
        str,
        Written(
            COLOUR_PATTERN,
            form="a colour: a CSS name such as navy, or #102030",
            words=COLOUR_NAMES,
        ),
        Field(description="A CSS colour name, or #RRGGBB(AA).", examples=["navy", "#102030"]),
    ],
)
RateText = Annotated[str, Written(RATE_PATTERN, form="a rate such as 24000/1001")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A time said by pointing: `auto`, `end`, `after` or `with` another clip."""

    how: str
    clip: str = ""
    offset: Time = field(default_factory=Time)


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
