"""How a text looks, in pixels and plain numbers: the whole input of typesetting but the words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

Colour = tuple[int, int, int, int]
"""Red, green, blue and alpha, each 0 to 255."""


class Align(StrEnum):
    """Where lines stand in their block; start and end follow the writing direction."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"
    START = "start"
    END = "end"


class Direction(StrEnum):
    """Which way a paragraph runs; auto looks at its first letter."""

    AUTO = "auto"
    LTR = "ltr"
    RTL = "rtl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A line around every letter, `width_px` wide outside of it."""

    width_px: int
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A copy of the letters moved by (`dx`, `dy`) and blurred; all in pixels."""

    dx: int
    dy: int
    blur_px: int
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBox:
    """A filled box behind the lines, with padding and rounded corners in pixels."""

    colour: Colour
    padding_x_px: int
    padding_y_px: int
    radius_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStyle:
    """Everything typesetting needs besides the text and the fonts.

    `families` are tried in order before the fallbacks. `weight` is 1 to 1000, `size_px` the
    em. The block keeps within `max_width_px` by breaking lines and within `max_height_px`
    by shrinking the letters.
    """

    families: tuple[str, ...]
    size_px: int
    max_width_px: int
    max_height_px: int
    weight: int = 400
    italic: bool = False
    colour: Colour = (255, 255, 255, 255)
    align: Align = Align.START
    line_spacing_percent: int = 120
    letter_spacing_px: int = 0
    outline: Outline | None = None
    shadow: Shadow | None = None
    box: TextBox | None = None
    direction: Direction = Direction.AUTO

    def as_json(self) -> dict[str, Any]:
        """The style as plain data; `text_style_from_json` reads it back."""
        return asdict(self)


def text_style_from_json(data: Mapping[str, Any]) -> TextStyle:
    """The style that `as_json` wrote, before or after a trip through JSON text.

    Raises KeyError, TypeError or ValueError for what `as_json` does not write.
    """
    fields = dict(data)
    fields["families"] = tuple(fields["families"])
    fields["colour"] = _colour(fields["colour"])
    fields["align"] = Align(fields["align"])
    fields["direction"] = Direction(fields["direction"])
    for name, kind in (("outline", Outline), ("shadow", Shadow), ("box", TextBox)):
        part = fields.get(name)
        if part is not None:
            fields[name] = kind(**{**part, "colour": _colour(part["colour"])})
    return TextStyle(**fields)


def _colour(values: Any) -> Colour:
    red, green, blue, alpha = values
    return (int(red), int(green), int(blue), int(alpha))
