"""Trying a failed job again by hand: its spec moves from `inbox/failed/` back into the inbox."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from daemon.error_files import SUFFIX
from daemon.fs import Fs
from daemon.jobs import Job, JobState
from daemon.places import Places
from renderer.errors import UsageError


def retry(fs: Fs, places: Places, job: Job) -> Path:
    """Move the spec of a failed job to where it was dropped; the new path.

    What fails twice leaves its error file behind twice, so the old one goes. Raises UsageError.
    """
    if job.state is not JobState.FAILED:
        raise UsageError(
            f"job {job.job_id} is {job.state}; only a failed job can be tried again",
            hint="drop its spec into the inbox to run it once more",
        )
    spec = _spec_of(fs, places, job)
    folder = places.drops(job.priority)
    target = folder / job.name
    try:
        fs.rename_new(spec, target)
    except FileExistsError as error:
        raise UsageError(
            f"{target} is there already",
            hint="wait until the daemon has taken it, or remove it, then retry",
        ) from error
    fs.sync_folder(folder)
    fs.unlink(spec.with_name(spec.name + SUFFIX))
    fs.sync_folder(places.failed)
    return target


def _spec_of(fs: Fs, places: Places, job: Job) -> Path:
    """The file that holds the job's bytes: others of its name may have failed as well."""
    names = [name for name in fs.names(places.failed) if not name.endswith(SUFFIX)]
    for name in sorted(names, key=lambda name: (name != job.name, name)):
        path = places.failed / name
        if _sha256(fs, path) == job.spec_sha256:
            return path
    raise UsageError(
        f"{places.failed} holds no spec of job {job.job_id} any more",
        hint="it was moved or changed by hand; drop it into the inbox yourself",
    )


def _sha256(fs: Fs, path: Path) -> str:
    found = fs.stat(path)
    if found is None or not stat.S_ISREG(found.st_mode):
        return ""
    return hashlib.sha256(fs.read(path, found.st_size + 1)).hexdigest()
