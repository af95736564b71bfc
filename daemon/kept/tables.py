"""The tables that are kept, as SQLAlchemy sees them; the migrations make the same ones.

Of a secret there is its digest and, for people to tell keys apart, its last four characters;
those of webhooks alone are kept as they are, since they sign.
Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from daemon.database.columns import AnyText

metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", String(26), primary_key=True),
    Column("email", AnyText, nullable=False),  # folded: see `daemon.accounts.people`
    Column("password_hash", Text, nullable=False),  # argon2id with its own salt and costs
    Column("scopes", String(64), nullable=False),  # sorted, joined by blanks
    Column("created_at", Double, nullable=False),
    Column("disabled_at", Double),
    Index("accounts_by_email", "email", unique=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("last_four", String(4), nullable=False),
    Column("owner", AnyText, nullable=False),
    Column("label", AnyText, nullable=False),
    Column("scopes", String(64), nullable=False),
    Column("world", AnyText, nullable=False),
    Column("per_minute", Integer),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    Column("last_used_at", Double),
    Index("api_keys_by_owner", "owner", "created_at", "key_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("account_id", String(26), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Index("sessions_by_account", "account_id"),
    Index("sessions_by_expiry", "expires_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", AnyText, primary_key=True),  # who asked: two callers may choose one key
    Column("key", AnyText, primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("job_id", String(26), nullable=False),
    Column("attempt", String(16), nullable=False),  # which request works on it
    Column("attempt_until", Double, nullable=False),
    Column("response", LargeBinary),  # null while it is in flight
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Index("idempotency_by_expiry", "expires_at"),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", String(26), primary_key=True),
    Column("owner", AnyText, nullable=False),
    Column("url", Text, nullable=False),
    Column("secrets", Text, nullable=False),  # newest first, separated by blanks
    Column("events", Text, nullable=False),  # sorted, separated by blanks
    Column("created_at", Double, nullable=False),
    Column("disabled_at", Double),
    Column("world", AnyText, nullable=False, server_default=""),  # empty: of all worlds
    Index("webhook_endpoints_by_owner", "owner", "created_at", "endpoint_id"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("message_id", String(30), primary_key=True),
    Column("endpoint", String(26), primary_key=True),  # an endpoint_id, "operator" or "callback"
    Column("job_id", String(26), nullable=False),
    Column("owner", AnyText, nullable=False),
    Column("event", String(32), nullable=False),
    Column("url", Text, nullable=False),
    Column("host", String(300), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("last_status", Integer),
    Column("last_error", Text, nullable=False),
    Column("world", AnyText, nullable=False, server_default=""),
    Index("webhook_deliveries_due", "state", "next_at", "message_id"),
    Index("webhook_deliveries_newest", "created_at", "message_id"),
    Index("webhook_deliveries_by_job", "job_id"),
    Index("webhook_deliveries_by_endpoint", "endpoint", "owner", "created_at", "message_id"),
)

webhook_settled = Table(
    "webhook_settled",  # jobs whose end has become deliveries, or needed none
    metadata,
    Column("job_id", String(26), primary_key=True),
)
