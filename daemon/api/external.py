"""Jobs that an external worker runs, by the same protocol as a daemon: it has an owner of its own.

The name of that owner follows from the lease token, so nothing is kept here: whoever knows the
token of a claim holds it, also after this process was started anew. Each sign of life of the
worker is a heartbeat of its owner; when they stop, recovery frees the claim as of any dead daemon.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from hashlib import sha256
from typing import Any

from daemon.admitting import admitted
from daemon.api.context import ApiContext
from daemon.api.problems import LeaseLost, OutputsRefused
from daemon.inbox import Claimed, Inbox
from daemon.jobs import MOVES, IllegalMove, Job, JobState, Progress
from daemon.places import Claim
from daemon.reading import Reading
from daemon.records import find_job
from daemon.submissions import drops_of
from renderer.assets import AssetState
from renderer.bundle import verify
from renderer.errors import ReelkilnError
from renderer.spec.loading import Loaded

_PREFIX = "ext-"
_TRIES, _PAUSE_S = 5, 0.05


def owner_of(token: str) -> str:
    """The owner id that a token stands for. Whoever sees the id cannot tell the token."""
    return _PREFIX + sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def new_token() -> str:
    """A lease token: 256 random bits."""
    return secrets.token_urlsafe(32)


def lease(context: ApiContext, job: Job, token: str) -> Claimed:
    """Take a queued job for whoever is given the token; it runs from now on.

    Raises IllegalMove when it is not queued any more, or has to wait for what it names;
    LeaseLost when it is not to be had.
    """
    inbox = _inbox(context, token)
    _beat(inbox)
    for _ in range(_TRIES):
        claimed = _claimed(context, inbox, job)
        told = None if claimed is None else _admitted(context, inbox, claimed)
        if told is not None:
            return inbox.begin(told)
        if not _may_be_had(context, inbox, job):
            break
        time.sleep(_PAUSE_S)  # a daemon without workers may have it in its hands to offer it
    _retire(context, inbox)
    now = find_job(context.fs, context.places, job.job_id)
    if now.state is not JobState.QUEUED:
        raise IllegalMove(job.job_id, now.state, JobState.RUNNING)
    raise LeaseLost(
        f"job {job.job_id} cannot be taken now: another worker was faster, it waits before it "
        "is tried again, or somebody wishes that it ends",
        legal=MOVES[now.state],
    )


def held(context: ApiContext, job: Job, token: str, to: JobState) -> tuple[Inbox, Claimed]:
    """What the holder of a token runs, after a sign of life of theirs.

    Raises IllegalMove, and LeaseLost for a token that holds nothing of this job.
    """
    if to is not JobState.RUNNING and to not in MOVES[job.state]:
        raise IllegalMove(job.job_id, job.state, to)
    inbox = _inbox(context, token)
    mine = _claims(inbox, job.job_id, inbox.papers.owner)
    if not mine or job.state is not JobState.RUNNING:
        raise LeaseLost(
            f"this lease token holds nothing of job {job.job_id}, which is {job.state}",
            legal=MOVES[job.state],
        )
    _beat(inbox)
    noted = inbox.ledger.read(job.job_id) or job
    return inbox, Claimed(claim=mine[0], job=noted, data=_document(context, mine[0]))


def see_held(context: ApiContext, job_id: str, holder: str) -> None:
    """Raises LeaseLost unless the worker that goes by the owner id `holder` runs the job."""
    if not _claims(_inbox(context, ""), job_id, holder):
        raise LeaseLost(f"the worker that began this does not run job {job_id} now", legal=())


def went_on(context: ApiContext, job: Job, token: str, progress: Progress | None) -> Claimed:
    """A sign of life, with progress perhaps."""
    inbox, claimed = held(context, job, token, JobState.RUNNING)
    return claimed if progress is None else inbox.note(claimed, progress=progress)


def gave_back(context: ApiContext, job: Job, token: str) -> Claimed:
    """The job waits again; no attempt is used up."""
    inbox, claimed = held(context, job, token, JobState.QUEUED)
    inbox.give_back(claimed, context.clock())
    _retire(context, inbox)
    return replace(claimed, job=find_job(context.fs, context.places, job.job_id))


def checked(
    context: ApiContext, job: Job, token: str, bundle: str, outputs: tuple[str, ...]
) -> str:
    """See that what a worker calls its result is one; the digest of its bundle. May take long.

    Raises LeaseLost, IllegalMove, VerifyMismatch, OutputsRefused.
    """
    _, claimed = held(context, job, token, JobState.SUCCEEDED)
    digest = _digest_of_bundle(context, claimed, bundle) if bundle else ""
    _see_to_outputs(context, claimed.job, outputs)
    if not bundle:
        _see_to_promises(context, claimed.job)
    return digest


def completed(
    context: ApiContext, job: Job, token: str, bundle: str, digest: str, outputs: tuple[str, ...]
) -> None:
    """The job succeeded, with a result that was `checked`: a bundle in the outbox, or assets.

    Raises LeaseLost, IllegalMove also when a cancel is wished.
    """
    inbox, claimed = held(context, job, token, JobState.SUCCEEDED)
    whole = replace(claimed.job.progress, percent=100, step="", eta_s=0)
    told = inbox.announce(claimed, bundle, digest, outputs=outputs, progress=whole)
    if told is None:
        if inbox.is_cancelled(claimed.job):
            inbox.cancel(claimed)
            _retire(context, inbox)
            raise IllegalMove(job.job_id, JobState.CANCELLED, JobState.SUCCEEDED)
        raise LeaseLost(f"job {job.job_id} was taken over", legal=())
    context.assets.adopt(outputs, job.job_id)
    inbox.succeed(told, bundle, digest)
    _retire(context, inbox)


def failed(context: ApiContext, job: Job, token: str, error: dict[str, Any]) -> None:
    """The job failed, unless somebody wished that it ends: then it was cancelled."""
    inbox, claimed = held(context, job, token, JobState.FAILED)
    if inbox.is_cancelled(claimed.job):
        inbox.cancel(claimed)
    else:
        inbox.fail(claimed, error)
    _retire(context, inbox)


def is_wished_to_end(context: ApiContext, job: Job) -> bool:
    """Whether the worker should stop."""
    return _inbox(context, "").is_cancelled(job)


def document_of_claim(claimed: Claimed) -> str:
    """The document as text; what is no UTF-8 is no spec either."""
    return claimed.data.decode("utf-8", "replace")


# -- below ---------------------------------------------------------------------------------


def _inbox(context: ApiContext, token: str) -> Inbox:
    return Inbox(
        context.fs, context.places, owner_of(token), context.clock, context.submissions.new_id,
        context.nonce, context.limits.max_document_bytes,
    )  # fmt: skip


def _claims(inbox: Inbox, job_id: str, owner: str) -> list[Claim]:
    return [one for one in inbox.claims() if (one.job_id, one.owner) == (job_id, owner)]


def _beat(inbox: Inbox) -> None:
    """`seq` is compared with itself alone, so any number that is new will do."""
    owner = inbox.papers.owner
    document = {"owner": owner, "seq": time.time_ns(), "pid": 0}
    inbox.papers.replace_loosely(inbox.papers.places.heartbeat(owner), document)


def _retire(context: ApiContext, inbox: Inbox) -> None:
    context.fs.unlink(context.places.heartbeat(inbox.papers.owner))


def _claimed(context: ApiContext, inbox: Inbox, job: Job) -> Claimed | None:
    if job.state.is_final or inbox.is_cancelled(job):
        return None  # it ends as soon as the daemon looks
    for claim in inbox.waiting():
        if claim.job_id == job.job_id:
            return inbox.take(claim) if job.not_before <= context.clock() else None
    for path, priority in drops_of(context.places, job.job_id):
        seen = context.fs.stat(path)
        if seen is not None and context.fs.stat(context.places.submitted(job.job_id)) is not None:
            return inbox.claim(path, seen, priority)
    return None


def _admitted(context: ApiContext, inbox: Inbox, claimed: Claimed) -> Claimed | None:
    """The job, unless it was made to wait, or failed, for what it names."""
    told = admitted(inbox, context.reading, claimed)
    if told is None:
        context.changed(claimed.job.job_id)
    return told


def _may_be_had(context: ApiContext, inbox: Inbox, job: Job) -> bool:
    now = find_job(context.fs, context.places, job.job_id)
    is_due = now.state is JobState.QUEUED and now.not_before <= context.clock()
    return is_due and not inbox.is_cancelled(now)


def _document(context: ApiContext, claim: Claim) -> bytes:
    try:
        limit = context.limits.max_document_bytes + 1
        return context.fs.read(context.places.claimed(claim), limit)
    except FileNotFoundError as error:
        raise LeaseLost(f"job {claim.job_id} was taken over", legal=()) from error


def _digest_of_bundle(context: ApiContext, claimed: Claimed, bundle: str) -> str:
    """The digest of a bundle that is whole, and of this very document: no worker hands out
    another one's bundle. Raises VerifyMismatch, OutputsRefused."""
    folder = context.places.outbox / bundle
    if not folder.is_dir() or folder.is_symlink():
        raise OutputsRefused(f"the outbox holds no bundle {bundle}", hint="publish it first")
    manifest = verify(folder)
    try:
        wanted = _spec_in(context.reading, claimed).digest
    except ReelkilnError as error:
        raise OutputsRefused(f"the job has no valid document: {error.message}") from error
    if manifest.spec_digest != wanted:
        raise OutputsRefused(
            f"{bundle} was made from another document",
            hint="render the document under the name that the lease told",
        )
    return manifest.bundle_digest


def _spec_in(reading: Reading, claimed: Claimed) -> Loaded:
    """What the document of a job asks to be rendered."""
    job = claimed.job
    return reading.expanded(reading.load(claimed.data, name=job.name, owner=job.owner))


def _see_to_outputs(context: ApiContext, job: Job, outputs: tuple[str, ...]) -> None:
    found = context.assets.catalog.assets.find(outputs)
    for asset_id in outputs:
        asset = found.get(asset_id)
        if asset is None or (asset.owner, asset.world) != (job.owner, job.world):
            raise OutputsRefused(f"no asset is called {asset_id}")
        if asset.state is not AssetState.AVAILABLE:
            raise OutputsRefused(
                f"asset {asset_id} is {asset.state}", hint=f"PUT /v1/assets/{asset_id}/content"
            )


def _see_to_promises(context: ApiContext, job: Job) -> None:
    """A result without a bundle has kept every promise of the job. Raises OutputsRefused."""
    found = context.assets.catalog.assets.find(job.promised.values())
    for label, asset_id in sorted(job.promised.items()):
        if asset_id in found and found[asset_id].state is AssetState.PENDING:
            raise OutputsRefused(
                f"the job promised {label}, which is not there",
                hint=f"PUT /v1/assets/{asset_id}/content first, or fail it",
            )
