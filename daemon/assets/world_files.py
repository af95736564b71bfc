"""Worlds as JSON, as the API takes them and `reelkiln worlds import` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from daemon.catalog.refusals import WorldUnfit
from daemon.catalog.worlds import Registered, World, Worlds
from renderer.provenance import Reference, ReferenceKind

MOST_THINGS = 10_000
_MAX_BYTES = 64 << 20


class Thing(BaseModel):
    """A thing of a world."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=200)
    title: str = Field(default="", max_length=500)


Things = Annotated[list[Thing | Annotated[str, Field(min_length=1, max_length=200)]],
                   Field(max_length=MOST_THINGS)]  # fmt: skip


class WorldThings(BaseModel):
    """Things of a world by kind: an id, or an object of `id` and `title`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    claims: Things = Field(default_factory=list)
    entities: Things = Field(default_factory=list)
    source_chunks: Things = Field(default_factory=list)
    sources: Things = Field(default_factory=list)

    def registered(self) -> Iterator[Registered]:
        """All of them."""
        kinds = (
            (ReferenceKind.CLAIM, self.claims), (ReferenceKind.ENTITY, self.entities),
            (ReferenceKind.SOURCE_CHUNK, self.source_chunks), (ReferenceKind.SOURCE, self.sources),
        )  # fmt: skip
        for kind, things in kinds:
            for thing in things:
                whole = Thing(id=thing) if isinstance(thing, str) else thing
                yield Registered(reference=Reference(kind, whole.id), title=whole.title)


class WorldFile(WorldThings):
    """One world in a file."""

    world: str
    title: str = ""


def import_world(worlds: Worlds, path: Path, *, owner: str, now: float) -> tuple[World, int]:
    """Register the world in a file with its things; how many those are. Safe to repeat.

    Raises WorldUnfit for what is no such file, WorldUnknown, OSError and KeptUnavailable.
    """
    found = _read(path)
    world = World(owner=owner, world=found.world, title=found.title, created_at=now)
    worlds.put(world)
    return world, worlds.register(owner, found.world, found.registered(), now=now)


def _read(path: Path) -> WorldFile:
    if path.stat().st_size > _MAX_BYTES:
        raise WorldUnfit(f"{path} has over {_MAX_BYTES} bytes", hint="import it in parts")
    try:
        return WorldFile.model_validate(json.loads(path.read_bytes()))
    except ValidationError as error:
        told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5]]
        raise WorldUnfit(f"{path} is no world: {'; '.join(told)}", hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise WorldUnfit(f"{path} is no JSON: {error}", hint=_HINT) from error


_HINT = "see docs/worlds.md for an example"
