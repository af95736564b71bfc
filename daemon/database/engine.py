"""The database of a set of tables: where it is, how it is spoken to, what is said when it is gone.

SQLite in a file of the root, unless REELKILN_DATABASE_URL names a PostgreSQL that several
machines share.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError

from daemon.places import Places
from renderer.errors import ReelkilnError, UsageError

SETTING = "REELKILN_DATABASE_URL"

_BUSY_MS = 60_000  # a rebuild of 100 000 jobs holds the lock for some seconds
_WAL_PATIENCE_S = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_CONNECT_S = 10
# As many stay open as there are threads to ask: to open one takes longer than to ask. The one that
# was used last goes first, for it knows most of what will be asked.
_POOL: Mapping[str, Any] = {"pool_size": 10, "max_overflow": 10, "pool_use_lifo": True}
_IDLE_S = 1.0
_USED_AT = "reelkiln_used_at"
_WRITES = "reelkiln_writes"
_TABLES = "reelkiln_tables"
_OWED = "reelkiln_owed"
_PRAGMAS = (
    f"PRAGMA busy_timeout = {_BUSY_MS}",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",
)


class DatabaseUnavailable(ReelkilnError):
    """A database cannot be asked now."""

    code = "database-unavailable"
    http_status = 503
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableSet:
    """Tables that live and migrate together.

    `what` names them in messages ("the index"), `file` is their SQLite file below `.reelkiln`,
    `way_out` says what to do when that file is damaged. `migrations` is their folder of Alembic
    revisions and `version_table` where their revision is noted: sets that share a PostgreSQL
    do not share that. What is not `rebuildable` survives a power cut from the moment it is
    committed, and its file is for the daemon's user alone.
    """

    what: str
    file: str
    metadata: MetaData
    migrations: Path
    version_table: str
    rebuildable: bool
    way_out: str
    unavailable: type[DatabaseUnavailable]


class Owed:
    """An upgrade that could not be done at start, for the server did not answer.

    It is done before anything else, by whoever asks first once the server is there.
    """

    def __init__(self) -> None:
        self.upgrade: Callable[[Engine], None] | None = None
        self._payer = threading.Lock()

    def pay(self, engine: Engine) -> None:
        """Raises the set's DatabaseUnavailable, also while another thread is at it."""
        if self.upgrade is None:
            return
        tables = tables_of(engine)
        if not self._payer.acquire(blocking=False):
            raise tables.unavailable(f"{tables.what} is not made yet", hint="try again soon")
        try:
            if self.upgrade is not None:
                self.upgrade(engine)
            self.upgrade = None
        finally:
            self._payer.release()


def database_url(tables: TableSet, root: Path, environment: Mapping[str, str]) -> URL:
    """The database of a root. Raises UsageError when the setting is no such address.

    A setting that names an SQLite file names that of the index, which may be thrown away; what
    is not rebuildable lies beside it in a file of its own.
    """
    text = environment.get(SETTING)
    if not text:
        file = Places(root.absolute()).own(tables.file)
        return URL.create("sqlite", database=str(file))
    try:
        url = make_url(text)
    except ArgumentError as error:  # its message may hold the password
        raise UsageError(f"{SETTING} is not an address", hint=_EXAMPLE) from error
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("sqlite", "sqlite+pysqlite") and url.database:
        named = Path(url.database)
        file = named if tables.rebuildable else named.with_name(tables.file)
        return url.set(drivername="sqlite", database=str(file))
    raise UsageError(
        f"{SETTING} names {url.drivername}, which is neither a file nor PostgreSQL", hint=_EXAMPLE
    )


_EXAMPLE = "write postgresql://USER:PASSWORD@HOST/DATABASE, or sqlite:////path/to/file"


def make_engine(tables: TableSet, url: URL) -> Engine:
    """The engine for `database_url`. Nothing is opened yet. UsageError without the driver."""
    options = {_TABLES: tables, _OWED: Owed()}
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, execution_options=options, **_POOL)
        event.listen(engine, "connect", _prepare_sqlite(tables))
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = create_engine(
            url,
            connect_args={"connect_timeout": _CONNECT_S},
            execution_options=options,
            **_POOL,
        )
    except ImportError as error:
        raise UsageError(
            f"{SETTING} names a PostgreSQL, and its driver is not installed",
            hint="pip install 'reelkiln[postgres]'",
        ) from error
    event.listen(engine, "checkin", _remember_use)
    event.listen(engine, "checkout", _ping_when_idle(engine))
    return engine


def is_postgres(engine: Engine) -> bool:
    """Whether a server is asked, which costs a way there and back for each word."""
    return engine.url.get_backend_name() == "postgresql"


def tables_of(engine: Engine) -> TableSet:
    """The set that an engine was made for."""
    found: TableSet = engine.get_execution_options()[_TABLES]
    return found


def owed_of(engine: Engine) -> Owed:
    """What is still to be done to the tables of an engine."""
    found: Owed = engine.get_execution_options()[_OWED]
    return found


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """For what only reads. Raises the set's DatabaseUnavailable.

    PostgreSQL would show each statement what was committed before it, in a transaction or not;
    without one it is asked once instead of three times.
    """
    owed_of(engine).pay(engine)
    with _told(engine), _committing(engine) if is_postgres(engine) else engine.begin() as found:
        yield found


@contextmanager
def one_statement(engine: Engine) -> Iterator[Connection]:
    """For one statement, which is a transaction by itself. Raises the set's DatabaseUnavailable."""
    if not is_postgres(engine):
        with writing(engine) as connection:
            yield connection
        return
    owed_of(engine).pay(engine)
    with _told(engine), _committing(engine) as connection:
        yield connection


@contextmanager
def _committing(engine: Engine) -> Iterator[Connection]:
    """Each statement is a transaction: nothing is said before it and nothing after."""
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: it waits its turn first. Raises the set's DatabaseUnavailable."""
    owed_of(engine).pay(engine)
    with making(engine) as connection:
        yield connection


@contextmanager
def making(engine: Engine) -> Iterator[Connection]:
    """As `writing`, for whoever makes the tables."""
    with _told(engine), engine.connect() as connection:
        # Told of the connection: an engine with options of its own costs more than the statement.
        writer = connection.execution_options(**{_WRITES: True})
        with writer.begin():
            yield writer


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        tables, url = tables_of(engine), engine.url
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise tables.unavailable(
            f"{tables.what} {url.render_as_string(hide_password=True)} does not answer: {cause}",
            hint=_way_out(tables, url),
        ) from error


def _way_out(tables: TableSet, url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return f"check that its folder is on a local disk and may be written; {tables.way_out}"
    return f"check that the server runs and that {SETTING} may log in"


def _prepare_sqlite(tables: TableSet) -> Any:
    # A lost index is made again, and a torn one is not possible. What cannot be made again is
    # synced with each commit.
    synchronous = f"PRAGMA synchronous = {'NORMAL' if tables.rebuildable else 'FULL'}"

    def prepare(connection: Any, record: object) -> None:
        # The driver's own idea of when a transaction begins is switched off: `_begin_sqlite` says.
        connection.isolation_level = None
        for pragma in (*_PRAGMAS, synchronous):
            connection.execute(pragma).fetchall()
        _write_ahead(connection)

    return prepare


def _write_ahead(connection: Any) -> None:
    """Journal ahead. Of several that begin at once each but one is refused without waiting."""
    for patience_s in _WAL_PATIENCE_S:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except sqlite3.OperationalError:
            time.sleep(patience_s)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()


def _remember_use(connection: Any, record: Any) -> None:
    record.info[_USED_AT] = time.monotonic()


def _ping_when_idle(engine: Engine) -> Any:
    """A connection that was used just now is not asked whether it still stands."""

    def ping(connection: Any, record: Any, proxy: object) -> None:
        if time.monotonic() - record.info.get(_USED_AT, time.monotonic()) < _IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError(str(error)) from error  # the pool opens another one

    return ping


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: one that reads first and then writes cannot wait for it.
    if connection.get_execution_options().get(_WRITES):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    # This alone asks nothing of the file, so it cannot fail, and need not cost what others cost.
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN")
