"""Which assets are asked for, and the question that a page of them asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, func, select, tuple_

from daemon.catalog.nodes import ASSET, reference_node
from daemon.database.cursors import place_of
from daemon.kept.catalog_tables import asset_tags, assets, derivations
from renderer.assets import AssetState
from renderer.provenance import Reference

_PLAIN = ("owner", "world", "asset_type", "created_by_job")
_IN_THE_REFERENCE = ("owner", "world")  # what rests on a thing is of its owner and world


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFilters:
    """Which assets; None asks for all. Times are seconds since 1970: from, and before.

    `reference` asks for what rests on a thing of `world`, of this `owner` (empty when None).
    Without a `state`, assets that were deleted are left out.
    """

    owner: str | None = None
    world: str | None = None
    asset_type: str | None = None
    state: AssetState | None = None
    tag: str | None = None
    created_by_job: str | None = None
    reference: Reference | None = None
    created_from: float | None = None
    created_before: float | None = None


def page_query(filters: AssetFilters, cursor: str, limit: int) -> Select[Any]:
    """Assets, newest first. Raises UsageError for a foreign cursor."""
    rows, created_at, asset_id = _driving(filters)
    query = select(*assets.c).select_from(rows).where(*_conditions(filters, created_at))
    if cursor:
        query = query.where(tuple_(created_at, asset_id) < tuple_(*place_of(cursor)))
    return query.order_by(created_at.desc(), asset_id.desc()).limit(limit)


def count_query(filters: AssetFilters) -> Select[Any]:
    """How many there are."""
    rows, created_at, _ = _driving(filters)
    return select(func.count()).select_from(rows).where(*_conditions(filters, created_at))


def _driving(filters: AssetFilters) -> tuple[FromClause, Any, Any]:
    """The rows of the question, with the columns that they are ordered by.

    What is rarest leads: the index of its table holds the order of the pages as well.
    """
    if filters.reference is not None:
        joined = derivations.join(assets, assets.c.asset_id == derivations.c.child_id)
        return joined, derivations.c.created_at, derivations.c.child_id
    if filters.tag is not None:
        joined = asset_tags.join(assets, assets.c.asset_id == asset_tags.c.asset_id)
        return joined, asset_tags.c.created_at, asset_tags.c.asset_id
    return assets, assets.c.created_at, assets.c.asset_id


def _conditions(filters: AssetFilters, created_at: Any) -> Iterator[ColumnElement[bool]]:
    yield from _leading(filters)
    for column in _PLAIN:
        value = getattr(filters, column)
        is_implied = filters.reference is not None and column in _IN_THE_REFERENCE
        if value is not None and not is_implied:
            yield assets.c[column] == value
    if filters.state is not None:
        yield assets.c.state == filters.state
    else:
        yield assets.c.state != AssetState.DELETED
    if filters.created_from is not None:
        yield created_at >= filters.created_from
    if filters.created_before is not None:
        yield created_at < filters.created_before


def _leading(filters: AssetFilters) -> Iterator[ColumnElement[bool]]:
    if filters.reference is not None:
        node = reference_node(filters.owner or "", filters.world or "", filters.reference)
        yield derivations.c.parent == node.word
        yield derivations.c.child_kind == ASSET
        if filters.tag is not None:
            tagged = select(asset_tags.c.asset_id).where(asset_tags.c.tag == filters.tag)
            yield assets.c.asset_id.in_(tagged)
    elif filters.tag is not None:
        yield asset_tags.c.tag == filters.tag
        if filters.owner is not None:
            yield asset_tags.c.owner == filters.owner
