"""Nodes of the lineage: an asset, a job, or a thing of a world, each as one word. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from renderer.provenance import Reference, ReferenceKind

ASSET, JOB = "asset", "job"


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """`kind` is asset, job or that of a reference; `owner` and `world` are those of a reference."""

    kind: str
    node_id: str
    owner: str = ""
    world: str = ""

    @property
    def word(self) -> str:
        """The node in plain ASCII: no two nodes have one word."""
        if self.kind in (ASSET, JOB):
            return f"{self.kind}:{self.node_id}"
        return f"{self.kind}:{json.dumps([self.owner, self.world, self.node_id])}"


def node_of(word: str) -> Node:
    """The inverse of `Node.word`."""
    kind, _, rest = word.partition(":")
    if kind in (ASSET, JOB):
        return Node(kind, rest)
    owner, world, node_id = json.loads(rest)
    return Node(str(ReferenceKind(kind)), node_id, owner, world)


def asset_node(asset_id: str) -> Node:
    """An asset."""
    return Node(ASSET, asset_id)


def job_node(job_id: str) -> Node:
    """A job."""
    return Node(JOB, job_id)


def reference_node(owner: str, world: str, reference: Reference) -> Node:
    """A thing of somebody's world."""
    return Node(str(reference.kind), reference.reference_id, owner, world)
