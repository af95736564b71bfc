"""What the API says of assets and worlds, and what it is asked about them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from daemon.api.asking import NoQuery
from daemon.api.bodies import Asked
from daemon.api.models import Answered, JobResource
from renderer.assets import AssetKind, AssetState, Visibility
from renderer.provenance import ReferenceKind

_WORLD = r"^[A-Za-z0-9._-]*$"
_JOB = r"^[0-9A-Z]{26}$"


class AssetLinks(Answered):
    """Where to go on from an asset."""

    self: str
    lineage: str
    content: str | None = Field(description="For its owner; null while there is none.")
    public: str | None = Field(description="For anybody; null unless it is public and there.")
    job: str | None


class AssetResource(Answered):
    """An asset."""

    asset_id: str
    kind: AssetKind
    status: AssetState
    status_reason: str
    label: str
    asset_type: str
    media_type: str
    size_bytes: int | None
    sha256: str
    duration_ms: int | None
    value: Any = Field(description="The content of a VALUE asset that is available.")
    metadata: dict[str, Any]
    tags: list[str]
    visibility: Visibility
    owner: str
    world: str
    created_by_job: str | None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    links: AssetLinks


class AssetList(Answered):
    """Assets, newest first. `cursor` asks for those that follow; null on the last page."""

    assets: list[AssetResource]
    cursor: str | None
    count: int | None = Field(description="How many there are in all, when that was asked.")


class NodeShown(Answered):
    """An asset, a job, or a thing of a world."""

    kind: str
    id: str
    world: str
    label: str


class EdgeShown(Answered):
    """`child` was made from, or rests on, `parent`."""

    child: NodeShown
    parent: NodeShown


class LineageShown(Answered):
    """What an asset was made from (`up`) and what came of it (`down`)."""

    asset_id: str
    up: list[EdgeShown]
    down: list[EdgeShown]
    is_cut: bool = Field(description="There is more, further off.")


class WorldShown(Answered):
    """A world, and how many things of each kind it has."""

    world: str
    title: str
    created_at: AwareDatetime
    things: dict[str, int]


class WorldList(Answered):
    """Worlds, by name."""

    worlds: list[WorldShown]


class ThingShown(Answered):
    """A thing of a world."""

    kind: ReferenceKind
    id: str
    title: str


class ThingList(Answered):
    """Things, by id. `after` asks for those that follow; null on the last page."""

    things: list[ThingShown]
    after: str | None


class Counted(Answered):
    """How many things were registered."""

    world: str
    registered: int


class JobsOfThing(Answered):
    """Jobs that rest on a thing, newest first."""

    jobs: list[JobResource]
    cursor: str | None
    count: int


class WorldAsked(Asked):
    """What a world is called for people."""

    title: str = Field(default="", max_length=500)


class VisibilityAsked(Asked):
    """Who may read an asset."""

    visibility: Visibility


class NewAssetQuery(NoQuery):
    """What an asset is. The body is its content: a file, or the JSON of a value.

    One with the status `pending` is promised: it has no body, and may be named at once.
    """

    kind: AssetKind = AssetKind.FILE
    status: Literal[AssetState.AVAILABLE, AssetState.PENDING] = AssetState.AVAILABLE
    media_type: str = Field(
        default="", max_length=100, pattern=r"^([a-z]+/[a-z0-9.+-]+)?$",
        description="Of a promised file; that of a body is its Content-Type.",
    )  # fmt: skip
    label: str = Field(default="", max_length=300)
    asset_type: str = Field(default="", max_length=60)
    world: str = Field(default="", max_length=64, pattern=_WORLD)
    visibility: Visibility = Visibility.PRIVATE
    tags: str = Field(default="", max_length=1000, description="Separated by commas.")

    @property
    def tag_list(self) -> tuple[str, ...]:
        """The tags one by one."""
        return tuple(tag.strip() for tag in self.tags.split(",") if tag.strip())


class AssetQuery(NoQuery):
    """Which assets. Of claim, entity, source_chunk and source one at most, with `world`."""

    world: str | None = Field(default=None, max_length=64, pattern=_WORLD)
    asset_type: str | None = Field(default=None, max_length=60)
    status: AssetState | None = None
    tag: str | None = Field(default=None, max_length=100)
    job_id: str | None = Field(default=None, pattern=_JOB)
    owner: str | None = Field(default=None, max_length=255, description="For admins alone.")
    claim: str | None = Field(default=None, min_length=1, max_length=200)
    entity: str | None = Field(default=None, min_length=1, max_length=200)
    source_chunk: str | None = Field(default=None, min_length=1, max_length=200)
    source: str | None = Field(default=None, min_length=1, max_length=200)
    created_from: AwareDatetime | None = Field(default=None, description="RFC 3339, included.")
    created_before: AwareDatetime | None = Field(default=None, description="RFC 3339, excluded.")
    count: bool = Field(default=False, description="Say how many there are in all.")
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str = Field(default="", max_length=255)


class JobAssetQuery(NoQuery):
    """Which page."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str = Field(default="", max_length=255)


class LineageForm(StrEnum):
    """What a lineage is written as."""

    JSON = "json"
    SVG = "svg"


class LineageQuery(NoQuery):
    """How far, and as what; without `format` the header Accept decides."""

    depth: int = Field(default=8, ge=1, le=32)
    format: LineageForm | None = None


class ThingQuery(NoQuery):
    """Which things."""

    kind: ReferenceKind
    after: str = Field(default="", max_length=200)
    limit: int = Field(default=50, ge=1, le=200)


class JobsOfThingQuery(NoQuery):
    """Jobs that rest on which thing."""

    kind: ReferenceKind
    id: str = Field(min_length=1, max_length=200)
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str = Field(default="", max_length=255)
