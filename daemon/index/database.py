"""The database of the index: where it is, how it is spoken to, what is said when it is gone.

SQLite in a file of the root, unless REELKILN_DATABASE_URL names a PostgreSQL that several
machines share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from daemon.places import Places
from renderer.errors import ReelkilnError, UsageError

SETTING = "REELKILN_DATABASE_URL"
FILE = "index.sqlite3"

_BUSY_MS = 60_000  # a rebuild of 100 000 jobs holds the lock for some seconds
_CONNECT_S = 10
_WRITES = "reelkiln_writes"
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",  # a lost index is made again; a torn one is not possible
    f"PRAGMA busy_timeout = {_BUSY_MS}",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",
)


class IndexUnavailable(ReelkilnError):
    """The index cannot be asked now. The jobs are safe: they are in the folders."""

    code = "index-unavailable"
    http_status = 503
    retryable = True


def index_url(root: Path, environment: Mapping[str, str]) -> URL:
    """The database of a root. Raises UsageError when the setting is no such address."""
    text = environment.get(SETTING)
    if not text:
        file = Places(root.absolute()).own(FILE)
        return URL.create("sqlite", database=str(file))
    try:
        url = make_url(text)
    except ArgumentError as error:  # its message may hold the password
        raise UsageError(f"{SETTING} is not an address", hint=_EXAMPLE) from error
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("sqlite", "sqlite+pysqlite") and url.database:
        return url.set(drivername="sqlite")
    raise UsageError(
        f"{SETTING} names {url.drivername}, which is neither a file nor PostgreSQL", hint=_EXAMPLE
    )


_EXAMPLE = "write postgresql://USER:PASSWORD@HOST/DATABASE, or sqlite:////path/to/file"


def make_engine(url: URL) -> Engine:
    """The engine for `index_url`. Nothing is opened yet. Raises UsageError without the driver."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": _CONNECT_S})
    except ImportError as error:
        raise UsageError(
            f"{SETTING} names a PostgreSQL, and its driver is not installed",
            hint="pip install 'reelkiln[postgres]'",
        ) from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads. Raises IndexUnavailable."""
    with _told(engine.url), engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: it waits its turn first. Raises IndexUnavailable."""
    writer = engine.execution_options(**{_WRITES: True})
    with _told(engine.url), writer.begin() as connection:
        yield connection


@contextmanager
def _told(url: URL) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise IndexUnavailable(
            f"the index {url.render_as_string(hide_password=True)} does not answer: {cause}",
            hint=_way_out(url),
        ) from error


def _way_out(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return (
            "check that its folder is on a local disk and may be written; a damaged index can be "
            "removed (with its -wal and -shm) and made again by: reelkiln reindex"
        )
    return f"check that the server runs and that {SETTING} may log in"


def _prepare_sqlite(connection: Any, record: object) -> None:
    # The driver's own idea of when a transaction begins is switched off: `_begin_sqlite` says.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma).fetchall()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: one that reads first and then writes cannot wait for it.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
