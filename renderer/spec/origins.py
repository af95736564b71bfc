"""What a source may be: a file or address in one word, a reference, or something to be made."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from renderer.spec.base import Part
from renderer.spec.generated import GeneratedSource, recipe_key
from renderer.spec.keyed_union import KeyedUnion
from renderer.spec.numbers import Written

_ID = r"^[0-9A-Za-z_-]{1,64}$"
_FILE = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$"
RecordId = Annotated[str, Written(_ID, form="an id of letters, digits, _ and - (at most 64)")]
FileName = Annotated[str, Written(_FILE, form="the path of a file in a bundle")]
SourceText = Annotated[str, Field(min_length=1, max_length=4096)]


class AssetSource(Part):
    """An asset of the daemon, by its id; it may be promised still."""

    asset: RecordId = Field(
        description="The id of the asset. The job waits until it is available.",
        examples=["01J9ZK3V7Q8R5W2X4Y6A8B0C2D"],
    )


class JobSource(Part):
    """A file of what another job makes."""

    job: RecordId = Field(
        description="The id of the job. This one waits until it has succeeded.",
        examples=["01J9ZK3V7Q8R5W2X4Y6A8B0C2D"],
    )
    file: FileName = Field(
        "video",
        description="`video`, `audio`, `thumbnail`, `captions`, or a file's path in its bundle.",
    )


Reference = Annotated[
    AssetSource | JobSource | GeneratedSource, KeyedUnion(("asset", "job", "generate"))
]
Source = SourceText | Reference
BrandSource = SourceText | Annotated[AssetSource | JobSource, KeyedUnion(("asset", "job"))]
_BRAND: TypeAdapter[AssetSource | JobSource | str] = TypeAdapter(BrandSource)

SCHEMES = ("asset", "job")
"""Of references that the daemon alone knows."""


def is_reference(source: str) -> bool:
    """Whether a source names no file: `asset:ID`, `job:ID#FILE`; write `./asset:x` for a file."""
    scheme, colon, _ = source.partition(":")
    return bool(colon) and scheme in SCHEMES


def brand_key(document: Any) -> str:
    """The brand kit that a plain document names, in one word; empty for none, or a wrong one."""
    written = document.get("brand") if isinstance(document, dict) else None
    try:
        return "" if written is None else source_key(_BRAND.validate_python(written))
    except ValidationError:
        return ""  # the checks of the document say what is wrong with it


def source_key(source: Source) -> str:
    """The source in one word, by which it is pinned; `asset:ID` and `job:ID#FILE` for references,
    `generate:{...}` with canonical JSON for what is made.

    Whoever likes may write these words instead of the objects.
    """
    if isinstance(source, AssetSource):
        return f"asset:{source.asset}"
    if isinstance(source, JobSource):
        return f"job:{source.job}#{source.file}"
    if isinstance(source, GeneratedSource):
        return recipe_key(source.generate)
    return source if "#" in source or not source.startswith("job:") else f"{source}#video"
