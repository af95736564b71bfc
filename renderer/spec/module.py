"""Parts of a `module` document: what goes into a registered command, and what comes out."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from renderer.spec.base import Part
from renderer.spec.keyed_union import KeyedUnion
from renderer.spec.numbers import Number, Written
from renderer.spec.origins import AssetSource, JobSource, RecordId

_KEY = r"^[A-Za-z][A-Za-z0-9_]{0,62}$"
_FILE = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"
_MEDIA_TYPE = r"^[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,126}$"
InputKey = Annotated[str, Written(_KEY, form="a letter, then letters, digits and _ (at most 63)")]
OutputFile = Annotated[
    str, Written(_FILE, form="a file name of letters, digits, . _ - (at most 100)")
]
MediaType = Annotated[str, Written(_MEDIA_TYPE, form="a media type, as image/png")]
Json = str | Number | bool | list[Any] | dict[str, Any]


class ValueInput(Part):
    """A value written in the document itself."""

    value: Json = Field(
        description="Text becomes a .txt file, anything else a .json file.", examples=["Hello"]
    )


ModuleInput = Annotated[AssetSource | JobSource | ValueInput, KeyedUnion(("asset", "job", "value"))]


class ModuleOutput(Part):
    """A file that the module makes; it becomes an asset and lies in the bundle."""

    label: OutputFile = Field(
        description="The name of the file, in the output folder and in the bundle.",
        examples=["report.json"],
    )
    media_type: MediaType = Field(
        description="What the file is.", examples=["application/json", "image/png"]
    )
    asset: RecordId | None = Field(
        None,
        description="A promised asset to fulfil; one is made when left out.",
        examples=["01J9ZK3V7Q8R5W2X4Y6A8B0C2D"],
    )
