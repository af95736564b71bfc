"""Clips: what stands on a track. The one required key of a clip says what it is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from renderer.spec.base import Part
from renderer.spec.keyed_union import KeyedUnion
from renderer.spec.numbers import Int, Number, Written
from renderer.spec.origins import Source
from renderer.spec.style import STYLE_NAMES, TextStyle
from renderer.spec.values import (
    IDENTIFIER,
    POINTER_PATTERN,
    BoxText,
    ColourText,
    Identifier,
    MeasureValue,
    TimeValue,
)

Share = Annotated[Number, Field(ge=0, le=1)]
Volume = Annotated[Number, Field(ge=0, le=10)]
Speed = Annotated[Number, Field(ge=0.05, le=100)]

TransitionName = Literal[
    "fade", "fadeblack", "fadewhite", "fadegrays", "fadefast", "fadeslow", "dissolve",
    "distance", "pixelize", "radial", "hblur", "zoomin",
    "wipeleft", "wiperight", "wipeup", "wipedown", "wipetl", "wipetr", "wipebl", "wipebr",
    "slideleft", "slideright", "slideup", "slidedown",
    "smoothleft", "smoothright", "smoothup", "smoothdown",
    "coverleft", "coverright", "coverup", "coverdown",
    "revealleft", "revealright", "revealup", "revealdown",
    "circlecrop", "circleopen", "circleclose", "rectcrop",
    "vertopen", "vertclose", "horzopen", "horzclose",
    "diagtl", "diagtr", "diagbl", "diagbr",
    "hlslice", "hrslice", "vuslice", "vdslice",
    "hlwind", "hrwind", "vuwind", "vdwind",
    "squeezeh", "squeezev",
]  # fmt: skip
Fit = Literal["cover", "contain", "contain-blur", "stretch", "none"]
Anchor = Literal[
    "center", "top", "bottom", "left", "right",
    "top-left", "top-right", "bottom-left", "bottom-right",
]  # fmt: skip
Side = Literal["left", "right", "top", "bottom"]
MotionName = Literal["zoom-in", "zoom-out", "pan-left", "pan-right", "pan-up", "pan-down"]


class PointAt(Part):
    """A time told by another clip, with an offset."""

    after: Identifier | None = Field(None, description="The clip whose end is meant.")
    with_: Identifier | None = Field(
        None, alias="with", description="The clip whose start is meant."
    )
    offset: TimeValue = Field(0, description="This much later.", examples=["0.5s"])


PointingText = Annotated[
    str,
    Written(POINTER_PATTERN, form="auto, end, after:ID or with:ID", words=("auto", "end")),
]
Start = Annotated[
    TimeValue | PointingText | PointAt,
    Field(
        description="When the clip begins: a time, `auto` (after the clip before it on the "
        "track), `end` (so that it ends with the video), `after:ID` or `with:ID`.",
        examples=["auto", 2.5, "1:02.5", "after:intro"],
    ),
]
Length = Annotated[
    TimeValue | PointingText,
    Field(
        description="How long: a time, `auto` (its own length; 5 s for stills and text), `end` "
        "(to the end of the video), `with:ID` (as long as ID), `after:ID` (until ID has ended).",
        examples=["auto", "4s", "end"],
    ),
]


class Trim(Part):
    """Which part of a source is used."""

    from_: TimeValue = Field(0, alias="from", description="Where in the source to begin.")
    to: TimeValue | None = Field(None, description="Where in the source to stop.")


class Crop(Part):
    """How much to cut off each edge of the source, before it is fitted."""

    left: MeasureValue = Field(0, description="Cut from the left: pixels or a share.")
    right: MeasureValue = Field(0, description="Cut from the right.")
    top: MeasureValue = Field(0, description="Cut from the top.")
    bottom: MeasureValue = Field(0, description="Cut from the bottom.")


class Offset(Part):
    """A shift from the anchor: right and down are positive."""

    x: MeasureValue = Field(0, description="To the right: pixels or a share of the width.")
    y: MeasureValue = Field(0, description="Downwards: pixels or a share of the height.")


class Slide(Part):
    """A move in from, or out to, an edge of the canvas."""

    side: Side = Field("left", description="The edge it comes from or leaves to.")
    length: TimeValue = Field(0.5, description="How long the move takes.")


class Passage(Part):
    """How a clip enters or exits."""

    fade: TimeValue | None = Field(
        None, description="Fade in (or out) over this time.", examples=["0.3s"]
    )
    slide: Slide | Side | None = Field(
        None, description="Slide in from (or out to) a side.", examples=["left"]
    )


class Motion(Part):
    """A slow camera move over a picture (Ken Burns)."""

    move: MotionName = Field("zoom-in", description="Which way the camera moves.")
    amount: Annotated[Number, Field(ge=0.01, le=1)] = Field(
        0.15, description="How far: 0.15 zooms by 15 % or pans over 15 % of the picture."
    )


class Timed(Part):
    """What every clip has: a name and a place in time."""

    id: Identifier | None = Field(None, description="A name others can point at.")
    start: Start = "auto"
    length: Length = "auto"


class Visible(Timed):
    """What every clip that can be seen has."""

    anchor: Anchor = Field("center", description="Where on the canvas it is held.")
    offset: Offset | None = Field(
        None, description="A shift from the anchor.", examples=[{"x": 40, "y": "-5%"}]
    )
    scale: Annotated[Number, Field(gt=0, le=20)] = Field(1, description="Size, 1 is as fitted.")
    rotation: Annotated[Number, Field(ge=-3600, le=3600)] = Field(
        0, description="Degrees clockwise."
    )
    opacity: Share = Field(1, description="0 is invisible, 1 solid.")
    enter: Passage | None = Field(None, description="How it comes in.", examples=[{"fade": "0.3s"}])
    exit: Passage | None = Field(None, description="How it leaves.", examples=[{"slide": "right"}])


class Fitted(Visible):
    """What every clip that is fitted into a box has."""

    fit: Fit = Field(
        "cover",
        description="`cover` fills and crops, `contain` shows all, `contain-blur` shows all over "
        "a blurred copy, `stretch` ignores the shape, `none` keeps the pixels.",
    )
    size: BoxText | None = Field(
        None,
        description="The box to fit into: WIDTHxHEIGHT in pixels or shares of the canvas. "
        "The whole canvas when left out.",
        examples=["40%x40%", "640x360"],
    )
    crop: Crop | None = Field(
        None,
        description="Cut edges off before fitting.",
        examples=[{"top": "10%", "bottom": "10%"}],
    )


class Sounding(Part):
    """What every clip that can be heard has."""

    volume: Volume = Field(1, description="1 is unchanged, 0 silent, 2 twice the amplitude.")
    fade_in: TimeValue = Field(0, description="The sound rises over this time.")
    fade_out: TimeValue = Field(0, description="The sound falls over this time.")
    trim: Trim | None = Field(
        None,
        description="Which part of the source is used.",
        examples=[{"from": "2s", "to": "8s"}],
    )
    speed: Speed = Field(1, description="2 is twice as fast; pitch is kept.")
    loop: bool = Field(False, description="Begin again when the source ends.")


class VideoClip(Fitted, Sounding):
    """A moving picture, with its sound."""

    video: Source = Field(description="A video file or address.", examples=["clips/b.mp4"])
    motion: MotionName | Motion | None = Field(None, description="A slow camera move.")


class ImageClip(Fitted):
    """A still picture, held."""

    image: Source = Field(description="A picture file or address.", examples=["photos/a.jpg"])
    motion: MotionName | Motion | None = Field(None, description="A slow camera move.")


class AudioClip(Timed, Sounding):
    """Sound without a picture."""

    audio: Source = Field(description="A sound file or address.", examples=["music.mp3"])
    duck_under: Identifier | None = Field(
        None, description="Become quieter while the track of this id sounds.", examples=["voice"]
    )


StyleText = Annotated[
    str, Written(IDENTIFIER, form="the name of a style", words=tuple(STYLE_NAMES))
]


class TextClip(Visible):
    """Words on the picture."""

    text: Annotated[str, Field(max_length=100_000)] = Field(
        description="The words. Lines break where you break them and where the width asks.",
        examples=["Hello {{name}}"],
    )
    style: StyleText | TextStyle = Field(
        "title", description="A built-in style, one of `styles`, or a style of its own."
    )


class ColourClip(Fitted):
    """A plain colour."""

    colour: ColourText = Field(description="The colour.", examples=["navy", "#102030"])
    fit: Literal["stretch"] = Field("stretch", description="A colour fills its box.")


class GradientFill(Part):
    """A blend of colours over an area."""

    kind: Literal["linear", "radial"] = Field("linear", description="Along a line, or around.")
    angle: Annotated[Int, Field(ge=-360, le=360)] = Field(
        180, description="Direction in degrees: 0 is upwards, 90 to the right, 180 downwards."
    )
    colours: Annotated[list[ColourText], Field(min_length=2, max_length=16)] = Field(
        description="At least two colours, from start to end.", examples=[["#ff7e5f", "#feb47b"]]
    )


class GradientClip(Fitted):
    """A gradient."""

    gradient: GradientFill | Annotated[list[ColourText], Field(min_length=2, max_length=16)] = (
        Field(description="The colours, or a fill in full.", examples=[["navy", "teal"]])
    )
    fit: Literal["stretch"] = Field("stretch", description="A gradient fills its box.")


class Transition(Part):
    """The change from the clip before to the clip after; the two overlap by its length."""

    transition: TransitionName = Field(
        description="Which change; `fade` is the plain crossfade.", examples=["fade"]
    )
    length: TimeValue = Field(1, description="How long the clips overlap.")


class Gap(Part):
    """Nothing, for a while."""

    gap: TimeValue = Field(description="How long nothing stands on this track.", examples=["2s"])


Clip = VideoClip | ImageClip | AudioClip | TextClip | ColourClip | GradientClip
Item = Annotated[
    Clip | Transition | Gap,
    KeyedUnion(
        ("video", "image", "audio", "text", "colour", "gradient", "transition", "gap"),
    ),
]
