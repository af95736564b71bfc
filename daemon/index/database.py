"""The database of the index: one file that may be lost, or tables in the shared PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL, Engine

from daemon import database
from daemon.database import DatabaseUnavailable, TableSet
from daemon.index.tables import metadata


class IndexUnavailable(DatabaseUnavailable):
    """The index cannot be asked now. The jobs are safe: they are in the folders."""

    code = "index-unavailable"


INDEX = TableSet(
    what="the index",
    file="index.sqlite3",
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    version_table="alembic_version",
    rebuildable=True,
    way_out="a damaged index, or one of a later version, can be removed (with its -wal and -shm) "
    "and made again by: reelkiln reindex",
    unavailable=IndexUnavailable,
)


def index_url(root: Path, environment: Mapping[str, str]) -> URL:
    """The database of a root's index. Raises UsageError when the setting is no address."""
    return database.database_url(INDEX, root, environment)


def make_engine(url: URL) -> Engine:
    """The engine for `index_url`. Nothing is opened yet. Raises UsageError without the driver."""
    return database.make_engine(INDEX, url)
