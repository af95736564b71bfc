"""`reelkiln reindex`: the index made again from what the folders say."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from daemon.fs import RealFs
from daemon.places import Places
from daemon.records import all_jobs
from renderer.errors import UsageError

Root = Annotated[Path, typer.Option("--root", help="The folder that holds inbox and outbox.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindexed:
    """What was done: jobs in the index now, and the records that could not be read."""

    jobs: int
    damaged: tuple[str, ...]


def reindex(root: Path) -> Reindexed:
    """Rebuild the index of a root, also while daemons run. Raises UsageError."""
    from daemon.index import open_index  # a third of a second, which `render` need not wait for

    places = Places(root.absolute())
    if not places.own("jobs").is_dir() and not places.receipts.is_dir():
        raise UsageError(
            f"{places.root} holds neither .reelkiln/jobs nor outbox/receipts",
            hint="name the folder of the daemon with --root",
        )
    damaged: list[str] = []
    index = open_index(places.root)
    try:
        count = index.rebuild(all_jobs(RealFs(), places, damaged.append))
    finally:
        index.close()
    return Reindexed(jobs=count, damaged=tuple(sorted(damaged)))


def reindex_command(root: Root = Path(), as_json: AsJson = False) -> None:
    """Make the index of the jobs again from the folders."""
    done = reindex(root)
    if as_json:
        print(json.dumps({"jobs": done.jobs, "damaged": done.damaged}))
        return
    for line in done.damaged:
        print(f"left out: {line!r}"[:1000], file=sys.stderr)
    print(f"{done.jobs} jobs")
