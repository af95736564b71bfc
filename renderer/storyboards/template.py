"""What a storyboard may say: how a film begins, the scenes it chooses from, how it ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from renderer.digest import digest_of
from renderer.errors import Fault, Path, SpecInvalid
from renderer.limits import Limits
from renderer.spec.base import Part
from renderer.spec.document import MAX_FAULTS, read_document
from renderer.spec.faults import faults_from_pydantic
from renderer.spec.locations import Locator
from renderer.spec.numbers import Int, NotBool, Number, Written
from renderer.spec.suggest import did_you_mean

STORYBOARD_SCHEMA_ID = "urn:reelkiln:storyboard-1"
PLACEHOLDER = re.compile(r"\{\{([a-z]+)\}\}")
KNOWN = ("topic", "count")
"""What a line may hold: the topic, and how many scenes there are."""

Line = Annotated[str, Field(min_length=1, max_length=300)]
Lines = Annotated[list[Line], Field(min_length=1, max_length=40)]


class Scene(Part):
    """One scene: of each kind of line one is chosen."""

    heading: Lines = Field(description="Above the scene.", examples=[["What is it?"]])
    say: Lines = Field(
        description="Said, and shown as captions.", examples=[["What do we mean by it?"]]
    )
    picture: Lines = Field(description="What is seen.", examples=[["{{topic}}, close up"]])


class Pace(Part):
    """How long scenes last."""

    words_a_minute: Annotated[Int, Field(ge=80, le=300)] = Field(
        150, description="How fast the voice reads."
    )
    slack: Annotated[Int, Field(ge=0, le=100)] = Field(
        15, description="Percent of time that is added, since voices differ."
    )
    least_s: Annotated[Number, Field(ge=2, le=30)] = Field(
        4.5, description="Seconds that a scene lasts at least."
    )
    rest_s: Annotated[Number, Field(ge=0, le=5)] = Field(
        1, description="Seconds after the last word."
    )


class Storyboard(Part):
    """One version of a storyboard."""

    schema_: str | None = Field(
        None,
        alias="$schema",
        description="Address of the schema, for editors.",
        examples=["../../../schemas/storyboard-1.schema.json"],
    )
    reelkiln_storyboard: Annotated[Literal[1], NotBool] = Field(description="Version of this form.")
    name: Annotated[str, Written(r"^[a-z][a-z0-9_]{0,39}$", form="a name of small letters")] = (
        Field(description="What it is called; as its folder is.", examples=["explainer"])
    )
    version: Annotated[
        str, Written(r"^[0-9]{1,4}\.[0-9]{1,4}$", form='a version such as "1.0", in quotes')
    ] = Field(description="The version; as the file is called.", examples=["1.0"])
    description: Annotated[str, Field(max_length=600)] = Field(
        "", description="For people.", examples=["Questions that open any topic."]
    )
    pace: Pace = Field(Pace(), description="How long scenes last.")
    music: Line = Field("{{topic}}", description="How the music feels.")
    title: Scene = Field(description="The title card: `heading` stands below the topic.")
    first: Scene = Field(description="The scene after the title.")
    scenes: Annotated[list[Scene], Field(min_length=1, max_length=40)] = Field(
        description="Some of these follow, in this order."
    )
    last: Scene = Field(description="The scene at the end.")

    @property
    def reference(self) -> str:
        """`explainer@1.0`."""
        return f"{self.name}@{self.version}"

    @property
    def digest(self) -> str:
        """SHA-256 of what the storyboard says."""
        return digest_of(self.model_dump(mode="json", exclude_none=True, exclude={"schema_"}))


_ADAPTER = TypeAdapter(Storyboard)
_LOCATOR = Locator(Storyboard)


def parse_storyboard(data: bytes, *, name: str) -> Storyboard:
    """The storyboard in the bytes of a JSON or YAML file. Raises SpecInvalid with all faults."""
    document = read_document(data, name=name, limits=Limits())
    faults = list(document.faults)
    board: Storyboard | None = None
    try:
        board = _ADAPTER.validate_python(document.value)
        faults += _unknown(board)
    except ValidationError as error:
        faults += faults_from_pydantic(error, _LOCATOR, at_most=MAX_FAULTS)
    if faults or board is None:
        raise SpecInvalid([document.locate(fault) for fault in faults], document=name)
    return board


def lint_storyboard(data: bytes, *, name: str) -> tuple[Fault, ...]:
    """Everything that is wrong with a storyboard, with positions; nothing when it is right."""
    try:
        parse_storyboard(data, name=name)
    except SpecInvalid as error:
        return error.faults
    return ()


def _unknown(board: Storyboard) -> Iterator[Fault]:
    for path, line in _lines(board):
        for name in PLACEHOLDER.findall(line):
            if name not in KNOWN:
                words = f'no placeholder is called "{name}"'
                hint = did_you_mean(name, KNOWN) or "there are {{topic}} and {{count}}"
                yield Fault(code="unknown-placeholder", path=path, message=words, hint=hint)


def _lines(board: Storyboard) -> Iterator[tuple[Path, str]]:
    yield ("music",), board.music
    named: list[tuple[Path, Scene]] = [
        (("title",), board.title), (("first",), board.first), (("last",), board.last),
        *((("scenes", n), scene) for n, scene in enumerate(board.scenes)),
    ]  # fmt: skip
    for path, scene in named:
        for field in ("heading", "say", "picture"):
            for index, line in enumerate(getattr(scene, field)):
                yield (*path, field, index), line
