"""What a document says of where it comes from: a world, things in it, a snapshot, a model."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from renderer.provenance import Provenance, References
from renderer.spec.base import Part
from renderer.spec.numbers import Number, Written

_WORLD = r"^[A-Za-z0-9._-]{1,64}$"
_ID = r"^[^\u0000-\u001f\u007f]{1,200}$"
WorldName = Annotated[
    str, Written(_WORLD, form="a name of letters, digits, dots, hyphens and underscores")
]
ReferenceId = Annotated[str, Written(_ID, form="an id of 1 to 200 characters")]
ReferenceIds = Annotated[list[ReferenceId], Field(max_length=1000)]
AnyJson = str | Number | bool | list[Any] | dict[str, Any] | None


class ReferenceLists(Part):
    """The things of the world that a document rests on, by their ids there."""

    claims: ReferenceIds = Field([], description="Claims.", examples=[["claim-7"]])
    entities: ReferenceIds = Field([], description="Entities.", examples=[["lighthouse-3"]])
    source_chunks: ReferenceIds = Field(
        [], description="Passages of sources.", examples=[["book-1/12"]]
    )
    sources: ReferenceIds = Field([], description="Whole sources.", examples=[["book-1"]])


class ProvenancePart(Part):
    """Where a document comes from. No part of its content: the bundle is the same without it."""

    world: WorldName | None = Field(
        None, description="The world that it belongs to.", examples=["north"]
    )
    references: ReferenceLists = Field(
        ReferenceLists(), description="What it rests on there.", examples=[{"claims": ["claim-7"]}]
    )
    lore_snapshot: AnyJson = Field(
        None,
        description="The state of the world that it was written from; kept as it is.",
        examples=[{"revision": 12}],
    )
    provider: Annotated[str, Field(max_length=200)] = Field(
        "", description="Whose model wrote it.", examples=["offline"]
    )
    model: Annotated[str, Field(max_length=200)] = Field(
        "", description="Which model wrote it.", examples=["story-2"]
    )
    prompt_spec: AnyJson = Field(
        None, description="What that model was asked.", examples=[{"temperature": 0}]
    )


def provenance_of(part: ProvenancePart | None, *, world: str = "") -> Provenance:
    """The provenance as a value; `world` is for a document that names none."""
    said = part or ProvenancePart()
    lists = said.references
    return Provenance(
        world=said.world or world,
        references=References(
            claims=tuple(lists.claims), entities=tuple(lists.entities),
            source_chunks=tuple(lists.source_chunks), sources=tuple(lists.sources),
        ),
        lore_snapshot=said.lore_snapshot, provider=said.provider, model=said.model,
        prompt_spec=said.prompt_spec,
    )  # fmt: skip
