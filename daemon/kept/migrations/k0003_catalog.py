"""Assets, worlds and what is in them, where jobs come from, what rests on what."""

import sqlalchemy as sa
from alembic import op

revision = "k0003"
down_revision = "k0002"
branch_labels = None
depends_on = None

_PAGED = ["created_at", "asset_id"]


def upgrade() -> None:
    """Make the tables."""
    _assets()
    _tags()
    _worlds()
    _jobs()
    _derivations()


def _assets() -> None:
    op.create_table(
        "assets",
        sa.Column("asset_id", sa.String(26), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("label", sa.LargeBinary, nullable=False),
        sa.Column("asset_type", sa.LargeBinary, nullable=False),
        sa.Column("media_type", sa.LargeBinary, nullable=False),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("duration_ms", sa.BigInteger),
        sa.Column("value", sa.Text),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("visibility", sa.String(16), nullable=False),
        sa.Column("owner", sa.LargeBinary, nullable=False),
        sa.Column("world", sa.LargeBinary, nullable=False),
        sa.Column("created_by_job", sa.String(26), nullable=False),
        sa.Column("status_reason", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    indexes = {
        "newest": [],
        "by_owner": ["owner"],
        "by_world": ["owner", "world"],
        "by_type": ["owner", "asset_type"],
        "by_state": ["owner", "state"],
        "all_by_world": ["world"],
        "all_by_type": ["asset_type"],
        "all_by_state": ["state"],
        "by_job": ["created_by_job"],
    }
    for name, columns in indexes.items():
        op.create_index(f"assets_{name}", "assets", [*columns, *_PAGED])


def _tags() -> None:
    op.create_table(
        "asset_tags",
        sa.Column("asset_id", sa.String(26), primary_key=True),
        sa.Column("tag", sa.LargeBinary, primary_key=True),
        sa.Column("owner", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_index("asset_tags_by_owner", "asset_tags", ["tag", "owner", *_PAGED])
    op.create_index("asset_tags_newest", "asset_tags", ["tag", *_PAGED])


def _worlds() -> None:
    op.create_table(
        "worlds",
        sa.Column("owner", sa.LargeBinary, primary_key=True),
        sa.Column("world", sa.LargeBinary, primary_key=True),
        sa.Column("title", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_table(
        "world_references",
        sa.Column("owner", sa.LargeBinary, primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("reference_id", sa.LargeBinary, primary_key=True),
        sa.Column("world", sa.LargeBinary, primary_key=True),
        sa.Column("title", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    columns = ["owner", "world", "kind", "reference_id"]
    op.create_index("world_references_by_world", "world_references", columns)


def _jobs() -> None:
    op.create_table(
        "job_provenance",
        sa.Column("job_id", sa.String(26), primary_key=True),
        sa.Column("owner", sa.LargeBinary, nullable=False),
        sa.Column("world", sa.LargeBinary, nullable=False),
        sa.Column("input_hash", sa.String(64), nullable=False),
        sa.Column("provenance", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    columns = ["owner", "world", "input_hash", "created_at", "job_id"]
    op.create_index("job_provenance_by_input", "job_provenance", columns)
    op.create_table("settled_jobs", sa.Column("job_id", sa.String(26), primary_key=True))


def _derivations() -> None:
    op.create_table(
        "derivations",
        sa.Column("child", sa.Text, primary_key=True),
        sa.Column("parent", sa.Text, primary_key=True),
        sa.Column("child_kind", sa.String(16), nullable=False),
        sa.Column("child_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    columns = ["parent", "child_kind", "created_at", "child_id"]
    op.create_index("derivations_by_parent", "derivations", columns)


def downgrade() -> None:
    """Remove them, with everything in them."""
    for table in ("derivations", "settled_jobs", "job_provenance", "world_references", "worlds",
                  "asset_tags", "assets"):  # fmt: skip
        op.drop_table(table)
