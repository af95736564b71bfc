"""`Assets`: the rows of assets, and their moves, each of which one writer makes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from daemon.catalog.filters import AssetFilters, count_query, page_query
from daemon.catalog.refusals import AssetUnknown
from daemon.database import insert_new, reading, writing
from daemon.database.cursors import cursor_after
from daemon.kept.catalog_tables import asset_tags, assets
from renderer.assets import Asset, AssetKind, AssetState, Visibility, move_asset
from renderer.errors import UsageError

MAX_LIMIT = 1000
_JSON = ("metadata", "tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPage:
    """Assets, newest first; `cursor` asks for those that follow, empty on the last page."""

    assets: tuple[Asset, ...]
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Assets:
    """The table of assets. Every method raises KeptUnavailable."""

    engine: Engine

    def add(self, asset: Asset) -> Asset:
        """Keep a new asset. One of this id stays as it is, and is given instead."""
        with writing(self.engine) as connection:
            if add_asset(connection, asset):
                return asset
            return _found(connection, asset.asset_id)

    def get(self, asset_id: str) -> Asset:
        """The asset of that id. Raises AssetUnknown."""
        with reading(self.engine) as connection:
            return _found(connection, asset_id)

    def find(self, asset_ids: Iterable[str]) -> Mapping[str, Asset]:
        """Those of the assets that there are, by id."""
        with reading(self.engine) as connection:
            query = select(assets).where(assets.c.asset_id.in_(sorted(set(asset_ids))))
            return {row.asset_id: asset_of(row) for row in connection.execute(query)}

    def move(self, asset_id: str, to: AssetState, *, now: float, **changes: Any) -> Asset:
        """The asset in its next state. Raises AssetUnknown and IllegalAssetMove."""
        with writing(self.engine) as connection:
            moved = move_asset(_found(connection, asset_id, locked=True), to, now=now, **changes)
            _write(connection, moved)
        return moved

    def change(self, asset_id: str, *, now: float, **changes: Any) -> Asset:
        """The asset in the same state with something new about it. Raises AssetUnknown.

        Neither tags nor what pages are ordered by can be changed so.
        """
        with writing(self.engine) as connection:
            there = _found(connection, asset_id, locked=True)
            changed = replace(there, updated_at=now, **changes)
            _write(connection, changed)
        return changed

    def page(
        self, filters: AssetFilters | None = None, *, cursor: str = "", limit: int = 50
    ) -> AssetPage:
        """At most `limit` (1 to 1000) assets. Raises UsageError for a foreign cursor."""
        if not 1 <= limit <= MAX_LIMIT:
            raise UsageError(f"a page of {limit} assets is not possible: 1 to {MAX_LIMIT} are")
        query = page_query(filters or AssetFilters(), cursor, limit + 1)
        with reading(self.engine) as connection:
            found = [asset_of(row) for row in connection.execute(query)]
        shown = tuple(found[:limit])
        more = len(found) > limit
        return AssetPage(
            assets=shown,
            cursor=cursor_after(shown[-1].created_at, shown[-1].asset_id) if more else "",
        )

    def count(self, filters: AssetFilters | None = None) -> int:
        """How many there are."""
        with reading(self.engine) as connection:
            return int(connection.scalar(count_query(filters or AssetFilters())) or 0)

    def forget(self, asset_id: str) -> None:
        """Remove the row of an asset that nothing rests on yet; one that is gone is no error."""
        with writing(self.engine) as connection:
            connection.execute(delete(asset_tags).where(asset_tags.c.asset_id == asset_id))
            connection.execute(delete(assets).where(assets.c.asset_id == asset_id))

    def promised_by(self, job_id: str) -> tuple[Asset, ...]:
        """What a job promised and has not kept."""
        query = select(assets).where(
            assets.c.created_by_job == job_id, assets.c.state == AssetState.PENDING
        )
        with reading(self.engine) as connection:
            return tuple(asset_of(row) for row in connection.execute(query))

    def to_clear(self, limit: int = 100) -> tuple[Asset, ...]:
        """Deleted assets whose bytes may still be there."""
        query = (
            select(assets)
            .where(assets.c.state == AssetState.DELETED, assets.c.key != "")
            .order_by(assets.c.created_at)
            .limit(limit)
        )
        with reading(self.engine) as connection:
            return tuple(asset_of(row) for row in connection.execute(query))


def add_asset(connection: Connection, asset: Asset) -> bool:
    """Insert an asset with its tags unless it is there; whether it was inserted."""
    if not insert_new(connection, assets, _row(asset)):
        return False
    shared = {"asset_id": asset.asset_id, "owner": asset.owner, "created_at": asset.created_at}
    if asset.tags:
        connection.execute(insert(asset_tags), [{**shared, "tag": tag} for tag in asset.tags])
    return True


def asset_of(row: Row[Any]) -> Asset:
    """The asset of a row."""
    plain = dict(row._mapping)
    plain |= {name: json.loads(plain[name]) for name in _JSON}
    plain["value"] = None if plain["value"] is None else json.loads(plain["value"])
    plain["kind"], plain["state"] = AssetKind(plain["kind"]), AssetState(plain["state"])
    plain["visibility"], plain["tags"] = Visibility(plain["visibility"]), tuple(plain["tags"])
    return Asset(**plain)


def _found(connection: Connection, asset_id: str, *, locked: bool = False) -> Asset:
    query = select(assets).where(assets.c.asset_id == asset_id)
    row = connection.execute(query.with_for_update() if locked else query).first()
    if row is None:
        raise AssetUnknown("no such asset is known", hint="GET /v1/assets lists those there are")
    return asset_of(row)


def _write(connection: Connection, asset: Asset) -> None:
    row = _row(asset)
    connection.execute(update(assets).where(assets.c.asset_id == asset.asset_id).values(row))


def _row(asset: Asset) -> dict[str, Any]:
    has_value = asset.kind is AssetKind.VALUE and asset.state is AssetState.AVAILABLE
    return {
        **asset.as_json(),
        "value": _json(asset.value) if has_value else None,
        **{name: _json(asset.as_json()[name]) for name in _JSON},
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True)
