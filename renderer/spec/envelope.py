"""What every document has, whatever kind it is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from renderer.spec.base import Part
from renderer.spec.numbers import NotBool, Number, Written
from renderer.spec.origins import BrandSource
from renderer.spec.provenance import ProvenancePart
from renderer.spec.values import Identifier

Scalar = str | Number | bool | list[Any] | dict[str, Any] | None


CALLBACK_PATTERN = r"^https?://[A-Za-z0-9._:%\[\]-]+(?:[/?][!-~]*)?$"
CallbackUrl = Annotated[
    str,
    Field(max_length=2000),
    Written(CALLBACK_PATTERN, form="an address that begins with https:// or http://"),
]
EndOfJob = Literal["job.succeeded", "job.partial", "job.failed", "job.cancelled"]


class Callback(Part):
    """Who is told when the job ends, and of which ends."""

    url: CallbackUrl = Field(
        description="Where a signed webhook is sent.", examples=["https://example.com/hooks/reel"]
    )
    events: Annotated[list[EndOfJob], Field(min_length=1, max_length=4)] = Field(
        ["job.succeeded", "job.partial", "job.failed", "job.cancelled"],
        description="Of which ends to tell; all when left out.",
        examples=[["job.failed"]],
    )


class Envelope(Part):
    """What every document has."""

    schema_: str | None = Field(
        None,
        alias="$schema",
        description="Address of the schema, for editors.",
        examples=["../schemas/spec-1.schema.json"],
    )
    reelkiln: Annotated[Literal[1], NotBool] = Field(description="Version of the language.")
    id: Identifier | None = Field(
        None, description="Names the bundle folder; the file's name when left out."
    )
    title: Annotated[str, Field(max_length=300)] | None = Field(
        None, description="For people and the manifest.", examples=["Launch film"]
    )
    brand: BrandSource | None = Field(
        None,
        description="A brand kit: looks of text, background, `{{brand.primary}}` as a colour.",
        examples=["brands/acme.yaml", {"asset": "01J9ZK3V7Q8R5W2X4Y6A8B0C2D"}],
    )
    variables: dict[Identifier, Scalar] = Field(
        {}, description="Values for `{{name}}` anywhere below."
    )
    callback: CallbackUrl | Callback | None = Field(
        None,
        description="Address to tell when the job ends, under `serve`. No part of the content.",
        examples=["https://example.com/hooks/reel"],
    )
    on_failed_promise: Literal["fail", "wait"] = Field(
        "fail",
        description="When an asset or job that is waited for fails: fail too, or wait on.",
    )
    provenance: ProvenancePart | None = Field(
        None,
        description="Where the document comes from. No part of the content.",
        examples=[{"world": "north", "references": {"claims": ["claim-7"]}}],
    )
