"""Webhook endpoints, their deliveries, and the jobs that are settled."""

import sqlalchemy as sa
from alembic import op

revision = "k0002"
down_revision = "k0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables."""
    _endpoints()
    _deliveries()
    op.create_table("webhook_settled", sa.Column("job_id", sa.String(26), primary_key=True))


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("endpoint_id", sa.String(26), primary_key=True),
        sa.Column("owner", sa.LargeBinary, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secrets", sa.Text, nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("disabled_at", sa.Double),
    )
    op.create_index(
        "webhook_endpoints_by_owner", "webhook_endpoints", ["owner", "created_at", "endpoint_id"]
    )


def _deliveries() -> None:
    table = "webhook_deliveries"
    op.create_table(
        table,
        sa.Column("message_id", sa.String(30), primary_key=True),
        sa.Column("endpoint", sa.String(26), primary_key=True),
        sa.Column("job_id", sa.String(26), nullable=False),
        sa.Column("owner", sa.LargeBinary, nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("host", sa.String(300), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_error", sa.Text, nullable=False),
    )
    op.create_index("webhook_deliveries_due", table, ["state", "next_at", "message_id"])
    op.create_index("webhook_deliveries_newest", table, ["created_at", "message_id"])
    op.create_index("webhook_deliveries_by_job", table, ["job_id"])


def downgrade() -> None:
    """Remove them with what they hold."""
    for table in ("webhook_settled", "webhook_deliveries", "webhook_endpoints"):
        op.drop_table(table)
