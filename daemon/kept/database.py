"""The database of what is kept: a file that is backed up, or tables in the shared PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL, Engine

from daemon.database import (
    DatabaseUnavailable,
    TableSet,
    database_url,
    make_engine,
    upgrade_when_there,
)
from daemon.kept.catalog_tables import metadata


class KeptUnavailable(DatabaseUnavailable):
    """Accounts and keys cannot be read or written now."""

    code = "catalog-unavailable"


KEPT = TableSet(
    what="the catalog",
    file="catalog.sqlite3",
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    version_table="alembic_version_kept",
    rebuildable=False,
    way_out="a damaged catalog is restored from a backup: see docs/keys.md",
    unavailable=KeptUnavailable,
)


def kept_url(root: Path, environment: Mapping[str, str]) -> URL:
    """Where a root keeps it. Raises UsageError when the setting is no address."""
    return database_url(KEPT, root, environment)


def open_kept(root: Path, environment: Mapping[str, str]) -> Engine:
    """The database of a root, its tables made, or made as soon as its server answers.

    Raises UsageError and KeptUnavailable.
    """
    engine = make_engine(KEPT, kept_url(root, environment))
    try:
        upgrade_when_there(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine
