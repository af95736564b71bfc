"""Webhooks belong to worlds, and accounts can be shut."""

import sqlalchemy as sa
from alembic import op

revision = "k0004"
down_revision = "k0003"
branch_labels = None
depends_on = None

_TABLES = ("webhook_endpoints", "webhook_deliveries")


def upgrade() -> None:
    """What was there before is of no world, and open."""
    op.add_column("accounts", sa.Column("disabled_at", sa.Double))
    for table in _TABLES:
        world = sa.Column("world", sa.LargeBinary, nullable=False, server_default="")
        op.add_column(table, world)
    op.create_index(
        "webhook_deliveries_by_endpoint",
        "webhook_deliveries",
        ["endpoint", "owner", "created_at", "message_id"],
    )


def downgrade() -> None:
    """Forget both."""
    op.drop_index("webhook_deliveries_by_endpoint", "webhook_deliveries")
    for table in _TABLES:
        op.drop_column(table, "world")
    op.drop_column("accounts", "disabled_at")
