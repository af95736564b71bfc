"""`Worlds`: worlds and the things in them that requests may rest on, registered beforehand."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from daemon.catalog.refusals import WorldUnfit, WorldUnknown
from daemon.database import reading, writing
from daemon.kept.catalog_tables import world_references, worlds
from renderer.provenance import Reference, ReferenceKind

_LONGEST_NAME = 64
_LONGEST_ID = 200
_LONGEST_TITLE = 500
_BATCH = 200
_NAME_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Somebody's world. Two owners may have worlds of one name, which are two worlds."""

    owner: str
    world: str
    title: str = ""
    created_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A thing of a world, as it is registered."""

    reference: Reference
    title: str = ""


@dataclass(frozen=True, slots=True)
class Worlds:
    """The tables of worlds. Every method raises KeptUnavailable."""

    engine: Engine

    def put(self, world: World) -> None:
        """Register a world; a title that changed is taken over. Raises WorldUnfit."""
        check_name(world.world)
        _check_title(world.title)
        row = {"owner": world.owner, "world": world.world, "title": world.title,
               "created_at": world.created_at}  # fmt: skip
        with writing(self.engine) as connection:
            _put_all(connection, worlds, [row])

    def register(self, owner: str, world: str, things: Iterable[Registered], *, now: float) -> int:
        """Register things of a world; how many. All or none.

        Raises WorldUnknown, and WorldUnfit for what cannot be registered.
        """
        rows = [_row(owner, world, thing, now) for thing in things]
        with writing(self.engine) as connection:
            _see(connection, owner, world)
            for start in range(0, len(rows), _BATCH):
                _put_all(connection, world_references, rows[start : start + _BATCH])
        return len(rows)

    def get(self, owner: str, world: str) -> World:
        """A world. Raises WorldUnknown."""
        with reading(self.engine) as connection:
            return _see(connection, owner, world)

    def all_of(self, owner: str) -> tuple[World, ...]:
        """Somebody's worlds, by name."""
        query = select(worlds).where(worlds.c.owner == owner).order_by(worlds.c.world)
        with reading(self.engine) as connection:
            return tuple(World(**row._mapping) for row in connection.execute(query))

    def counts(self, owner: str, world: str) -> Mapping[ReferenceKind, int]:
        """How many things of each kind a world has."""
        kind = world_references.c.kind
        query = select(kind, func.count().label("things")).where(*_in(owner, world)).group_by(kind)
        with reading(self.engine) as connection:
            found = {row.kind: int(row.things) for row in connection.execute(query)}
        return {kind: found.get(kind, 0) for kind in ReferenceKind}

    def things(
        self, owner: str, world: str, kind: ReferenceKind, *, after: str = "", limit: int = 50
    ) -> tuple[Registered, ...]:
        """Things of a kind whose ids follow `after`, by the bytes of their ids."""
        query = (
            select(world_references)
            .where(*_in(owner, world), world_references.c.kind == kind,
                   world_references.c.reference_id > after)
            .order_by(world_references.c.reference_id)
            .limit(limit)
        )  # fmt: skip
        with reading(self.engine) as connection:
            rows = connection.execute(query).all()
        return tuple(
            Registered(reference=Reference(kind, row.reference_id), title=row.title) for row in rows
        )

    def lying_in(self, owner: str, wanted: Iterable[Reference]) -> Mapping[Reference, set[str]]:
        """In which of somebody's worlds each of these things is registered."""
        asked = sorted(set(wanted))
        found: dict[Reference, set[str]] = {reference: set() for reference in asked}
        table = world_references.c
        with reading(self.engine) as connection:
            for start in range(0, len(asked), _BATCH):
                pairs = [(str(one.kind), one.reference_id) for one in asked[start : start + _BATCH]]
                named = tuple_(table.kind, table.reference_id).in_(pairs)
                query = select(world_references).where(table.owner == owner, named)
                for row in connection.execute(query):
                    found[Reference(ReferenceKind(row.kind), row.reference_id)].add(row.world)
        return found


def check_name(name: str) -> None:
    """Raises WorldUnfit for a name that no world has."""
    if not 1 <= len(name) <= _LONGEST_NAME or not set(name) <= _NAME_LETTERS:
        raise WorldUnfit(
            f"{name[:80]!r} is not the name of a world",
            hint=f"1 to {_LONGEST_NAME} letters, digits, dots, hyphens and underscores",
        )


def _row(owner: str, world: str, thing: Registered, now: float) -> dict[str, Any]:
    reference_id = unicodedata.normalize("NFC", thing.reference.reference_id)
    if not 1 <= len(reference_id) <= _LONGEST_ID or not reference_id.isprintable():
        raise WorldUnfit(
            f"{reference_id[:80]!r} is not an id",
            hint=f"ids have 1 to {_LONGEST_ID} printable characters",
        )
    _check_title(thing.title)
    return {
        "owner": owner, "world": world, "kind": str(thing.reference.kind),
        "reference_id": reference_id, "title": thing.title, "created_at": now,
    }  # fmt: skip


def _check_title(title: str) -> None:
    if len(title) > _LONGEST_TITLE:
        raise WorldUnfit(f"a title has at most {_LONGEST_TITLE} characters")


def _in(owner: str, world: str) -> tuple[Any, Any]:
    return world_references.c.owner == owner, world_references.c.world == world


def _see(connection: Connection, owner: str, world: str) -> World:
    query = select(worlds).where(worlds.c.owner == owner, worlds.c.world == world)
    row = connection.execute(query).first()
    if row is None:
        raise WorldUnknown(
            f"no world is called {world[:80]!r}", hint="PUT /v1/worlds/NAME registers one"
        )
    return World(**row._mapping)


def _put_all(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(table)
    key = list(table.primary_key.columns)
    connection.execute(
        new.on_conflict_do_update(index_elements=key, set_={"title": new.excluded.title}), rows
    )
