"""How words look, decided to the pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

RGBA = tuple[int, int, int, int]


class Align(StrEnum):
    """How lines stand to each other."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"
    START = "start"  # where reading begins
    END = "end"


class Direction(StrEnum):
    """Reading direction."""

    AUTO = "auto"
    LTR = "ltr"
    RTL = "rtl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A line around letters."""

    width_px: int
    colour: RGBA


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A soft copy behind."""

    dx: int
    dy: int
    blur_px: int
    colour: RGBA


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBox:
    """A plate behind."""

    colour: RGBA
    padding_x_px: int
    padding_y_px: int
    radius_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStyle:
    """Everything that decides the pixels of a text, but the words and the fonts."""

    families: tuple[str, ...]
    weight: int
    italic: bool
    size_px: int
    colour: RGBA
    align: Align
    line_spacing_percent: int
    letter_spacing_px: int
    outline: Outline | None
    shadow: Shadow | None
    box: TextBox | None
    max_width_px: int
    max_height_px: int
    direction: Direction

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, for the parameters of a step."""
        return asdict(self)


def text_style_from_json(data: Mapping[str, Any]) -> TextStyle:
    """The inverse of `TextStyle.as_json`."""
    def made(kind: Any, fields: Any) -> Any:
        return kind(**{**fields, "colour": tuple(fields["colour"])}) if fields else None

    return TextStyle(**{
        **data,
        "families": tuple(data["families"]),
        "colour": tuple(data["colour"]),
        "align": Align(data["align"]),
        "direction": Direction(data["direction"]),
        "outline": made(Outline, data["outline"]),
        "shadow": made(Shadow, data["shadow"]),
        "box": made(TextBox, data["box"]),
    })
