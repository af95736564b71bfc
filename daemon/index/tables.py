"""The tables of the index, as SQLAlchemy sees them; the migrations make the same ones.

A column stands for each question that is asked of the index; the job itself is the document.
Every filter has an index that ends in the order of pages, so no question sorts or scans.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class AnyText(TypeDecorator[str]):
    """Text that strangers chose, kept as bytes: lone surrogates and NUL are allowed in it."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Text to bytes."""
        return None if value is None else value.encode("utf-8", "surrogatepass")

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Bytes to text."""
        return None if value is None else bytes(value).decode("utf-8", "surrogatepass")


metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(26), primary_key=True),
    Column("rev", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("name", AnyText, nullable=False),
    Column("kind", AnyText, nullable=False),
    Column("owner", AnyText, nullable=False),
    Column("spec_sha256", AnyText, nullable=False),
    Column("created_at", Double, nullable=False),  # seconds since 1970, UTC
    Column("document", Text, nullable=False),  # JSON in plain ASCII: see `Job.as_json`
    Index("jobs_newest", "created_at", "job_id"),
    Index("jobs_by_state", "state", "created_at", "job_id"),
    Index("jobs_by_name", "name", "created_at", "job_id"),
    Index("jobs_by_kind", "kind", "created_at", "job_id"),
    Index("jobs_by_owner", "owner", "created_at", "job_id"),
    Index("jobs_by_spec", "spec_sha256", "created_at", "job_id"),
)
