"""Accounts, keys, sessions, idempotency records."""

import sqlalchemy as sa
from alembic import op

revision = "k0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the four tables."""
    _accounts()
    _api_keys()
    _sessions()
    _idempotency()


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.String(26), primary_key=True),
        sa.Column("email", sa.LargeBinary, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_index("accounts_by_email", "accounts", ["email"], unique=True)


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("last_four", sa.String(4), nullable=False),
        sa.Column("owner", sa.LargeBinary, nullable=False),
        sa.Column("label", sa.LargeBinary, nullable=False),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("world", sa.LargeBinary, nullable=False),
        sa.Column("per_minute", sa.Integer),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("revoked_at", sa.Double),
        sa.Column("last_used_at", sa.Double),
    )
    op.create_index("api_keys_by_owner", "api_keys", ["owner", "created_at", "key_id"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(26), nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
    op.create_index("sessions_by_account", "sessions", ["account_id"])
    op.create_index("sessions_by_expiry", "sessions", ["expires_at"])


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("scope", sa.LargeBinary, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("job_id", sa.String(26), nullable=False),
        sa.Column("attempt", sa.String(16), nullable=False),
        sa.Column("attempt_until", sa.Double, nullable=False),
        sa.Column("response", sa.LargeBinary),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
    op.create_index("idempotency_by_expiry", "idempotency", ["expires_at"])


def downgrade() -> None:
    """Remove them, with everything in them."""
    for table in ("idempotency", "sessions", "api_keys", "accounts"):
        op.drop_table(table)
