"""`reelkiln cache`: what the store holds, and making it smaller."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from daemon.places import Places
from daemon.settings import open_store
from renderer.errors import UsageError
from renderer.store import LocalStore

cache_app = typer.Typer(help="Show what the store of segments and pins holds, or make it smaller.")

_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_UNITS = ("", "K", "M", "G", "T")
Root = Annotated[Path | None, typer.Option("--root", help="The store of a daemon's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]


@cache_app.callback(invoke_without_command=True)
def show(context: typer.Context, root: Root = None, as_json: AsJson = False) -> None:
    """Say where the store lies and how much it holds."""
    if context.invoked_subcommand:
        return
    store = _store(root)
    usage = store.usage()
    if as_json:
        print(json.dumps({"path": str(store.root), **asdict(usage)}))
        return
    print(
        f"{store.root}: {size_text(usage.size_bytes)} in {usage.objects} objects "
        f"of {usage.steps} finished steps"
    )


@cache_app.command()
@cache_app.command(name="prune", hidden=True)
def gc(
    max_size: Annotated[str, typer.Option("--max-size", help="What may be left, as 10G.")] = "",
    max_age: Annotated[str, typer.Option("--max-age", help="Unused for longer goes: 30d.")] = "",
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Remove what was not used for long, or longest, until the store is small enough.

    What renders under way count on stays.
    """
    if not max_size and not max_age:
        raise UsageError("gc needs a bound", hint="add --max-size 10G, --max-age 30d or both")
    most = bytes_of(max_size) if max_size else None
    pruned = _store(root).prune(most, max_age_s=seconds_of(max_age) if max_age else None)
    if as_json:
        print(json.dumps(asdict(pruned)))
        return
    words = f"removed {size_text(pruned.removed_bytes)}, {size_text(pruned.left_bytes)} are left"
    if pruned.in_use_bytes:
        words += f" ({size_text(pruned.in_use_bytes)} in use by renders under way)"
    print(words)


def _store(root: Path | None) -> LocalStore:
    """The store of the command line, or that of a daemon. Raises UsageError."""
    if root is None:
        return open_store(os.environ)
    place = Places(root.absolute()).own("store")
    if not place.is_dir():
        raise UsageError(f"{place} is not there", hint="--root names the folder of a daemon")
    return LocalStore(place)


def seconds_of(text: str) -> int:
    """`30d`, `12h`, `45m` or `90s` in seconds. Raises UsageError."""
    match = re.fullmatch(r"([0-9]{1,9})\s*([dhms])", text.strip(), re.IGNORECASE)
    if match is None:
        raise UsageError(f"{text!r} is not an age", hint="write it as 30d, 12h, 45m or 90s")
    return int(match[1]) * _SECONDS[match[2].lower()]


def bytes_of(text: str) -> int:
    """`10G`, `500M`, `1.5T` or plain bytes as a count. Raises UsageError."""
    match = re.fullmatch(r"(\d+)(?:\.(\d))?\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise UsageError(f"{text!r} is not a size", hint="write it as 10G, 500M or 0")
    tenths = int(match[1]) * 10 + int(match[2] or 0)
    return (tenths << 10 * _UNITS.index(match[3].upper())) // 10


def size_text(size: int) -> str:
    """A count of bytes as people read it, `1.5 GiB`."""
    power = max(0, min(len(_UNITS) - 1, (size.bit_length() - 1) // 10))
    if power == 0:
        return f"{size} bytes"
    whole, tenth = divmod(size * 10 // 1024**power, 10)
    return f"{whole}.{tenth} {_UNITS[power]}iB"
