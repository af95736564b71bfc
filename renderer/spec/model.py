"""The spec language, version 1: what a document may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from renderer.spec.asset import AssetSpec
from renderer.spec.base import Part
from renderer.spec.clips import Item, Volume
from renderer.spec.envelope import Envelope
from renderer.spec.keyed_union import KeyedUnion
from renderer.spec.module import InputKey, Json, ModuleInput, ModuleOutput
from renderer.spec.numbers import Written
from renderer.spec.origins import Source
from renderer.spec.output import VideoOutput
from renderer.spec.style import TextStyle
from renderer.spec.topic import TopicSpec
from renderer.spec.values import (
    Identifier,
    SizeText,
    TimeValue,
)

SPEC_SCHEMA_ID = "urn:reelkiln:spec-1"


class Track(Part):
    """Clips one after another. The first track is the bottom layer."""

    id: Identifier | None = Field(None, description="A name, for `duck_under` and messages.")
    decides_duration: bool = Field(
        False, description="The video is as long as this track (the longest of such tracks)."
    )
    volume: Volume = Field(1, description="Volume of everything on the track.")
    muted: bool = Field(False, description="Nothing on the track is heard.")
    hidden: bool = Field(False, description="Nothing on the track is seen.")
    duck_under: Identifier | None = Field(
        None, description="Become quieter while the track of this id sounds."
    )
    captions: bool = Field(
        False, description="Its words also become `captions.vtt` and `captions.srt`."
    )
    clips: list[Item] = Field(
        description="Clips, transitions and gaps, in order.",
        examples=[[{"image": "photos/a.jpg", "length": "5s"}, {"text": "Hello"}]],
    )


VariantName = Annotated[
    str, Written(r"^[a-z0-9][a-z0-9_-]{0,39}$", form="a name of small letters, digits, _ and -")
]


class Variant(Part):
    """Another cut of the same video, in another shape and a folder of its own."""

    size: SizeText = Field(
        description="WIDTHxHEIGHT in pixels (even numbers), or a preset name.", examples=["story"]
    )
    thumbnail_at: TimeValue | None = Field(
        None, description="Which moment becomes its thumbnail; as in `output` when left out."
    )
    styles: dict[Identifier, TextStyle] = Field(
        {}, description="Text styles that stand in for those of the same name."
    )
    tracks: list[Track] = Field(
        [],
        description="Tracks that stand in for those of the same id; the others are as they are.",
        examples=[[{"id": "picture", "clips": [{"image": "tall.jpg", "length": "5s"}]}]],
    )


class MadeFrom(Part):
    """Which words and which storyboard a spec was written from."""

    topic: Annotated[str, Field(min_length=1, max_length=300)] = Field(
        description="The topic.", examples=["Lighthouses of the northern sea"]
    )
    storyboard: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="The storyboard and its version.", examples=["explainer@1.0"]
    )


class VideoSpec(Envelope):
    """A video from tracks of clips."""

    kind: Literal["video"] = Field("video", description="What sort of document this is.")
    output: VideoOutput = Field(VideoOutput(), description="What comes out.")
    styles: dict[Identifier, TextStyle] = Field({}, description="Text styles of your own, by name.")
    fonts: list[Source] = Field([], description="Font files to use beside the built-in ones.")
    tracks: Annotated[list[Track], Field(min_length=1)] = Field(
        description="Layers, bottom first.",
        examples=[[{"clips": [{"image": "photos/a.jpg", "length": "5s"}]}]],
    )
    variants: dict[VariantName, Variant] = Field(
        {},
        description="Further cuts by name; each lies in the bundle in the folder of its name.",
        examples=[{"story": {"size": "1080x1920"}}],
    )
    made_from: MadeFrom | None = Field(
        None,
        description="What wrote this spec, which is then in the bundle as `expanded.spec.yaml`.",
        examples=[{"topic": "Lighthouses", "storyboard": "explainer@1.0"}],
    )


class VideoBackground(Part):
    """A video, looped for as long as it is needed."""

    video: Source = Field(description="A video file or address.", examples=["clips/b.mp4"])
    fit: Literal["cover", "contain", "contain-blur", "stretch"] = Field(
        "cover", description="How it fills the canvas."
    )


class ImageBackground(Part):
    """A picture, held for as long as it is needed."""

    image: Source = Field(description="A picture file or address.", examples=["photos/a.jpg"])
    fit: Literal["cover", "contain", "contain-blur", "stretch"] = Field(
        "cover", description="How it fills the canvas."
    )


Background = Annotated[VideoBackground | ImageBackground, KeyedUnion(("video", "image"))]


class LongAudio(Part):
    """One piece of the sound."""

    audio: Source = Field(description="A sound file or address.", examples=["music.mp3"])
    volume: Volume = Field(1, description="1 is unchanged.")


class LongformSpec(Envelope):
    """Hours of sound over a few backgrounds."""

    kind: Literal["longform"] = Field(description="What sort of document this is.")
    output: VideoOutput = Field(VideoOutput(), description="What comes out.")
    backgrounds: list[Background] = Field(
        description="One to four; they share the whole length evenly.",
        examples=[[{"image": "photos/a.jpg"}, {"video": "clips/b.mp4"}]],
    )
    audio: list[LongAudio] = Field(
        description="Pieces of sound in sequence; 3 hours at most.",
        examples=[[{"audio": "1.mp3"}, {"audio": "2.mp3"}]],
    )
    crossfade: TimeValue = Field(1, description="Overlap from one background to the next.")
    fade: TimeValue = Field(
        1, description="Each piece of sound fades in and out over this time at the joins."
    )


class ModuleSpec(Envelope):
    """Files from a command that the operator of a daemon registered."""

    kind: Literal["module"] = Field(description="What sort of document this is.")
    module: Identifier = Field(
        description="The name under which the command is registered.", examples=["loudness-report"]
    )
    inputs: dict[InputKey, ModuleInput] = Field(
        {}, description="What the command is given, by name.", examples=[{"speech": {"asset": "a"}}]
    )
    params: dict[InputKey, Json] = Field(
        {}, description="Settings for the command, by name.", examples=[{"title": "Episode 1"}]
    )
    outputs: dict[InputKey, ModuleOutput] = Field(
        description="The files that the command makes, by name.",
        examples=[{"report": {"label": "report.json", "media_type": "application/json"}}],
    )


Film = VideoSpec | LongformSpec
"""What is rendered."""
Spec = Film | ModuleSpec | AssetSpec | TopicSpec
Document = Annotated[
    VideoSpec | LongformSpec | ModuleSpec | AssetSpec | TopicSpec,
    KeyedUnion(
        ("video", "longform", "module", "asset", "topic"), by_value_of="kind", default="video"
    ),
]


def canonical_spec(spec: Spec) -> Mapping[str, Any]:
    """The spec as canonical plain JSON: defaults filled, aliases as written.

    What is for editors (`$schema`) for delivery (`callback`) or for the catalog (`provenance`)
    is no content and left out.
    """
    plain = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    for aside in ("$schema", "callback", "on_failed_promise", "provenance"):
        plain.pop(aside, None)
    return plain
