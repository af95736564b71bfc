"""Answers: jobs as resources, documents as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from daemon.api.models import FaultEntry, JobError, JobResource, Links, Output, ProgressDetail
from daemon.api.problems import plain_text
from daemon.jobs import Job, JobState

_SHOWN = tuple(FaultEntry.model_fields)


def answer(
    model: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A JSON answer."""
    body = model.model_dump_json().encode()
    return web.Response(
        body=body, status=status, content_type="application/json", headers=dict(headers or {})
    )


def resource(job: Job) -> JobResource:
    """The job as clients see it."""
    at = job.progress
    return JobResource(
        job_id=job.job_id, status=job.state, kind=plain_text(job.kind), name=plain_text(job.name),
        priority=job.priority, created_at=moment(job.created_at),
        started_at=_maybe(job.started_at), finished_at=_maybe(job.finished_at),
        progress=max(0, min(100, at.percent)),
        progress_detail=ProgressDetail(
            stage=at.stage, step=plain_text(at.step), frames_done=at.frames_done,
            frames=at.frames, eta_s=at.eta_s,
        ),
        error=_error(plain_text(job.error)), bundle=plain_text(job.bundle),
        bundle_digest=job.bundle_digest, spec_sha256=job.spec_sha256,
        spec_digest=job.spec_digest, input_hash=job.input_hash, retry_of=job.retry_of,
        outputs=[Output(asset_id=asset_id) for asset_id in job.outputs],
        world=plain_text(job.world), owner=plain_text(job.owner),
        waits_for=[] if job.state.is_final else list(job.waits_for), assets=dict(job.promised),
        links=_links(job),
    )  # fmt: skip


def job_path(job_id: str) -> str:
    """Where a job is."""
    return f"/v1/jobs/{job_id}"


def moment(seconds: float) -> datetime:
    """A time of day, to the millisecond: more is not kept by every reader."""
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)


def _links(job: Job) -> Links:
    here = job_path(job.job_id)
    done = job.state.has_results and bool(job.bundle)
    return Links(
        self=here,
        events=f"{here}/events",
        cancel=None if job.state.is_final else f"{here}/cancel",
        retry=f"{here}/retry" if _may_be_retried(job) else None,
        retry_of=job_path(job.retry_of) if job.retry_of else None,
        download=f"{here}/download" if done else None,
        files=f"{here}/files" if done else None,
    )


def _may_be_retried(job: Job) -> bool:
    return job.state is JobState.FAILED and not job.refused


def _error(told: Mapping[str, Any] | None) -> JobError | None:
    """The error of a job, without what is for the machine's own people: its standard error."""
    if told is None:
        return None
    faults = [
        FaultEntry(**{name: entry.get(name) for name in _SHOWN if entry.get(name) is not None})
        for entry in told.get("errors") or ()
    ]
    code = str(told.get("code", "error"))
    return JobError(
        code=code,
        title=code.replace("-", " ").capitalize(),
        detail=str(told.get("message", "")),
        hint=told.get("hint") or None,
        retryable=bool(told.get("retryable", False)),
        errors=faults,
    )
