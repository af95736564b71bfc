"""How text looks, as written: sizes may be pixels or shares of the canvas."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from renderer.spec.base import Part
from renderer.spec.numbers import Int, Number
from renderer.spec.values import ColourText, MeasureText, MeasureValue

StyleName = Literal["headline", "title", "subtitle", "body", "caption", "lower-third", "quote"]
STYLE_NAMES: tuple[str, ...] = get_args(StyleName)
FontSize = Annotated[Number, Field(gt=0, le=2000)] | MeasureText


class Outline(Part):
    """A line around each letter."""

    width: Annotated[Number, Field(ge=0, le=100)] = Field(
        4, description="Thickness in pixels at 1080 lines; scaled with the canvas."
    )
    colour: ColourText = Field("black", description="Colour of the line.")


class Shadow(Part):
    """A soft copy of the text behind it."""

    x: MeasureValue = Field(0, description="Shift to the right, pixels or a share.")
    y: MeasureValue = Field(4, description="Shift downwards, pixels or a share.")
    blur: Annotated[Number, Field(ge=0, le=200)] = Field(
        8, description="Softness in pixels at 1080 lines."
    )
    colour: ColourText = Field("#000000aa", description="Colour of the shadow.")


class TextPlate(Part):
    """A filled plate behind the text."""

    colour: ColourText = Field("#000000aa", description="Colour of the plate.")
    padding: Annotated[Number, Field(ge=0, le=1000)] = Field(
        24, description="Space around the text, pixels at 1080 lines."
    )
    radius: Annotated[Number, Field(ge=0, le=1000)] = Field(
        12, description="Roundness of the corners, pixels at 1080 lines."
    )


class TextStyle(Part):
    """The look of a text. What is left out comes from `like`, or from the house style."""

    like: StyleName | None = Field(
        None, description="A built-in style to start from.", examples=["headline"]
    )
    font: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None,
        description="Family of a font the renderer carries, or listed in `fonts`.",
        examples=["Noto Sans", "Noto Serif"],
    )
    size: FontSize | None = Field(
        None,
        description="Height of the letters: pixels, or a share of the canvas's shorter side.",
        examples=["7%", 64],
    )
    weight: Annotated[Int, Field(ge=100, le=900)] | None = Field(
        None, description="100 (thin) to 900 (black); 400 is regular, 700 bold.", examples=[700]
    )
    italic: bool | None = Field(None, description="Slanted letters where the font has them.")
    colour: ColourText | None = Field(
        None, description="Colour of the letters.", examples=["white", "#ffcc00"]
    )
    align: Literal["left", "center", "right", "start", "end"] | None = Field(
        None, description="How lines stand to each other."
    )
    line_spacing: Annotated[Number, Field(ge=0.5, le=4)] | None = Field(
        None, description="Distance of lines as a multiple of the font's own.", examples=[1.2]
    )
    letter_spacing: Annotated[Number, Field(ge=-50, le=200)] | None = Field(
        None, description="Extra space between letters, pixels at 1080 lines.", examples=[2]
    )
    outline: Outline | Literal["none"] | None = Field(None, description="A line around letters.")
    shadow: Shadow | Literal["none"] | None = Field(None, description="A soft shadow.")
    box: TextPlate | Literal["none"] | None = Field(None, description="A plate behind the text.")
    width: MeasureValue | None = Field(
        None,
        description="Lines wrap at this width: pixels, or a share of the canvas width.",
        examples=["80%"],
    )
    safe_area: Annotated[Number, Field(ge=0, le=0.25)] | None = Field(
        None,
        description="Margin kept free at each edge, as a share of the canvas.",
        examples=[0.05],
    )
    direction: Literal["auto", "ltr", "rtl"] | None = Field(
        None, description="Reading direction; `auto` asks the text."
    )
