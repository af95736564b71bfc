"""What comes out of a render: shape, speed, sound, and what may be published."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from renderer.spec.base import Part
from renderer.spec.clips import Trim
from renderer.spec.numbers import Number
from renderer.spec.values import ColourText, RateText, SizeText, TimeValue

FrameRate = Annotated[Number, Field(ge=1, le=240)] | RateText


class Loudness(Part):
    """How loud the whole mix shall be (EBU R128)."""

    target: Annotated[Number, Field(ge=-50, le=-5)] = Field(
        -16, description="Integrated loudness in LUFS.", examples=[-14, -23]
    )
    true_peak: Annotated[Number, Field(ge=-9, le=0)] = Field(
        -1.5, description="Highest true peak in dBTP; wins over the target."
    )


class SoundOutput(Part):
    """The sound of the finished video."""

    bitrate: Literal["96k", "128k", "160k", "192k", "256k", "320k"] = Field(
        "192k", description="Bits per second of the AAC stream."
    )
    loudness: Loudness | None = Field(
        None,
        description="Measure the mix and bring it to a target; left as mixed otherwise.",
        examples=[{"target": -14}],
    )


class Checks(Part):
    """What the checks before publishing shall accept."""

    allow_black: bool = Field(False, description="The whole picture may be black.")
    allow_silent: bool = Field(False, description="The whole sound may be silence.")


class VideoOutput(Part):
    """The finished video: shape, speed, format."""

    size: SizeText = Field(
        "1920x1080", description="WIDTHxHEIGHT in pixels (even numbers), or a preset name."
    )
    fps: FrameRate = Field(
        30,
        description="Frames per second; 29.97 means 30000/1001.",
        examples=[25, 29.97, "24000/1001"],
    )
    format: Literal["mp4"] = Field("mp4", description="H.264 and AAC in MP4.")
    duration: TimeValue | None = Field(
        None, description="Exact length of the video; the tracks decide when left out."
    )
    background: ColourText = Field("black", description="What shows where nothing else does.")
    quality: Literal["draft", "standard", "high", "lossless"] = Field(
        "standard", description="Encoder effort and fidelity."
    )
    audio: SoundOutput = Field(SoundOutput(), description="The sound.")
    thumbnail_at: TimeValue | None = Field(
        None, description="Which moment becomes thumbnail.jpg; a third of the way when left out."
    )
    range: Trim | None = Field(
        None,
        description="Only this part of the video is rendered.",
        examples=[{"from": "10s", "to": "15s"}],
    )
    checks: Checks = Field(Checks(), description="What may be published.")
