"""The tables of the index, as SQLAlchemy sees them; the migrations make the same ones.

A column stands for each question that is asked of the index; the job itself is the document.
Every filter has an index that ends in the order of pages, so no question sorts or scans.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, MetaData, String, Table, Text

from daemon.database.columns import AnyText

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
    Column("world", AnyText, nullable=False),
    Column("spec_sha256", AnyText, nullable=False),
    Column("spec_digest", AnyText, nullable=False),
    Column("input_hash", AnyText, nullable=False),
    Column("created_at", Double, nullable=False),  # seconds since 1970, UTC
    Column("document", Text, nullable=False),  # JSON in plain ASCII: see `Job.as_json`
    Index("jobs_newest", "created_at", "job_id"),
    Index("jobs_by_state", "state", "created_at", "job_id"),
    Index("jobs_by_name", "name", "created_at", "job_id"),
    Index("jobs_by_kind", "kind", "created_at", "job_id"),
    Index("jobs_by_owner", "owner", "created_at", "job_id"),
    Index("jobs_by_world", "world", "created_at", "job_id"),
    Index("jobs_by_spec", "spec_sha256", "created_at", "job_id"),
    Index("jobs_by_digest", "spec_digest", "created_at", "job_id"),
    Index("jobs_by_inputs", "input_hash", "created_at", "job_id"),
)
