"""`JobIndex`: jobs by filter, newest first, in pages."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    bindparam,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from daemon.database import one_statement, reading, upgrade, upgrade_when_there, writing
from daemon.database.cursors import cursor_after
from daemon.index.database import index_url, make_engine
from daemon.index.questions import FILTERED, Filters, Question, oldest_question, page_question
from daemon.index.tables import jobs
from daemon.jobs import Job, JobState, job_of
from renderer.errors import UsageError

MAX_LIMIT = 1000
_T = TypeVar("_T")
_BATCH = 500
_WHAT_CHANGES = ("rev", *FILTERED, "created_at", "document")
_HOW_MANY = select(func.count()).where(jobs.c.state == bindparam("state"))
_ONE = select(jobs.c.document).where(jobs.c.job_id == bindparam("job_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Jobs, newest first; `cursor` asks for those that follow and is empty on the last page."""

    jobs: tuple[Job, ...]
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """A page as it is kept: for each job the document that `job_of` reads."""

    documents: tuple[str, ...]
    cursor: str = ""


class JobIndex:
    """The index in one database. Every method raises IndexUnavailable when that is gone."""

    def __init__(self, url: URL) -> None:
        self.engine = make_engine(url)

    def upgrade(self) -> None:
        """Make the tables, or bring them up to this version. Call it once, at start."""
        upgrade(self.engine)

    def upgrade_when_there(self) -> None:
        """As `upgrade`; where a server does not answer, as soon as it does."""
        upgrade_when_there(self.engine)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def put(self, job: Job) -> bool:
        """Keep a job, unless a later revision is kept already; whether it was kept."""
        with one_statement(self.engine) as connection:
            statement = _one_newer_wins(connection.dialect.name)
            return connection.scalar(statement, _row(job)) is not None

    def put_all(self, found: Iterable[Job]) -> None:
        """As `put` for each, all or none."""
        with writing(self.engine) as connection:
            _insert(connection, found)

    def get(self, job_id: str) -> Job | None:
        """The job of that id."""
        with reading(self.engine) as connection:
            document = connection.scalar(_ONE, {"job_id": job_id})
        return None if document is None else job_of(document)

    def page(self, filters: Filters | None = None, *, cursor: str = "", limit: int = 50) -> Page:
        """At most `limit` (1 to 1000) jobs. Raises UsageError for a foreign cursor."""
        found = self.records(filters, cursor=cursor, limit=limit)
        return Page(jobs=tuple(map(job_of, found.documents)), cursor=found.cursor)

    def records(
        self, filters: Filters | None = None, *, cursor: str = "", limit: int = 50
    ) -> Records:
        """As `page`, for whoever needs no jobs, but what was made of the same records before."""
        if not 1 <= limit <= MAX_LIMIT:
            raise UsageError(f"a page of {limit} jobs is not possible: 1 to {MAX_LIMIT} are")
        found = self._documents(page_question(filters or Filters(), cursor, limit + 1))
        if len(found) <= limit:
            return Records(documents=found)
        last = job_of(found[limit - 1])
        return Records(documents=found[:limit], cursor=cursor_after(last.created_at, last.job_id))

    def oldest(self, filters: Filters, limit: int) -> tuple[Job, ...]:
        """At most `limit` jobs, the oldest first."""
        return tuple(map(job_of, self._documents(oldest_question(filters, limit))))

    def _documents(self, question: Question) -> tuple[str, ...]:
        with reading(self.engine) as connection:
            return tuple(connection.scalars(question.statement, question.values))

    def counts(self) -> Mapping[JobState, int]:
        """How many jobs are in each state, those without any included."""
        query = select(jobs.c.state, func.count().label("jobs")).group_by(jobs.c.state)
        with reading(self.engine) as connection:
            found = {row.state: row.jobs for row in connection.execute(query)}
        return MappingProxyType({state: int(found.get(state, 0)) for state in JobState})

    def count(self, state: JobState) -> int:
        """How many jobs are in one state: quicker than `counts` where they are few."""
        with reading(self.engine) as connection:
            return int(connection.scalar(_HOW_MANY, {"state": state}) or 0)

    def ended(self, ids: Iterable[str]) -> frozenset[str]:
        """Those of the jobs that the index knows to have ended."""
        final = [state for state in JobState if state.is_final]
        query = select(jobs.c.job_id).where(
            jobs.c.job_id.in_(bindparam("ids", expanding=True)), jobs.c.state.in_(final)
        )
        with reading(self.engine) as connection:
            return frozenset(
                job_id
                for batch in _batches(ids)
                for job_id in connection.scalars(query, {"ids": batch})
            )

    def remove(self, ids: Iterable[str]) -> int:
        """Forget jobs; how many were known."""
        gone = delete(jobs).where(jobs.c.job_id.in_(bindparam("ids", expanding=True)))
        with writing(self.engine) as connection:
            return sum(connection.execute(gone, {"ids": batch}).rowcount for batch in _batches(ids))

    def rebuild(self, found: Iterable[Job]) -> int:
        """Hold exactly the jobs that are found; how many those are. All or none.

        `found` is read while other writers wait: what they wrote before is in the folder by
        then, and what they write next comes on top. Readers see the old index meanwhile.
        """
        with writing(self.engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE"))
            connection.execute(delete(jobs))
            _insert(connection, found)
            return int(connection.scalar(select(func.count()).select_from(jobs)) or 0)


def open_index(root: Path, environment: Mapping[str, str] = os.environ) -> JobIndex:
    """The index of a root, its tables made, or made as soon as its server answers.

    Raises UsageError and IndexUnavailable.
    """
    index = JobIndex(index_url(root, environment))
    try:
        index.upgrade_when_there()
    except BaseException:
        index.close()
        raise
    return index


def _row(job: Job) -> dict[str, Any]:
    columns = {name: getattr(job, name) for name in _WHAT_CHANGES if name != "document"}
    # ASCII alone, since neither database takes every text that a file name can be.
    document = json.dumps(job.as_json(), ensure_ascii=True, sort_keys=True)
    return {"job_id": job.job_id, **columns, "document": document}


@lru_cache
def _newer_wins(dialect_name: str) -> Any:
    dialect: Any = postgresql if dialect_name == "postgresql" else sqlite
    insert = dialect.insert(jobs)
    return insert.on_conflict_do_update(
        index_elements=[jobs.c.job_id],
        set_={name: insert.excluded[name] for name in _WHAT_CHANGES},
        where=jobs.c.rev < insert.excluded.rev,
    )


@lru_cache
def _one_newer_wins(dialect_name: str) -> Any:
    return _newer_wins(dialect_name).returning(jobs.c.job_id)


def _insert(connection: Connection, found: Iterable[Job]) -> None:
    statement = _newer_wins(connection.dialect.name)
    for batch in _batches(found):
        connection.execute(statement, [_row(job) for job in batch])


def _batches(found: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(found)
    while batch := list(islice(rest, _BATCH)):
        yield batch
