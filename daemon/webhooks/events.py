"""What a webhook says: the type of the event and a thin body, the same bytes each time. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from daemon.jobs import Job, JobState

EVENTS = tuple(
    f"job.{state}"
    for state in (JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED)
)
TEST_EVENT = "webhook.test"
_LONGEST_WORD, _LONGEST_MESSAGE = 200, 1000  # characters, of at most six bytes each


def event_of(job: Job) -> str:
    """The type of the event that a job's end is."""
    return f"job.{job.state}"


def message_id(job_id: str) -> str:
    """The `webhook-id` of a job's end: always the same, so that receivers tell repetitions."""
    return f"msg_{job_id}"


def body_of(job: Job) -> bytes:
    """What is sent about an ended job, under 20 KB: who wants more asks the API."""
    error = job.error or {}
    data = {
        "job_id": job.job_id,
        "status": job.state,
        "kind": _plain(job.kind),
        "name": _plain(job.name),
        "owner": _plain(job.owner),
        "world": _plain(job.world),
        "spec_id": _plain(job.spec_id),
        "spec_sha256": job.spec_sha256,
        "bundle": _plain(job.bundle),
        "bundle_digest": job.bundle_digest,
        "error": _error(error) if error else None,
        "created_at": rfc3339(job.created_at),
        "finished_at": rfc3339(job.finished_at or job.updated_at),
    }
    return _body(event_of(job), job.finished_at or job.updated_at, data)


def trial_body(now: float) -> bytes:
    """What `reelkiln webhooks test` sends."""
    return _body(TEST_EVENT, now, {"message": "It works."})


def rfc3339(seconds: float) -> str:
    """A time of the record as people and programs write it, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _body(event: str, seconds: float, data: Mapping[str, Any]) -> bytes:
    body = {"type": event, "timestamp": rfc3339(seconds), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _error(error: Mapping[str, Any]) -> Mapping[str, str]:
    return {
        "code": _plain(str(error.get("code", ""))),
        "message": _plain(str(error.get("message", "")), _LONGEST_MESSAGE),
    }


def _plain(text: str, longest: int = _LONGEST_WORD) -> str:
    """Short, and without halves of characters, which not every reader of JSON takes."""
    return text[:longest].encode("utf-8", "replace").decode()
