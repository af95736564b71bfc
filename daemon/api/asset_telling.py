"""Assets and lineages as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping

from daemon.api.asset_models import (
    AssetLinks,
    AssetList,
    AssetResource,
    EdgeShown,
    LineageShown,
    NodeShown,
)
from daemon.api.problems import plain_text
from daemon.api.telling import job_path, moment
from daemon.catalog.assets import AssetPage
from daemon.catalog.derivations import Edge, Lineage
from daemon.catalog.nodes import Node
from renderer.assets import Asset, AssetState, Visibility


def asset_path(asset_id: str) -> str:
    """Where an asset is."""
    return f"/v1/assets/{asset_id}"


def asset_resource(asset: Asset) -> AssetResource:
    """The asset as clients see it."""
    return AssetResource(
        asset_id=asset.asset_id, kind=asset.kind, status=asset.state,
        status_reason=plain_text(asset.status_reason), label=plain_text(asset.label),
        asset_type=plain_text(asset.asset_type), media_type=plain_text(asset.media_type),
        size_bytes=asset.size_bytes, sha256=asset.sha256, duration_ms=asset.duration_ms,
        value=plain_text(asset.value), metadata=plain_text(dict(asset.metadata)),
        tags=plain_text(list(asset.tags)), visibility=asset.visibility,
        owner=plain_text(asset.owner), world=plain_text(asset.world),
        created_by_job=asset.created_by_job or None, created_at=moment(asset.created_at),
        updated_at=moment(asset.updated_at), links=_links(asset),
    )  # fmt: skip


def asset_list(page: AssetPage, count: int | None = None) -> AssetList:
    """A page."""
    shown = [asset_resource(asset) for asset in page.assets]
    return AssetList(assets=shown, cursor=page.cursor or None, count=count)


def lineage_shown(asset_id: str, lineage: Lineage, labels: Mapping[Node, str]) -> LineageShown:
    """The lineage as data."""

    def node(one: Node) -> NodeShown:
        return NodeShown(kind=one.kind, id=plain_text(one.node_id), world=plain_text(one.world),
                         label=plain_text(labels.get(one, "")))  # fmt: skip

    def edge(one: Edge) -> EdgeShown:
        return EdgeShown(child=node(one.child), parent=node(one.parent))

    return LineageShown(
        asset_id=asset_id, up=[edge(one) for one in lineage.up],
        down=[edge(one) for one in lineage.down], is_cut=lineage.is_cut,
    )  # fmt: skip


def _links(asset: Asset) -> AssetLinks:
    here = asset_path(asset.asset_id)
    is_there = asset.state is AssetState.AVAILABLE
    is_public = is_there and asset.visibility is Visibility.PUBLIC
    return AssetLinks(
        self=here, lineage=f"{here}/lineage", content=f"{here}/content" if is_there else None,
        public=f"/asset/{asset.asset_id}" if is_public else None,
        job=job_path(asset.created_by_job) if asset.created_by_job else None,
    )  # fmt: skip
