"""Natural idempotency: the same document by the same caller is the same job.

While the job waits or runs it is given again. Once it succeeded, it is given again as long as its
bundle lies there whole and every source holds the bytes it was made from: files, assets, and files
of other jobs. Sources from the network stand as they were pinned.

That rule is one; the job that it is asked about is found in two places. A document that tells
where it comes from, or reads assets, is a request in the catalog, which is found by its
`input_hash` and taken in by one daemon at a time. For all others there is only the index, asked
for the `spec_digest`: it may lag or be lost, which at worst makes a job that was not needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from daemon.api.context import ApiContext
from daemon.database import DatabaseUnavailable
from daemon.index import Filters
from daemon.jobs import Job, JobState
from daemon.logs import logger
from daemon.promises.contract import Standing
from daemon.records import find_job
from renderer.assets import AssetState
from renderer.bundle.manifest import ARCHIVE, LOCK, MANIFEST, Manifest, manifest_from_bytes
from renderer.digest import digest_of_bytes
from renderer.errors import ReelkilnError, UsageError
from renderer.sources.local import find_local
from renderer.sources.remote import is_remote
from renderer.spec.generated import is_generated
from renderer.spec.origins import is_reference
from renderer.store import LocalStore

_UNDER_WAY = (JobState.QUEUED, JobState.BLOCKED, JobState.RUNNING)
_LOOKED_AT = 20
"""The newest ones: an older one differs from them in its sources."""
_log = logger("api")


def same_job(
    context: ApiContext, spec_digest: str, owner: str, world: str, *, finished: bool = True
) -> Job | None:
    """The job that makes a new one needless. Blocks: it may have to read sources.

    Without `finished` only what waits or runs counts.
    """
    states = (*_UNDER_WAY, JobState.SUCCEEDED) if finished else _UNDER_WAY
    try:
        filters = Filters(spec_digest=spec_digest, owner=owner, world=world)
        found = context.index.page(filters, limit=_LOOKED_AT).jobs
    except DatabaseUnavailable as error:  # jobs are taken in without the index
        _log.warning("whether a job is there already cannot be told", error=str(error))
        return None
    standing = (job for job in _as_they_are(context, found) if _stands(context, job, states))
    return next(standing, None)


def will_do(context: ApiContext, job_id: str, *, finished: bool = True) -> bool:
    """Whether a job makes another one for its request needless. Blocks as `same_job`."""
    states = (*_UNDER_WAY, JobState.SUCCEEDED) if finished else _UNDER_WAY
    return any(_stands(context, job, states) for job in _found(context, job_id))


def _found(context: ApiContext, job_id: str) -> Iterator[Job]:
    with suppress(UsageError, FileNotFoundError):
        yield find_job(context.fs, context.places, job_id)


def _as_they_are(context: ApiContext, found: Iterable[Job]) -> Iterator[Job]:
    """The jobs as their records have them: the index may lag behind."""
    for job in found:
        yield from _found(context, job.job_id)


def _stands(context: ApiContext, job: Job, states: tuple[JobState, ...]) -> bool:
    if job.state not in states:
        return False
    if job.state is JobState.SUCCEEDED:
        return _is_as_it_was(context, job)
    return context.fs.stat(context.places.own("cancel") / job.job_id) is None


def _is_as_it_was(context: ApiContext, job: Job) -> bool:
    try:
        if job.outputs and not job.bundle:
            return _has_its_outputs(context, job)
        lock = _lock_of_whole_bundle(context, job)
        return all(_is_unchanged(context, job, pin) for pin in lock["sources"])
    except (OSError, ReelkilnError, ValueError, KeyError, TypeError) as error:
        _log.info("a job is made anew", job_id=job.job_id, why=str(error))
        return False


def _has_its_outputs(context: ApiContext, job: Job) -> bool:
    """Of a job whose result are assets: a worker elsewhere made them, and pinned nothing here."""
    found = context.assets.catalog.assets.find(job.outputs)
    return all(one in found and found[one].state is AssetState.AVAILABLE for one in job.outputs)


def _lock_of_whole_bundle(context: ApiContext, job: Job) -> Mapping[str, Any]:
    """lock.json of a bundle whose every file lies there in full size."""
    folder = context.places.outbox / job.bundle
    data = (folder / MANIFEST).read_bytes()
    if not job.bundle or digest_of_bytes(data) != job.bundle_digest:
        raise ValueError("another bundle lies there")
    manifest: Manifest = manifest_from_bytes(data)
    for entry in manifest.files:
        if (folder / entry.path).stat().st_size != entry.size_bytes:
            raise ValueError(f"{entry.path} is not as it was sealed")
    (folder / ARCHIVE).stat()
    lock: Mapping[str, Any] = json.loads((folder / LOCK).read_bytes())
    return lock


def _is_unchanged(context: ApiContext, job: Job, pin: Mapping[str, Any]) -> bool:
    """The store remembers the digest of a file by its stat, so most are not read again."""
    source = str(pin["source"])
    if is_remote(source) or is_generated(source):
        return True
    if is_reference(source):
        return _is_supplied(context, job, source, str(pin["sha256"]))
    base, *others = context.reading.media
    path = find_local(source, base, tuple(others), context.limits.max_source_bytes)
    if path.stat().st_size != pin["size_bytes"]:
        return False
    return LocalStore(context.places.own("store")).borrow(path).sha256 == str(pin["sha256"])


def _is_supplied(context: ApiContext, job: Job, reference: str, sha256: str) -> bool:
    """Whether an asset, or a file of another job, is there with those bytes."""
    found = context.reading.references.look((reference,), job.owner)[reference]
    return found.standing is Standing.AVAILABLE and found.sha256 == sha256
