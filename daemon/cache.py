"""`reelkiln cache`: what the store holds, and making it smaller."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from typing import Annotated

import typer

from daemon.settings import open_store
from renderer.errors import UsageError

cache_app = typer.Typer(help="Show what the store of segments and pins holds, or prune it.")

_UNITS = ("", "K", "M", "G", "T")
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]


@cache_app.callback(invoke_without_command=True)
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Say where the store lies and how much it holds."""
    if context.invoked_subcommand:
        return
    store = open_store(os.environ)
    usage = store.usage()
    if as_json:
        print(json.dumps({"path": str(store.root), **asdict(usage)}))
        return
    print(
        f"{store.root}: {size_text(usage.size_bytes)} in {usage.objects} objects "
        f"of {usage.steps} finished steps"
    )


@cache_app.command()
def prune(
    max_size: Annotated[str, typer.Option("--max-size", help="What may be left, as 10G.")],
    as_json: AsJson = False,
) -> None:
    """Remove what was used longest ago until the store is small enough."""
    pruned = open_store(os.environ).prune(bytes_of(max_size))
    if as_json:
        print(json.dumps(asdict(pruned)))
        return
    words = f"removed {size_text(pruned.removed_bytes)}, {size_text(pruned.left_bytes)} are left"
    if pruned.in_use_bytes:
        words += f" ({size_text(pruned.in_use_bytes)} in use by renders under way)"
    print(words)


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
