"""`reelkiln jobs`: list, show, cancel and retry, by nothing but the folders of a root."""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from ulid import ULID

from daemon.fs import RealFs, replace_file
from daemon.jobs import IllegalMove, Job, JobState
from daemon.ledger import Papers
from daemon.owners import new_owner_id
from daemon.places import Places
from daemon.records import find_job
from daemon.retrying import retry
from daemon.status import status_text
from daemon.submissions import Submissions

jobs_app = typer.Typer(help="List the jobs of a root, show, cancel or retry one.")

Root = Annotated[Path, typer.Option("--root", help="The folder that holds inbox and outbox.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
JobId = Annotated[str, typer.Argument(help="The id of a job, as jobs list prints it.")]


@jobs_app.command(name="list")
def list_command(
    root: Root = Path(),
    state: Annotated[JobState | None, typer.Option(help="Only those in this state.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only those of this kind.")] = None,
    name: Annotated[str | None, typer.Option(help="Only those dropped under this name.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only those of this account.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Jobs on a page.")] = 50,
    cursor: Annotated[str, typer.Option(help="What the page before ended with.")] = "",
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    from daemon.index import Filters, open_index  # SQLAlchemy takes long to import

    index = open_index(_places(root).root)
    try:
        filters = Filters(state=state, kind=kind, name=name, owner=owner)
        page = index.page(filters, cursor=cursor, limit=limit)
    finally:
        index.close()
    if as_json:
        data = {"jobs": [job.as_json() for job in page.jobs], "cursor": page.cursor or None}
        print(json.dumps(data))
        return
    for job in page.jobs:
        print(_line(job))
    if page.cursor:
        typer.echo(f"more: --cursor {page.cursor}", err=True)


@jobs_app.command()
def show(job_id: JobId, root: Root = Path(), as_json: AsJson = False) -> None:
    """Show what is known of a job."""
    job = find_job(RealFs(), _places(root), job_id)
    if as_json:
        print(json.dumps(job.as_json()))
        return
    shown = job.as_json()
    shown["progress"] = status_text(job.progress) if job.state is JobState.RUNNING else ""
    for key, value in shown.items():
        if value not in (None, "", 0, 0.0):
            text = _moment(value) if key.endswith("_at") else _plain(value)
            print(f"{key + ':':<15}{text}")


@jobs_app.command()
def cancel(job_id: JobId, root: Root = Path(), as_json: AsJson = False) -> None:
    """Ask that a job stops; the daemon sees to it within a second."""
    fs, places = RealFs(), _places(root)
    job = find_job(fs, places, job_id)
    if job.state.is_final:
        raise IllegalMove(job_id, job.state, JobState.CANCELLED)
    folder = places.own("cancel")
    fs.make_folder(folder)
    replace_file(fs, folder / job_id, b"", secrets.token_hex(8))
    print(json.dumps({"job_id": job_id, "cancel": "asked"}) if as_json else f"{job_id}: asked")


@jobs_app.command(name="retry")
def retry_command(job_id: JobId, root: Root = Path(), as_json: AsJson = False) -> None:
    """Put the spec of a failed job back into the inbox, as a new job."""
    fs, places = RealFs(), _places(root)
    path = retry(fs, places, find_job(fs, places, job_id), _submissions(fs, places))
    print(json.dumps({"job_id": job_id, "path": _shown(path)}) if as_json else _shown(path))


def _submissions(fs: RealFs, places: Places) -> Submissions:
    papers = Papers(
        fs=fs, places=places, owner=new_owner_id(), nonce=lambda: secrets.token_hex(8)
    )  # fmt: skip
    return Submissions(papers=papers, clock=time.time, new_id=lambda: str(ULID()))


def _places(root: Path) -> Places:
    return Places(root.absolute())


def _line(job: Job) -> str:
    told = job.bundle or str((job.error or {}).get("code", ""))
    percent = f"{job.progress.percent:3d} %" if job.state is JobState.RUNNING else " " * 5
    words = (job.job_id, f"{job.state:<9}", percent, _moment(job.created_at), _plain(job.name))
    return "  ".join((*words, told)).rstrip()


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: object) -> str:
    """On one line, whatever a name holds: control characters do not reach the terminal."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if text.isprintable() else json.dumps(text)


def _shown(path: Path) -> str:
    return _plain(str(path))
