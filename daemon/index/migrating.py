"""Bringing the tables of the index up to what this version expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from daemon.index.database import IndexUnavailable, writing

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x7265656C  # any number, the same for every daemon


def upgrade(engine: Engine) -> None:
    """Make or migrate the tables; daemons that start together do it one after another.

    Raises IndexUnavailable, also for a database of a newer version.
    """
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        try:
            command.upgrade(_config(connection), "head")
        except CommandError as error:
            raise IndexUnavailable(
                f"the index was made by another version of reelkiln: {error}",
                hint="run that version, or use an empty database and run: reelkiln reindex",
            ) from error


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
