"""A `topic` document: a few words that a storyboard turns into a whole film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from renderer.spec.envelope import Envelope
from renderer.spec.generated import (
    LANGUAGE_PATTERN,
    OnUnavailable,
    ProviderName,
    Seed,
    kit_field,
    on_unavailable_field,
    provider_field,
)
from renderer.spec.numbers import Int, Written
from renderer.spec.output import VideoOutput
from renderer.spec.values import Identifier, SizeText

STORYBOARD_PATTERN = r"^[a-z][a-z0-9_]{0,39}(?:@(?:latest|[0-9]{1,4}\.[0-9]{1,4}))?$"
Words = Annotated[str, Field(min_length=1, max_length=300)]


class TopicSpec(Envelope):
    """A film about a topic, written by a storyboard."""

    kind: Literal["topic"] = Field(description="What sort of document this is.")
    topic: Words = Field(
        description="What the film is about.", examples=["Lighthouses of the northern sea"]
    )
    storyboard: Annotated[
        str, Written(STORYBOARD_PATTERN, form="a storyboard such as explainer or explainer@1.0")
    ] = Field("explainer", description="Who writes it; the latest version when none is named.")
    points: Annotated[list[Words], Field(max_length=8)] = Field(
        [],
        description="What the scenes say, in your words; the storyboard asks its own questions "
        "when left out.",
        examples=[["They are older than the ships they guide.", "Nobody lives in them now."]],
    )
    scenes: Annotated[Int, Field(ge=3, le=8)] = Field(
        6, description="How many scenes follow the title, when there are no `points`."
    )
    music: Words | None = Field(
        None, description="How the music feels; as the topic does when left out.",
        examples=["calm, hopeful"],
    )  # fmt: skip
    language: Annotated[str, Written(LANGUAGE_PATTERN, form="a language such as en or pt-br")] = (
        Field("en", description="The language of the words, for the voice.")
    )
    seed: Seed = Field(0, description="Another number is another film about the same topic.")
    provider: ProviderName | None = provider_field("the pictures")
    on_unavailable: OnUnavailable = on_unavailable_field("the pictures", "fallback")
    output: VideoOutput = Field(VideoOutput(), description="What comes out.")
    story: SizeText | Literal["none"] = Field(
        "story", description="The size of the upright cut in `story/`; `none` for no such cut."
    )
    kit: dict[Identifier, Any] | None = kit_field()


def in_full(value: Any) -> Any:
    """`{"topic": ...}` as the whole document that it stands for; anything else as it is."""
    is_short = isinstance(value, Mapping) and "topic" in value
    if not is_short or "reelkiln" in value or "kind" in value:
        return value
    return {"reelkiln": 1, "kind": "topic", **value}
