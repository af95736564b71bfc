"""What is asked of the index: a statement for each kind of question, made once, and its values.

To make a statement takes longer than the database needs to answer it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select, tuple_

from daemon.database.cursors import place_of
from daemon.index.tables import jobs
from daemon.jobs import JobState

FILTERED = ("state", "kind", "name", "owner", "world", "spec_sha256", "spec_digest", "input_hash")
_KINDS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which jobs; None asks for all. Times are seconds since 1970: from, and before."""

    state: JobState | None = None
    kind: str | None = None
    name: str | None = None
    owner: str | None = None
    world: str | None = None
    spec_sha256: str | None = None
    spec_digest: str | None = None
    input_hash: str | None = None
    created_from: float | None = None
    created_before: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A statement that gives documents, and the values of its parameters."""

    statement: Select[Any]
    values: Mapping[str, Any]


def page_question(filters: Filters, cursor: str, limit: int) -> Question:
    """The question that a page asks. Raises UsageError for a foreign cursor."""
    values = _values(filters)
    if cursor:
        values["after_at"], values["after_id"] = place_of(cursor)
    return Question(statement=_statement(frozenset(values), True), values={**values, "most": limit})


def oldest_question(filters: Filters, limit: int) -> Question:
    """The question that asks for those that came first."""
    values = _values(filters)
    statement = _statement(frozenset(values), False)
    return Question(statement=statement, values={**values, "most": limit})


def _values(filters: Filters) -> dict[str, Any]:
    asked = {name: getattr(filters, name) for name in (*FILTERED, *_TIMES)}
    return {name: value for name, value in asked.items() if value is not None}


_TIMES = {
    "created_from": jobs.c.created_at >= bindparam("created_from"),
    "created_before": jobs.c.created_at < bindparam("created_before"),
}
_ORDER = (jobs.c.created_at, jobs.c.job_id)


@lru_cache(maxsize=_KINDS)
def _statement(asked: frozenset[str], newest_first: bool) -> Select[Any]:
    order = [column.desc() for column in _ORDER] if newest_first else _ORDER
    query = select(jobs.c.document).where(*_conditions(asked)).order_by(*order)
    return query.limit(bindparam("most"))


def _conditions(asked: frozenset[str]) -> Iterator[ColumnElement[bool]]:
    yield from (jobs.c[name] == bindparam(name) for name in FILTERED if name in asked)
    yield from (condition for name, condition in _TIMES.items() if name in asked)
    if "after_at" in asked:
        at, job_id = (column.type for column in _ORDER)
        place = tuple_(bindparam("after_at", type_=at), bindparam("after_id", type_=job_id))
        yield tuple_(*_ORDER) < place
