"""Where the tables of webhooks lie: in the catalog, which is kept and not made again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, text

from daemon.index.database import IndexUnavailable, index_url, make_engine, writing

FILE = "catalog.sqlite3"
_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x7265656C  # the same as for every other set of tables


def open_webhook_tables(root: Path, environment: Mapping[str, str]) -> Engine:
    """The database of a root, its tables made. Raises UsageError and IndexUnavailable."""
    url = index_url(root, environment)
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "").with_name(FILE)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=True)
        url = url.set(database=str(file))
    engine = make_engine(url)
    _upgrade(engine)
    return engine


def _upgrade(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise IndexUnavailable(
                f"the catalog was made by another version of reelkiln: {error}",
                hint="run that version",
            ) from error
