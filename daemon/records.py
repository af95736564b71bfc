"""The records of jobs as they lie in the folders: status documents and receipts, read with care.

A status document is the job as JSON; before there is one, a submitted job has its record. A
receipt is what is left beside the bundles once the state folder was cleared. Where several exist
the latest revision is right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from daemon.fs import Fs
from daemon.jobs import Job, job_from_json
from daemon.places import Places
from renderer.errors import UsageError

MAX_BYTES = 16 * 1024**2
_SUFFIX = ".json"
_ID = re.compile(r"^[0-9A-Z]{26}$")


def read_job(fs: Fs, path: Path) -> Job:
    """The job of a record. Raises UsageError for what is none, FileNotFoundError, OSError."""
    try:
        found: dict[str, Any] = json.loads(fs.read(path, MAX_BYTES))
        job = job_from_json(found)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} is not the record of a job: {error!r}",
            hint="move it away; the daemon goes by what the other records say",
        ) from error
    if job.job_id != path.stem:
        raise UsageError(f"{path} is the record of another job, {job.job_id}")
    return job


def job_or_none(fs: Fs, path: Path) -> Job | None:
    """The job of a record, None when there is no readable one. Raises OSError."""
    try:
        return read_job(fs, path)
    except (FileNotFoundError, UsageError):
        return None


def ids_in(fs: Fs, folder: Path) -> list[str]:
    """The ids that the names of records in a folder tell of, readable or not. Raises OSError."""
    return [name.removesuffix(_SUFFIX) for name in fs.names(folder) if name.endswith(_SUFFIX)]


def find_job(fs: Fs, places: Places, job_id: str) -> Job:
    """The job of that id. Raises UsageError when no record tells of it."""
    if _ID.match(job_id):
        for path in (places.status(job_id), places.receipt(job_id), places.submitted(job_id)):
            if fs.stat(path) is not None:
                return read_job(fs, path)
    raise UsageError(
        f"no job is called {job_id!r} below {places.root}",
        hint="reelkiln jobs list shows which there are; --root names another folder",
    )


def all_jobs(fs: Fs, places: Places, damaged: Callable[[str], None]) -> Iterator[Job]:
    """Every job that a record tells of; `damaged` hears of each record that cannot be read."""
    for folder in (places.own("jobs"), places.receipts, places.own("submitted")):
        for name in fs.names(folder):
            if not _is_record(name):
                continue
            try:
                yield read_job(fs, folder / name)
            except FileNotFoundError:
                continue  # the daemon removed it meanwhile
            except (OSError, UsageError) as error:
                damaged(f"{folder / name}: {error}")


def _is_record(name: str) -> bool:
    stem, dot, rest = name.partition(".")
    return bool(dot) and rest == "json" and _ID.match(stem) is not None
