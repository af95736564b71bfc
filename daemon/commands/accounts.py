"""`reelkiln accounts`: list the accounts of people, shut one, open it again."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.accounts.types import Account
from renderer.errors import UsageError

if TYPE_CHECKING:
    from daemon.accounts.people import People

accounts_app = typer.Typer(help="List, disable and enable the accounts of people.")

Root = Annotated[Path, typer.Option("--root", help="The folder that holds inbox and outbox.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
Who = Annotated[str, typer.Argument(help="The id of an account, or its address of mail.")]


@accounts_app.command(name="list")
def list_command(root: Root = Path(), as_json: AsJson = False) -> None:
    """List every account, oldest first."""
    with _people(root) as people:
        found = people.all_accounts()
    if as_json:
        print(json.dumps({"accounts": [_as_json(account) for account in found]}))
        return
    for account in found:
        print(_line(account))


@accounts_app.command()
def disable(who: Who, root: Root = Path(), as_json: AsJson = False) -> None:
    """Shut an account with all its sessions and keys, from the next request on."""
    with _people(root) as people:
        account = people.disable(_id_of(people, who), now=time.time())
    print(json.dumps(_as_json(account)) if as_json else _line(account))


@accounts_app.command()
def enable(who: Who, root: Root = Path(), as_json: AsJson = False) -> None:
    """Open an account again: its keys live again, and its people log in anew."""
    with _people(root) as people:
        account = people.enable(_id_of(people, who))
    print(json.dumps(_as_json(account)) if as_json else _line(account))


@contextmanager
def _people(root: Path) -> Iterator[People]:
    from daemon.accounts.store import open_accounts  # SQLAlchemy takes long to import

    if not root.is_dir():
        raise UsageError(
            f"there is no folder {root}", hint="name the folder of the daemon with --root"
        )
    accounts = open_accounts(root.absolute(), os.environ)
    try:
        yield accounts.people
    finally:
        accounts.close()


def _id_of(people: People, who: str) -> str:
    from daemon.accounts.people import folded_email

    if "@" not in who:
        return who
    email = folded_email(who)
    return next((one.account_id for one in people.all_accounts() if one.email == email), who)


def _as_json(account: Account) -> dict[str, object]:
    return {**asdict(account), "scopes": sorted(account.scopes)}


def _line(account: Account) -> str:
    state = "live" if account.disabled_at is None else "disabled"
    email = account.email if account.email.isprintable() else json.dumps(account.email)
    return f"{account.account_id}  {state:<8}  {','.join(sorted(account.scopes)):<17}  {email}"
