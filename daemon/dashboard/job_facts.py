"""What there is to say of a job beside its record: its view, its bundle, its lineage."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from daemon.api.assets import traced
from daemon.api.callers import Caller
from daemon.api.context import ApiContext
from daemon.api.downloads import listed_files, sealed_manifest
from daemon.api.problems import BundleGone
from daemon.api.telling import job_path
from daemon.assets.lineage_chart import lineage_chart
from daemon.catalog.derivations import Lineage
from daemon.catalog.nodes import Node, job_node
from daemon.child.job_view import JobView, recall_view
from daemon.jobs import Job
from renderer.bundle.manifest import SPEC, Manifest, manifest_from_bytes
from renderer.errors import ReelkilnError
from renderer.store import LocalStore

_PLAYED = {"video/mp4": "video", "video/webm": "video", "audio/mp4": "audio",
           "audio/mpeg": "audio", "audio/wav": "audio", "audio/flac": "audio",
           "audio/x-wav": "audio", "image/png": "image", "image/jpeg": "image",
           "image/webp": "image", "image/gif": "image"}  # fmt: skip
_FIRST = ("video", "image", "audio")
_LINEAGE_STEPS = 4
_MOST_SEGMENTS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file to fetch; `how` is video, audio or image where browsers can show it."""

    path: str
    media_type: str
    size_bytes: int
    sha256: str
    url: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFacts:
    """A bundle: its manifest, its files, those that can be played, the best first."""

    manifest: Manifest
    files: tuple[FileRow, ...]
    played: tuple[FileRow, ...]
    poster: str
    captions: str
    provenance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Rows of segments; `counts` by what was done, `left_out` beyond those shown."""

    rows: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    left_out: int


def view_of(context: ApiContext, job: Job) -> JobView | None:
    """The timeline that a job laid out; None before that, or when it was lost."""
    return recall_view(LocalStore(context.places.own("store")), job.job_id)


def segments_in(view: JobView) -> Segments:
    """The segments of a view, as many as a page has room for."""
    counts = Counter(str(row["action"]) for row in view.segments)
    return Segments(
        rows=view.segments[:_MOST_SEGMENTS],
        counts={action: counts[action] for action in ("run", "reuse", "repeat")},
        left_out=max(0, len(view.segments) - _MOST_SEGMENTS),
    )


def bundle_of(context: ApiContext, job: Job) -> BundleFacts | ReelkilnError | None:
    """The bundle of a job; the reason when it is not there any more, None when there is none."""
    if not job.state.has_results or not job.bundle:
        return None
    folder = context.places.outbox / job.bundle
    try:
        if folder.parent != context.places.outbox:
            raise BundleGone("the record of this job names no bundle")
        listed = listed_files(folder, job.bundle_digest)
        manifest = manifest_from_bytes(sealed_manifest(folder, job.bundle_digest))
        provenance = _told_provenance(folder)
    except ReelkilnError as error:
        return error
    here = f"{job_path(job.job_id)}/files"
    files = tuple(
        FileRow(path=path, media_type=entry.media_type, size_bytes=entry.size_bytes,
                sha256=entry.sha256, url=f"{here}/{quote(path)}",
                how=_PLAYED.get(entry.media_type, ""))
        for path, entry in sorted(listed.items())
    )  # fmt: skip
    urls = {row.path: row.url for row in files}
    return BundleFacts(
        manifest=manifest, files=files, played=_played(files, manifest),
        poster=urls.get("thumbnail.jpg", ""), captions=urls.get("captions.vtt", ""),
        provenance=provenance,
    )  # fmt: skip


def lineage_of(context: ApiContext, job: Job, caller: Caller) -> str:
    """The lineage of a job as an SVG, as far as the caller may see; empty without any."""
    found, labels = lineage_and_labels(context, job, caller)
    return lineage_chart(found, labels) if found.up or found.down else ""


def lineage_and_labels(
    context: ApiContext, job: Job, caller: Caller
) -> tuple[Lineage, dict[Node, str]]:
    """What the job was made from and what came of it."""
    return traced(context, job_node(job.job_id), _LINEAGE_STEPS, caller)


def _told_provenance(folder: Path) -> str:
    """What the document itself says of where it comes from, as JSON; empty for nothing."""
    try:
        spec = json.loads((folder / SPEC).read_bytes())
        told = spec.get("provenance")
    except (OSError, ValueError, AttributeError) as error:
        raise BundleGone(f"{SPEC} is no longer in the bundle", hint="render it again") from error
    return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) if told else ""


def _played(files: Sequence[FileRow], manifest: Manifest) -> tuple[FileRow, ...]:
    """Films before pictures before sounds; what was asked for before what comes along."""
    shown = [row for row in files if row.how]
    shown.sort(key=lambda row: (_FIRST.index(row.how), row.path not in manifest.media, row.path))
    return tuple(shown)
