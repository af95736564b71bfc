"""What a brand kit may say: name, colours, fonts, logo, tone and voice."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from renderer.digest import digest_of
from renderer.errors import Fault, SpecInvalid
from renderer.limits import Limits
from renderer.spec.base import Part
from renderer.spec.document import MAX_FAULTS, read_document
from renderer.spec.faults import faults_from_pydantic
from renderer.spec.locations import Locator
from renderer.spec.numbers import Int, NotBool, Written
from renderer.spec.origins import SourceText
from renderer.spec.values import MeasureText

BRAND_SCHEMA_ID = "urn:reelkiln:brand-1"

BrandColour = Annotated[
    str,
    Written(r"^#[0-9a-fA-F]{6}$", form="a colour such as #102030"),
    Field(description="A colour as #RRGGBB.", examples=["#0b3d91"]),
]
ColourName = Annotated[
    str, Written(r"^[a-z][a-z0-9_]{0,39}$", form="a name of small letters, digits and _")
]
FontName = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[str, Field(min_length=1, max_length=300)]


class Colours(Part):
    """The colours of a brand. Only `primary` is needed; the others are made from it."""

    primary: BrandColour = Field(description="The colour people know the brand by.")
    secondary: BrandColour | None = Field(None, description="Stands beside it.")
    accent: BrandColour | None = Field(None, description="For the little that must be seen first.")
    background: BrandColour | None = Field(None, description="Behind text and pictures.")
    text: BrandColour | None = Field(None, description="Letters on the background.")
    more: dict[ColourName, BrandColour] = Field(
        {}, description="Further colours by name.", examples=[{"mint": "#9be8c8"}]
    )


class Fonts(Part):
    """The fonts of a brand: families, and the files of those the renderer does not carry."""

    heading: FontName | None = Field(
        None, description="Family of headlines and titles.", examples=["Noto Serif"]
    )
    body: FontName | None = Field(
        None, description="Family of everything else.", examples=["Noto Sans"]
    )
    heading_weight: Annotated[Int, Field(ge=100, le=900)] | None = Field(
        None, description="Weight of headlines and titles.", examples=[800]
    )
    files: list[SourceText] = Field(
        [], description="Font files, as in `fonts` of a spec.", examples=[["fonts/acme.ttf"]]
    )


class Logo(Part):
    """The mark of a brand, and where it stands."""

    image: SourceText = Field(
        description="A picture, best with clear ground.", examples=["logo.png"]
    )
    corner: Literal["top-left", "top-right", "bottom-left", "bottom-right"] = Field(
        "top-right", description="Where it stands."
    )
    width: MeasureText = Field("12%", description="Its width as a share of the canvas.")


class BrandKit(Part):
    """A brand."""

    schema_: str | None = Field(
        None,
        alias="$schema",
        description="Address of the schema, for editors.",
        examples=["../schemas/brand-1.schema.json"],
    )
    reelkiln_brand: Annotated[Literal[1], NotBool] = Field(description="Version of this form.")
    name: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="What the brand is called.", examples=["Acme"]
    )
    colours: Colours = Field(description="Its colours.", examples=[{"primary": "#0b3d91"}])
    fonts: Fonts = Field(Fonts(), description="Its letters.")
    logo: Logo | None = Field(None, description="Its mark.", examples=[{"image": "logo.png"}])
    tone: list[Words] = Field(
        [], description="How its pictures feel.", examples=[["calm", "honest"]]
    )
    voice: Annotated[str, Field(max_length=600)] = Field(
        "", description="How it speaks.", examples=["plain words, no exclamation marks"]
    )

    @property
    def digest(self) -> str:
        """SHA-256 of what the kit says."""
        return digest_of(self.model_dump(mode="json", exclude_none=True, exclude={"schema_"}))


_ADAPTER = TypeAdapter(BrandKit)
_LOCATOR = Locator(BrandKit)


def parse_brand(data: bytes, *, name: str) -> BrandKit:
    """The brand kit in the bytes of a JSON or YAML file. Raises SpecInvalid with all faults."""
    document = read_document(data, name=name, limits=Limits())
    faults: list[Fault] = list(document.faults)
    kit, found = brand_of(document.value)
    faults += [document.locate(fault) for fault in found]
    if faults or kit is None:
        raise SpecInvalid(faults, document=name)
    return kit


def brand_of(value: Any) -> tuple[BrandKit | None, list[Fault]]:
    """The brand kit in plain values, or what is wrong with them."""
    try:
        return _ADAPTER.validate_python(value), []
    except ValidationError as error:
        return None, faults_from_pydantic(error, _LOCATOR, at_most=MAX_FAULTS)
