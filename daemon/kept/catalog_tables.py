"""The tables of the asset catalog; the migrations make the same ones.

A node of the lineage is one word, `asset:ID`, `job:ID`, or a thing of a world (see
`daemon.catalog.nodes`). Every filter has an index that ends in the order of pages, so that no
question sorts or scans. JSON is kept in plain ASCII. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, String, Table, Text

from daemon.database.columns import AnyText
from daemon.kept.tables import metadata

__all__ = [
           "asset_tags",
           "assets",
           "derivations",
           "job_provenance",
           "metadata",
           "settled_jobs",
           "world_references",
           "worlds",
]  # fmt: skip

assets = Table(
    "assets",
    metadata,
    Column("asset_id", String(26), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("label", AnyText, nullable=False),
    Column("asset_type", AnyText, nullable=False),
    Column("media_type", AnyText, nullable=False),
    Column("size_bytes", BigInteger),
    Column("sha256", String(64), nullable=False),
    Column("key", AnyText, nullable=False),
    Column("duration_ms", BigInteger),
    Column("value", Text),  # JSON; null for files, and while it is pending
    Column("metadata", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("owner", AnyText, nullable=False),
    Column("world", AnyText, nullable=False),
    Column("created_by_job", String(26), nullable=False),
    Column("status_reason", AnyText, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Index("assets_newest", "created_at", "asset_id"),
    Index("assets_by_owner", "owner", "created_at", "asset_id"),
    Index("assets_by_world", "owner", "world", "created_at", "asset_id"),
    Index("assets_by_type", "owner", "asset_type", "created_at", "asset_id"),
    Index("assets_by_state", "owner", "state", "created_at", "asset_id"),
    Index("assets_all_by_world", "world", "created_at", "asset_id"),
    Index("assets_all_by_type", "asset_type", "created_at", "asset_id"),
    Index("assets_all_by_state", "state", "created_at", "asset_id"),
    Index("assets_by_job", "created_by_job", "created_at", "asset_id"),
)

asset_tags = Table(
    "asset_tags",
    metadata,
    Column("asset_id", String(26), primary_key=True),
    Column("tag", AnyText, primary_key=True),
    Column("owner", AnyText, nullable=False),
    Column("created_at", Double, nullable=False),  # the asset's
    Index("asset_tags_by_owner", "tag", "owner", "created_at", "asset_id"),
    Index("asset_tags_newest", "tag", "created_at", "asset_id"),
)

worlds = Table(
    "worlds",
    metadata,
    Column("owner", AnyText, primary_key=True),
    Column("world", AnyText, primary_key=True),
    Column("title", AnyText, nullable=False),
    Column("created_at", Double, nullable=False),
)

world_references = Table(
    "world_references",
    metadata,
    Column("owner", AnyText, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("reference_id", AnyText, primary_key=True),
    Column("world", AnyText, primary_key=True),
    Column("title", AnyText, nullable=False),
    Column("created_at", Double, nullable=False),
    Index("world_references_by_world", "owner", "world", "kind", "reference_id"),
)

job_provenance = Table(
    "job_provenance",
    metadata,
    Column("job_id", String(26), primary_key=True),
    Column("owner", AnyText, nullable=False),
    Column("world", AnyText, nullable=False),
    Column("input_hash", String(64), nullable=False),
    Column("provenance", Text, nullable=False),  # written once: the snapshot never changes
    Column("created_at", Double, nullable=False),
    Index("job_provenance_by_input", "owner", "world", "input_hash", "created_at", "job_id"),
)

derivations = Table(
    "derivations",
    metadata,
    Column("child", Text, primary_key=True),
    Column("parent", Text, primary_key=True),
    Column("child_kind", String(16), nullable=False),
    Column("child_id", Text, nullable=False),
    Column("created_at", Double, nullable=False),  # the child's
    Index("derivations_by_parent", "parent", "child_kind", "created_at", "child_id"),
)

settled_jobs = Table(
    "settled_jobs",
    metadata,
    Column("job_id", String(26), primary_key=True),
)
