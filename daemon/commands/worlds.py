"""`reelkiln worlds`: register worlds from files, and list them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from renderer.errors import UsageError

worlds_app = typer.Typer(help="Register and list worlds, which documents may rest on.")

Root = Annotated[Path, typer.Option("--root", help="The folder that holds inbox and outbox.")]
Owner = Annotated[str, typer.Option("--owner", help="Whose worlds; nobody's if not said.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]


@worlds_app.command(name="import")
def import_command(
    file: Annotated[Path, typer.Argument(help="A JSON file; docs/worlds.md shows one.")],
    root: Root = Path(),
    owner: Owner = "",
    as_json: AsJson = False,
) -> None:
    """Register the world of a file and the things in it. It may be repeated."""
    from daemon.assets.world_files import import_world
    from daemon.catalog import open_catalog  # SQLAlchemy takes long to import

    catalog = open_catalog(root)
    try:
        world, count = import_world(catalog.worlds, file, owner=owner, now=time.time())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    finally:
        catalog.close()
    told = {"world": world.world, "things": count}
    print(json.dumps(told) if as_json else f"{world.world}: {count} things")


@worlds_app.command(name="list")
def list_command(root: Root = Path(), owner: Owner = "", as_json: AsJson = False) -> None:
    """List worlds, by name."""
    from daemon.catalog import open_catalog

    catalog = open_catalog(root)
    try:
        found = [
            {"world": one.world, "title": one.title, "things": sum(
                catalog.worlds.counts(owner, one.world).values())}
            for one in catalog.worlds.all_of(owner)
        ]  # fmt: skip
    finally:
        catalog.close()
    if as_json:
        print(json.dumps({"worlds": found}))
        return
    for one in found:
        print(f"{one['world']}\t{one['things']}\t{one['title']}")
