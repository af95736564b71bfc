"""What the API says, as models: the answers are made of them and the description is.

Times are RFC 3339 in UTC; links are paths on this server.
"""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from daemon.jobs import JobState, Priority


class Answered(BaseModel):
    """What all answers have in common."""

    model_config = ConfigDict(extra="forbid")


class FaultEntry(BaseModel):
    """One thing wrong with a document, and where."""

    pointer: str = Field(default="", description="RFC 6901 pointer into the document.")
    line: int | None = Field(default=None, description="Counted from 1.")
    column: int | None = Field(default=None, description="In characters, counted from 1.")
    code: str = Field(description="Stable; docs/errors.md lists them.")
    message: str
    hint: str | None = None
    excerpt: str | None = None


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    code: str
    hint: str | None = None
    retryable: bool = False
    errors: list[FaultEntry] = Field(default_factory=list)
    legal: list[str] | None = Field(default=None, description="The moves that are legal.")


class JobError(BaseModel):
    """Why a job failed: as its error file says."""

    code: str
    title: str
    detail: str
    hint: str | None = None
    retryable: bool = False
    errors: list[FaultEntry] = Field(default_factory=list)


class ProgressDetail(Answered):
    """How far a job is, beyond the number."""

    stage: str
    step: str
    frames_done: int
    frames: int
    eta_s: int | None = Field(description="Whole seconds left; null when unknown.")


class Links(Answered):
    """Where to go on from a job."""

    self: str
    events: str
    cancel: str | None = None
    retry: str | None = None
    retry_of: str | None = None
    download: str | None = None
    files: str | None = None


class Output(Answered):
    """One result that is an asset."""

    asset_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")


class JobResource(Answered):
    """A job."""

    job_id: str
    status: JobState
    kind: str
    name: str
    priority: Priority
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    progress: int = Field(ge=0, le=100)
    progress_detail: ProgressDetail
    error: JobError | None
    bundle: str
    bundle_digest: str
    spec_sha256: str
    spec_digest: str
    input_hash: str
    outputs: list[Output] = Field(description="Assets, where those are the result.")
    retry_of: str = Field(description="The failed job that this one tries again.")
    world: str
    owner: str
    waits_for: list[str] = Field(
        description="What it waits for: `asset:ID`, `job:ID#FILE`; empty unless it does."
    )
    assets: dict[str, str] = Field(
        description="The assets that it promised, by their file in the bundle."
    )
    links: Links


class WorkList(Answered):
    """Jobs that wait for a worker."""

    jobs: list[JobResource]


class JobPage(Answered):
    """Jobs, newest first. `cursor` asks for those that follow; null on the last page."""

    jobs: list[JobResource]
    cursor: str | None


class FileEntry(Answered):
    """One file of a bundle."""

    path: str
    media_type: str
    size_bytes: int
    sha256: str
    url: str


class FileList(Answered):
    """The files of a bundle that its manifest lists."""

    job_id: str
    bundle: str
    bundle_digest: str
    files: list[FileEntry]


class Checked(Answered):
    """A document that is valid."""

    valid: bool
    id: str
    kind: str
    spec_digest: str


class SchemaNames(Answered):
    """The published JSON Schemas."""

    schemas: dict[str, str]


class Alive(Answered):
    """The server answers."""

    status: str


class Reason(Answered):
    """One thing that was looked at."""

    check: str
    ready: bool
    message: str


class Readiness(Answered):
    """Whether jobs can be taken and run, and why not."""

    status: str
    version: str
    open: bool = Field(description="Whether no key is asked for.")
    reasons: list[Reason]


class AnySchema(BaseModel):
    """A JSON Schema, or another document that describes something."""

    model_config = ConfigDict(extra="allow")


def document_schema() -> dict[str, Any]:
    """What OpenAPI says of the document that a job is made from."""
    return {
        "type": "object",
        "description": (
            "A spec of any kind, as GET /v1/schemas/spec describes it. An object with `topic` and "
            "without `reelkiln` is short for a document of the kind topic."
        ),
        "examples": [{
            "reelkiln": 1, "tracks": [{"clips": [{"text": "Hello", "length": "2s"}]}],
        }],
    }  # fmt: skip
