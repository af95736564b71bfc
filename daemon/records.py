"""The records of jobs as they lie in the folders: status documents and receipts, read with care.

A status document is the job as JSON; before there is one, a submitted job has its record. A
receipt is what is left beside the bundles once the state folder was cleared. Where several exist
the latest revision is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from daemon.fs import Fs
from daemon.jobs import Job, job_of
from daemon.places import Places
from renderer.errors import UsageError

MAX_BYTES = 16 * 1024**2
_SUFFIX = ".json"
_ID = re.compile(r"^[0-9A-Z]{26}$")


@dataclass(frozen=True, slots=True)
class Record:
    """A job and the bytes that tell of it."""

    job: Job
    document: bytes


def read_record(fs: Fs, path: Path) -> Record:
    """What tells of a job. Raises UsageError for what does not, FileNotFoundError, OSError."""
    document = fs.read(path, MAX_BYTES)
    try:
        job = job_of(document)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} is not the record of a job: {error!r}",
            hint="move it away; the daemon goes by what the other records say",
        ) from error
    if job.job_id != path.stem:
        raise UsageError(f"{path} is the record of another job, {job.job_id}")
    return Record(job, document)


def read_job(fs: Fs, path: Path) -> Job:
    """The job of a record. Raises as `read_record`."""
    return read_record(fs, path).job


def job_or_none(fs: Fs, path: Path) -> Job | None:
    """The job of a record, None when there is no readable one. Raises OSError."""
    try:
        return read_job(fs, path)
    except (FileNotFoundError, UsageError):
        return None


def ids_in(fs: Fs, folder: Path) -> list[str]:
    """The ids that the names of records in a folder tell of, readable or not. Raises OSError."""
    return [name.removesuffix(_SUFFIX) for name in fs.names(folder) if name.endswith(_SUFFIX)]


def find_record(fs: Fs, places: Places, job_id: str) -> Record:
    """What tells of the job of that id. Raises UsageError when nothing does."""
    if _ID.match(job_id):
        for path in (places.status(job_id), places.receipt(job_id), places.submitted(job_id)):
            if fs.stat(path) is not None:
                return read_record(fs, path)
    raise UsageError(
        f"no job is called {job_id!r} below {places.root}",
        hint="reelkiln jobs list shows which there are; --root names another folder",
    )


def find_job(fs: Fs, places: Places, job_id: str) -> Job:
    """The job of that id. Raises as `find_record`."""
    return find_record(fs, places, job_id).job


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
