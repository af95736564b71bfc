"""The tables of webhooks, as SQLAlchemy sees them; the migration makes the same ones.

Secrets are kept as they are: to sign, one must have them. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, MetaData, String, Table, Text

from daemon.index.tables import AnyText

metadata = MetaData()

endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", String(26), primary_key=True),
    Column("owner", AnyText, nullable=False),
    Column("url", Text, nullable=False),
    Column("secrets", Text, nullable=False),  # newest first, separated by blanks
    Column("events", Text, nullable=False),  # sorted, separated by blanks
    Column("created_at", Double, nullable=False),
    Column("disabled_at", Double),
    Index("webhook_endpoints_by_owner", "owner", "created_at", "endpoint_id"),
)

deliveries = Table(
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
    Index("webhook_deliveries_due", "state", "next_at", "message_id"),
    Index("webhook_deliveries_newest", "created_at", "message_id"),
    Index("webhook_deliveries_by_job", "job_id"),
)

settled = Table(
    "webhook_settled",  # jobs whose end has become deliveries, or needed none
    metadata,
    Column("job_id", String(26), primary_key=True),
)
