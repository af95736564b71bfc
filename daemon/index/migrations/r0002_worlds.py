"""Columns for worlds and digests, filled from the documents that are there."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NEW = {"world": "world", "spec_digest": "digest", "input_hash": "inputs"}
_BATCH = 1000


def upgrade() -> None:
    """Add them, each with its index."""
    for column in _NEW:
        nothing = sa.Column(column, sa.LargeBinary, nullable=False, server_default=sa.text("''"))
        op.add_column("jobs", nothing)
    _fill(op.get_bind())
    for column, name in _NEW.items():
        op.create_index(f"jobs_by_{name}", "jobs", [column, "created_at", "job_id"])


def downgrade() -> None:
    """Remove them."""
    for column, name in _NEW.items():
        op.drop_index(f"jobs_by_{name}", "jobs")
        op.drop_column("jobs", column)


def _fill(connection: sa.Connection) -> None:
    """Batch by batch, in the order of the ids."""
    jobs = sa.table(
        "jobs",
        sa.column("job_id", sa.String),
        sa.column("document", sa.Text),
        *(sa.column(name, sa.LargeBinary) for name in _NEW),
    )
    done = ""
    page = sa.select(jobs.c.job_id, jobs.c.document).order_by(jobs.c.job_id).limit(_BATCH)
    change = (
        sa.update(jobs)
        .where(jobs.c.job_id == sa.bindparam("at"))
        .values({name: sa.bindparam(f"new_{name}") for name in _NEW})
    )
    while rows := connection.execute(page.where(jobs.c.job_id > done)).all():
        connection.execute(change, [{"at": row.job_id, **_columns(row.document)} for row in rows])
        done = rows[-1].job_id


def _columns(document: str) -> dict[str, bytes]:
    told = json.loads(document)
    return {f"new_{name}": _as_bytes(str(told.get(name, ""))) for name in _NEW}


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
