"""Assets: what a job reads or makes, promised before it exists. States and legal moves. Pure.

    pending ──▶ available ──▶ deleted
       │
       └──▶ failed

A FILE asset has bytes in a store, a VALUE asset has a JSON value in its record. A promise is a
pending asset: specs may name it, and run once it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from renderer.errors import ReelkilnError


class AssetKind(StrEnum):
    """Where the content lies: bytes in a store, or a value in the record."""

    FILE = "file"
    VALUE = "value"


class AssetState(StrEnum):
    """How far a promise is kept."""

    PENDING = "pending"
    AVAILABLE = "available"
    FAILED = "failed"
    DELETED = "deleted"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return not ASSET_MOVES[self]


class Visibility(StrEnum):
    """Who may read an asset: its owner, or whoever knows its id."""

    PRIVATE = "private"
    PUBLIC = "public"


_S = AssetState
ASSET_MOVES: Mapping[AssetState, frozenset[AssetState]] = MappingProxyType(
    {
        _S.PENDING: frozenset({_S.AVAILABLE, _S.FAILED}),
        _S.AVAILABLE: frozenset({_S.DELETED}),
        _S.FAILED: frozenset(),
        _S.DELETED: frozenset(),
    }
)
"""The one table of legal moves."""


class IllegalAssetMove(ReelkilnError):
    """A move that the table does not hold; `legal` says which are."""

    code = "illegal-asset-move"
    http_status = 409

    def __init__(self, asset_id: str, state: AssetState, to: AssetState) -> None:
        self.legal = tuple(sorted(ASSET_MOVES[state]))
        may = ", ".join(self.legal) or "nothing: it has ended"
        super().__init__(f"asset {asset_id} is {state} and cannot become {to}; it may become {may}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """The record of one asset.

    `asset_type` says what it is for (thumbnail, video, captions ...), `media_type` what the bytes
    are. `size_bytes`, `sha256`, `key` (its place in the store) and `duration_ms` are those of an
    available file; `value` is the content of an available VALUE asset. `created_by_job` promised
    it, if a job did. Times are seconds since 1970, UTC.
    """

    asset_id: str
    kind: AssetKind
    state: AssetState = AssetState.PENDING
    label: str = ""
    asset_type: str = ""
    media_type: str = "application/octet-stream"
    size_bytes: int | None = None
    sha256: str = ""
    key: str = ""
    duration_ms: int | None = None
    value: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    visibility: Visibility = Visibility.PRIVATE
    owner: str = ""
    world: str = ""
    created_by_job: str = ""
    status_reason: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "tags", tuple(sorted(set(self.tags))))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "tags": list(self.tags)}


def move_asset(asset: Asset, to: AssetState, *, now: float, **changes: Any) -> Asset:
    """The asset in its next state. Raises IllegalAssetMove when the table does not hold it."""
    if to not in ASSET_MOVES[asset.state]:
        raise IllegalAssetMove(asset.asset_id, asset.state, to)
    return replace(asset, state=to, updated_at=now, **changes)


def asset_from_json(data: Mapping[str, Any]) -> Asset:
    """The inverse of `Asset.as_json`; unknown fields of later versions are left out.

    Raises KeyError, TypeError or ValueError on foreign data.
    """
    known = {f.name for f in fields(Asset)} & data.keys()
    plain = {name: data[name] for name in known}
    plain["kind"], plain["state"] = AssetKind(plain["kind"]), AssetState(plain["state"])
    plain["visibility"] = Visibility(plain.get("visibility", "private"))
    plain["tags"] = tuple(plain.get("tags", ()))
    return Asset(**plain)
