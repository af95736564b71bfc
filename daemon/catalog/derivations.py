"""`Derivations`: what was made from what, and the lineage of a thing, up and down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, Text, cast, func, literal, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from daemon.catalog.nodes import JOB, Node, node_of
from daemon.database import reading, writing
from daemon.database.cursors import cursor_after, place_of
from daemon.kept.catalog_tables import derivations
from renderer.errors import UsageError

MAX_DEPTH = 32
MAX_EDGES = 2000


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """`child` was made from, or rests on, `parent`."""

    child: Node
    parent: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """What a thing was made from (`up`) and what was made of it (`down`).

    `is_cut` says that there is more than `depth` or the limit of edges let through.
    """

    node: Node
    up: tuple[Edge, ...]
    down: tuple[Edge, ...]
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Derivations:
    """The table of edges. Every method raises KeptUnavailable."""

    engine: Engine

    def add(self, edges: Iterable[Edge], *, now: float) -> None:
        """Keep edges; those that are there stay."""
        with writing(self.engine) as connection:
            add_edges(connection, edges, now=now)

    def lineage(self, node: Node, *, depth: int = 8) -> Lineage:
        """Its lineage, `depth` (1 to 32) steps each way. Raises UsageError."""
        if not 1 <= depth <= MAX_DEPTH:
            raise UsageError(f"a depth of {depth} is not possible: 1 to {MAX_DEPTH} are")
        with reading(self.engine) as connection:
            up, up_cut = _walked(connection, node, depth, is_up=True)
            down, down_cut = _walked(connection, node, depth, is_up=False)
        return Lineage(node=node, up=up, down=down, is_cut=up_cut or down_cut)

    def jobs_on(
        self, parent: Node, *, cursor: str = "", limit: int = 50
    ) -> tuple[tuple[str, ...], str]:
        """Ids of the jobs that rest on it, newest first, and the cursor of those that follow."""
        query = jobs_query(parent, cursor, limit + 1)
        with reading(self.engine) as connection:
            rows = connection.execute(query).all()
        shown = rows[:limit]
        after = cursor_after(shown[-1].created_at, shown[-1].child_id) if rows[limit:] else ""
        return tuple(row.child_id for row in shown), after

    def count_on(self, parent: Node, kind: str) -> int:
        """How many things of a kind, `asset` or `job`, rest on it."""
        query = select(func.count()).where(
            derivations.c.parent == parent.word, derivations.c.child_kind == kind
        )
        with reading(self.engine) as connection:
            return int(connection.scalar(query) or 0)


def add_edges(connection: Connection, edges: Iterable[Edge], *, now: float) -> None:
    """Insert edges; those that are there stay."""
    rows = [
        {
            "child": edge.child.word, "parent": edge.parent.word, "child_kind": edge.child.kind,
            "child_id": edge.child.node_id, "created_at": now,
        }
        for edge in sorted(set(edges))
    ]  # fmt: skip
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    if rows:
        connection.execute(dialect.insert(derivations).on_conflict_do_nothing(), rows)


def lineage_query(node: Node, depth: int, *, is_up: bool) -> Select[Any]:
    """Edges from a node on, with the step at which each begins: at `depth`, it is one too far."""
    near, far = derivations.c.child, derivations.c.parent
    if not is_up:
        near, far = far, near
    walk = select(cast(literal(node.word), Text).label("word"), literal(0).label("step")).cte(
        "walk", recursive=True
    )
    onward = select(far, walk.c.step + 1).where(near == walk.c.word, walk.c.step < depth)
    walk = walk.union(onward)
    edges = select(derivations.c.child, derivations.c.parent, func.min(walk.c.step).label("step"))
    return (
        edges.where(near == walk.c.word)
        .group_by(derivations.c.child, derivations.c.parent)
        .order_by("step", derivations.c.child, derivations.c.parent)
        .limit(MAX_EDGES + 1)
    )


def jobs_query(parent: Node, cursor: str, limit: int) -> Select[Any]:
    """The question that a page of jobs asks. Raises UsageError for a foreign cursor."""
    at = (derivations.c.created_at, derivations.c.child_id)
    query = select(derivations.c.child_id, derivations.c.created_at).where(
        derivations.c.parent == parent.word, derivations.c.child_kind == JOB
    )
    if cursor:
        query = query.where(tuple_(*at) < tuple_(*place_of(cursor)))
    return query.order_by(*(column.desc() for column in at)).limit(limit)


def _walked(
    connection: Connection, node: Node, depth: int, *, is_up: bool
) -> tuple[tuple[Edge, ...], bool]:
    rows = connection.execute(lineage_query(node, depth, is_up=is_up)).all()
    near = [row for row in rows[:MAX_EDGES] if row.step < depth]
    return tuple(Edge(node_of(row.child), node_of(row.parent)) for row in near), len(near) < len(
        rows
    )
