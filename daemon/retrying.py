"""Trying a failed job again by hand: its spec goes from `inbox/failed/` back into the inbox."""

from __future__ import annotations

import hashlib
import stat
import time
from pathlib import Path

from daemon.error_files import SUFFIX
from daemon.fs import Fs
from daemon.jobs import Job, JobState
from daemon.places import Places, claim_of
from daemon.submissions import About, Submissions, suffix_of
from renderer.errors import UsageError

_MAX_BYTES = 64 << 20
_PATIENCE_S = 5.0
_LOOK_AGAIN_S = 0.05


def retry(fs: Fs, places: Places, job: Job, submissions: Submissions) -> Path:
    """Put the spec of a failed job back where it was dropped; the new path.

    A job that somebody handed in is handed in anew for its owner; the file of a drop moves.
    What fails twice leaves its error file behind twice, so the old one goes. Raises UsageError.
    """
    if job.state is not JobState.FAILED:
        raise UsageError(
            f"job {job.job_id} is {job.state}; only a failed job can be tried again",
            hint="drop its spec into the inbox to run it once more",
        )
    spec = _spec_of(fs, places, job)
    if job.owner or job.world or job.name == job.job_id + suffix_of(job.name):
        target = _handed_in(fs, places, job, spec, submissions)
    else:
        target = _moved(fs, places, job, spec)
    fs.unlink(spec.with_name(spec.name + SUFFIX))
    fs.sync_folder(places.failed)
    return target


def failed_document(fs: Fs, places: Places, job: Job) -> bytes:
    """The bytes of a failed job. Raises UsageError when they are gone or were changed."""
    path = _spec_of(fs, places, job)
    data = fs.read(path, _MAX_BYTES)
    if hashlib.sha256(data).hexdigest() != job.spec_sha256:
        raise UsageError(f"{path.name} was changed meanwhile", hint="hand it in anew")
    return data


def _handed_in(fs: Fs, places: Places, job: Job, spec: Path, submissions: Submissions) -> Path:
    about = About(kind=job.kind, spec_digest=job.spec_digest, retry_of=job.job_id)
    anew = submissions.submit(
        fs.read(spec, _MAX_BYTES), suffix=suffix_of(job.name), priority=job.priority,
        owner=job.owner, world=job.world, about=about,
    )  # fmt: skip
    fs.unlink(spec)
    return places.drops(anew.priority) / anew.name


def _moved(fs: Fs, places: Places, job: Job, spec: Path) -> Path:
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
    return target


def _spec_of(fs: Fs, places: Places, job: Job) -> Path:
    """The file that holds the job's bytes: others of its name may have failed as well.

    That a job failed is told before its spec lies in failed/, which happens at once if its daemon
    lives. Until then the bytes are under a claim that is the daemon's to move, so we wait.
    """
    until = time.monotonic() + _PATIENCE_S
    while _is_claimed(fs, places, job):
        if time.monotonic() > until:
            raise UsageError(
                f"the spec of job {job.job_id} is not put away yet",
                hint="its daemon died just then; try again when one runs",
            )
        time.sleep(_LOOK_AGAIN_S)
    names = [name for name in fs.names(places.failed) if not name.endswith(SUFFIX)]
    for name in sorted(names, key=lambda name: (name != job.name, name)):
        path = places.failed / name
        if _sha256(fs, path) == job.spec_sha256:
            return path
    raise UsageError(
        f"{places.failed} holds no spec of job {job.job_id} any more",
        hint="it was moved or changed by hand; drop it into the inbox yourself",
    )


def _is_claimed(fs: Fs, places: Places, job: Job) -> bool:
    claims = map(claim_of, fs.names(places.own("claimed")))
    return any(claim is not None and claim.job_id == job.job_id for claim in claims)


def _sha256(fs: Fs, path: Path) -> str:
    found = fs.stat(path)
    if found is None or not stat.S_ISREG(found.st_mode):
        return ""
    return hashlib.sha256(fs.read(path, found.st_size + 1)).hexdigest()
