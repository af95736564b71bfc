"""`Requests`: what jobs were made from, and that equal requests are one job.

A row is written once and never changed: so is the snapshot in it. Who hands in a request while
an equal one is being taken in waits for that one, and gets its job.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, select, text

from daemon.catalog.derivations import Edge, add_edges
from daemon.catalog.nodes import asset_node, job_node, reference_node
from daemon.database import insert_new, reading, writing
from daemon.kept.catalog_tables import job_provenance
from renderer.provenance import Provenance, References


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One job's request: whose it is, what it was made from, and the assets that it reads."""

    job_id: str
    owner: str
    provenance: Provenance
    input_hash: str
    created_at: float
    asset_ids: tuple[str, ...] = ()

    @property
    def world(self) -> str:
        """The world that it belongs to."""
        return self.provenance.world

    def edges(self) -> Iterable[Edge]:
        """What the job rests on."""
        job = job_node(self.job_id)
        for reference in self.provenance.references.each():
            yield Edge(job, reference_node(self.owner, self.world, reference))
        for asset_id in self.asset_ids:
            yield Edge(job, asset_node(asset_id))


@dataclass(frozen=True, slots=True)
class Requests:
    """The table of provenance. Every method raises KeptUnavailable."""

    engine: Engine

    def once(
        self, request: Request, *, is_wanted: Callable[[str], bool], submit: Callable[[], None]
    ) -> str:
        """The id of the job of this request: that of an equal one, or else its own.

        `is_wanted` says whether the job of an equal request will do; `submit` makes the job, and
        what it raises leaves nothing behind. It runs in the transaction: whoever comes second
        waits until the job is durable.
        """
        with writing(self.engine) as connection:
            _one_at_a_time(connection, request)
            before = connection.execute(equal_query(request)).first()
            if before is not None and is_wanted(before.job_id):
                return str(before.job_id)
            add_request(connection, request)
            submit()
        return request.job_id

    def latest(self, request: Request) -> str | None:
        """The id of the latest job of an equal request."""
        with reading(self.engine) as connection:
            found = connection.scalar(equal_query(request))
        return None if found is None else str(found)

    def add(self, request: Request) -> None:
        """Keep a request that came another way; one that is there stays."""
        with writing(self.engine) as connection:
            add_request(connection, request)

    def get(self, job_id: str) -> Request | None:
        """The request of a job, without the assets it reads: lineage tells those."""
        query = select(job_provenance).where(job_provenance.c.job_id == job_id)
        with reading(self.engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else _request(row)


def equal_query(request: Request) -> Select[Any]:
    """The latest job of an equal request."""
    table = job_provenance.c
    return (
        select(table.job_id)
        .where(table.owner == request.owner, table.world == request.world,
               table.input_hash == request.input_hash)
        .order_by(table.created_at.desc(), table.job_id.desc())
        .limit(1)
    )  # fmt: skip


def add_request(connection: Connection, request: Request) -> None:
    """Insert a request with its edges, unless it is there."""
    row = {
        "job_id": request.job_id, "owner": request.owner, "world": request.world,
        "input_hash": request.input_hash, "created_at": request.created_at,
        "provenance": json.dumps(request.provenance.as_json(), sort_keys=True),
    }  # fmt: skip
    if insert_new(connection, job_provenance, row):
        add_edges(connection, request.edges(), now=request.created_at)


def provenance_from_json(data: dict[str, Any]) -> Provenance:
    """The inverse of `Provenance.as_json`."""
    references = References(**{name: tuple(ids) for name, ids in data["references"].items()})
    return Provenance(**{**data, "references": references})


def _request(row: Row[Any]) -> Request:
    return Request(
        job_id=row.job_id, owner=row.owner, input_hash=row.input_hash, created_at=row.created_at,
        provenance=provenance_from_json(json.loads(row.provenance)),
    )  # fmt: skip


def _one_at_a_time(connection: Connection, request: Request) -> None:
    """SQLite has one writer at a time anyhow."""
    if connection.dialect.name != "postgresql":
        return
    words = json.dumps([request.owner, request.world, request.input_hash])
    lock = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big", signed=True)
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
