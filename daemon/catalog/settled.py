"""`Settled`: jobs that ended are taken into the catalog once, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from daemon.catalog.assets import add_asset
from daemon.catalog.derivations import Edge, add_edges
from daemon.catalog.nodes import asset_node, job_node, node_of
from daemon.catalog.requests import Request, add_request
from daemon.database import insert_new, reading, writing
from daemon.kept.catalog_tables import assets, derivations, settled_jobs
from renderer.assets import Asset
from renderer.provenance import ReferenceKind


@dataclass(frozen=True, slots=True)
class Settled:
    """The table of jobs that are settled. Every method raises KeptUnavailable."""

    engine: Engine

    def known(self) -> set[str]:
        """Every job that is settled."""
        with reading(self.engine) as connection:
            return set(connection.scalars(select(settled_jobs.c.job_id)))

    def settle(self, job_id: str, made: Sequence[Asset], request: Request | None) -> bool:
        """Keep what a job made, and what that rests on; whether this call did.

        `request` is for a job that came another way than over HTTP.
        """
        with writing(self.engine) as connection:
            if not insert_new(connection, settled_jobs, {"job_id": job_id}):
                return False
            if request is not None:
                add_request(connection, request)
            for asset in made:
                add_asset(connection, asset)
            for asset_id, created_at in _made_by(connection, job_id):
                add_edges(connection, made_edges(connection, asset_id, job_id), now=created_at)
        return True


def made_edges(connection: Connection, asset_id: str, job_id: str) -> list[Edge]:
    """What an asset rests on that a job made: the job, and every reference of that."""
    child, job = asset_node(asset_id), job_node(job_id)
    parents = select(derivations.c.parent).where(derivations.c.child == job.word)
    nodes = map(node_of, connection.scalars(parents))
    references = [node for node in nodes if node.kind in set(ReferenceKind)]
    return [Edge(child, parent) for parent in (job, *references)]


def _made_by(connection: Connection, job_id: str) -> list[tuple[str, float]]:
    query = select(assets.c.asset_id, assets.c.created_at).where(assets.c.created_by_job == job_id)
    return [(row.asset_id, row.created_at) for row in connection.execute(query)]
