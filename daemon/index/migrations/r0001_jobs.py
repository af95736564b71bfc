"""The table of jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ORDER = ["created_at", "job_id"]


def upgrade() -> None:
    """Make it, with an index for each filter."""
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.String(26), primary_key=True),
        sa.Column("rev", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.LargeBinary, nullable=False),
        sa.Column("owner", sa.LargeBinary, nullable=False),
        sa.Column("spec_sha256", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("jobs_newest", "jobs", _ORDER)
    for column in ("state", "name", "kind", "owner"):
        op.create_index(f"jobs_by_{column}", "jobs", [column, *_ORDER])
    op.create_index("jobs_by_spec", "jobs", ["spec_sha256", *_ORDER])


def downgrade() -> None:
    """Remove it; the folders hold everything that was in it."""
    op.drop_table("jobs")
