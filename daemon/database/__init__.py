"""Databases: SQLite in a file of the root, or a PostgreSQL that several machines share.

What lies in one is a `TableSet`, with migrations of its own: `daemon.index` can be made again
from the folders, `daemon.kept` cannot.
"""

from daemon.database.columns import AnyText
from daemon.database.engine import (
    SETTING,
    DatabaseUnavailable,
    TableSet,
    database_url,
    make_engine,
    one_statement,
    reading,
    writing,
)
from daemon.database.inserting import insert_new
from daemon.database.migrating import upgrade, upgrade_when_there

__all__ = [
    "SETTING",
    "AnyText",
    "DatabaseUnavailable",
    "TableSet",
    "database_url",
    "insert_new",
    "make_engine",
    "one_statement",
    "reading",
    "upgrade",
    "upgrade_when_there",
    "writing",
]
