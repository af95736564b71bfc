"""`reelkiln keys`: make, list and revoke the keys of programs."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.accounts.types import RENDER_AND_READ, ApiKey, Scope
from renderer.errors import UsageError

if TYPE_CHECKING:
    from daemon.accounts.store import Accounts

keys_app = typer.Typer(help="Make, list and revoke the keys that programs call the API with.")

Root = Annotated[Path, typer.Option("--root", help="The folder that holds inbox and outbox.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
_DAY_S = 24 * 3600


@keys_app.command()
def create(
    root: Root = Path(),
    label: Annotated[str, typer.Option(help="What it is for, in your words.")] = "",
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may do; render and read if not said.")
    ] = None,
    owner: Annotated[str, typer.Option(help="Whose jobs it makes and sees.")] = "",
    world: Annotated[str, typer.Option(help="The one world it works in; else in all.")] = "",
    days: Annotated[int | None, typer.Option(min=1, max=36500, help="Expires after them.")] = None,
    per_minute: Annotated[int | None, typer.Option(help="Requests that it has a minute.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It is shown this once, and kept as a digest alone."""
    from daemon.accounts.keys import KeyWish  # SQLAlchemy takes long to import

    now = time.time()
    wish = KeyWish(
        scopes=frozenset(scope) if scope else RENDER_AND_READ,
        owner=_text(owner, "owner"),
        label=_text(label, "label"),
        world=_text(world, "world"),
        per_minute=per_minute,
        expires_at=None if days is None else now + days * _DAY_S,
    )
    accounts = _accounts(root)
    try:
        made = accounts.keys.create(wish, now=now)
    finally:
        accounts.close()
    where = accounts.engine.url.render_as_string(hide_password=True)
    typer.echo(f"key {made.key.key_id} is kept in {where}; this is all of it:", err=True)
    print(json.dumps({**_as_json(made.key, now), "key": made.secret}) if as_json else made.secret)


@keys_app.command(name="list")
def list_command(
    root: Root = Path(),
    owner: Annotated[str | None, typer.Option(help="Only those of this owner.")] = None,
    as_json: AsJson = False,
) -> None:
    """List every key ever made, oldest first."""
    now = time.time()
    accounts = _accounts(root)
    try:
        found = accounts.keys.all_keys(owner)
    finally:
        accounts.close()
    if as_json:
        print(json.dumps({"keys": [_as_json(key, now) for key in found]}))
        return
    for key in found:
        print(_line(key, now))


@keys_app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id of a key, as keys list prints it.")],
    root: Root = Path(),
    as_json: AsJson = False,
) -> None:
    """Shut a key for ever, from the next request on."""
    now = time.time()
    accounts = _accounts(root)
    try:
        key = accounts.keys.revoke(key_id, now=now)
    finally:
        accounts.close()
    print(json.dumps(_as_json(key, now)) if as_json else f"{key_id}: revoked")


def _accounts(root: Path) -> Accounts:
    from daemon.accounts.store import open_accounts

    if not root.is_dir():
        raise UsageError(
            f"there is no folder {root}", hint="name the folder of the daemon with --root"
        )
    return open_accounts(root.absolute(), os.environ)


def _text(value: str, name: str) -> str:
    if not value.isprintable():
        raise UsageError(f"--{name} has characters that cannot be printed")
    return value


def _as_json(key: ApiKey, now: float) -> dict[str, object]:
    return {**asdict(key), "scopes": sorted(key.scopes), "standing": key.standing(now)}


def _line(key: ApiKey, now: float) -> str:
    """On one line, whatever the texts of a key hold."""
    used = "never used" if key.last_used_at is None else f"used {_day(key.last_used_at)}"
    words = (
        key.key_id,
        f"...{key.last_four}",
        f"{key.standing(now):<7}",
        f"{','.join(sorted(key.scopes)):<11}",
        f"made {_day(key.created_at)}",
        f"{used:<15}",
        _plain(key.owner) or "-",
        _plain(key.label),
    )
    return "  ".join(words).rstrip()


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _plain(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)
