"""Bringing a set of tables up to what this version expects."""

from __future__ import annotations

import os
import threading
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from daemon.database.engine import (
    DatabaseUnavailable,
    TableSet,
    making,
    owed_of,
    tables_of,
)

_FOLDER = Path(__file__).parent / "alembic"
_LOCK = 0x7265656C  # any number, the same for every daemon
_ONE_AT_A_TIME = threading.Lock()  # what Alembic's `context` stands for is one a process


def upgrade(engine: Engine) -> None:
    """Make or migrate the tables; daemons that start together do it one after another.

    Raises the set's DatabaseUnavailable, also for a database of a newer version.
    """
    tables = tables_of(engine)
    if engine.url.get_backend_name() == "sqlite":
        _make_file(tables, Path(engine.url.database or ""))
    with _ONE_AT_A_TIME, making(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if _version_of(tables, connection) == _newest(tables.migrations):
            return
        try:
            command.upgrade(_config(tables, connection), "head")
        except CommandError as error:
            raise tables.unavailable(
                f"{tables.what} was made by another version of reelkiln: {error}",
                hint=f"run that version; {tables.way_out}",
            ) from error


def upgrade_when_there(engine: Engine) -> None:
    """As `upgrade`; where a server does not answer, as soon as it is asked something and does.

    Raises the set's DatabaseUnavailable for what waiting does not mend: a file that cannot be
    made, a database of a newer version.
    """
    try:
        upgrade(engine)
    except DatabaseUnavailable as error:
        is_away = isinstance(error.__cause__, OperationalError)
        if not is_away or engine.url.get_backend_name() == "sqlite":
            raise
        owed_of(engine).upgrade = upgrade


def _version_of(tables: TableSet, connection: Connection) -> str | None:
    """What Alembic noted last; None for a database without tables."""
    options = {"version_table": tables.version_table}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


@cache
def _newest(migrations: Path) -> str | None:
    """The version that this code expects: to read the migrations takes longer than to ask."""
    return ScriptDirectory(str(_FOLDER), version_locations=[str(migrations)]).get_current_head()


def _make_file(tables: TableSet, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not tables.rebuildable:  # SQLite gives its -wal and -shm the permissions of the file
            os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise tables.unavailable(
            f"{tables.what} cannot be kept in {file}: {error.strerror}",
            hint="give its folder to the daemon's user",
        ) from error


def _config(tables: TableSet, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("version_locations", str(tables.migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["tables"] = tables
    return config
