"""What a render made, ready to be sealed: finished objects, and everything said of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Any

from renderer.bundle.manifest import (
    LOCK,
    SPEC,
    FileEntry,
    Manifest,
    MediaFacts,
    Picture,
    Sound,
    inputs_of_lock,
    render_key_of,
)
from renderer.bundle.quality import Finding
from renderer.digest import canonical_json, digest_of, digest_of_bytes
from renderer.graph.exact import PROFILES
from renderer.inputs import Inputs
from renderer.plan import Plan
from renderer.spec.loading import Loaded
from renderer.steps import Output, Results
from renderer.store import Store
from renderer.timebase import SAMPLE_RATE
from renderer.timeline import Timeline
from renderer.toolchain import Toolchain

VIDEO, AUDIO = "video.mp4", "audio.m4a"

_DARK = 18  # luma of black is 16, and a lossy codec wavers a little; navy has 24
_CHANNELS = 2
_MEDIA_TYPES = {
    ".mp4": "video/mp4", ".m4a": "audio/mp4", ".jpg": "image/jpeg", ".json": "application/json",
    ".png": "image/png", ".txt": "text/plain", ".yaml": "application/yaml", ".csv": "text/csv",
    ".vtt": "text/vtt", ".srt": "application/x-subrip",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BundleContents:
    """Everything that goes into a bundle.

    `files` are stored objects by their name in the bundle; `media` is promised of them and
    checked when they are sealed. `findings` are what the steps already found wrong. `more` are
    small files by name; their bytes follow from spec and lock.
    """

    id: str
    spec: Mapping[str, Any]
    lock: Mapping[str, Any]
    toolchain: Mapping[str, Any]
    files: Mapping[str, Output]
    media: Mapping[str, MediaFacts]
    findings: tuple[Finding, ...] = field(default=())
    more: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def documents(self) -> Mapping[str, bytes]:
        """The files that are written here: canonical spec, lock, and what there is `more`."""
        return {SPEC: canonical_json(self.spec), LOCK: canonical_json(self.lock), **self.more}

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest, known before a byte is copied, since objects are named by digest."""
        entries = [_entry(name, o.sha256, o.size_bytes) for name, o in self.files.items()]
        for name, data in self.documents.items():
            entries.append(_entry(name, digest_of_bytes(data), len(data)))
        return Manifest(
            id=self.id,
            render_key=render_key_of(self.spec, self.lock, self.toolchain),
            spec_digest=digest_of(self.spec),
            files=tuple(sorted(entries, key=lambda entry: entry.path)),
            media=self.media,
            toolchain=self.toolchain,
            inputs=inputs_of_lock(self.lock),
        )


def contents_of(
    loaded: Loaded,
    inputs: Inputs,
    timeline: Timeline,
    plan: Plan,
    results: Results,
    toolchain: Toolchain,
    store: Store,
) -> BundleContents:
    """What the finished steps of a render give. Raises StoreCorrupt."""
    files = {VIDEO: results[plan.join].outputs[VIDEO], **results[plan.stills].outputs}
    sound = _sound(timeline, results[plan.audio].facts) if plan.audio else None
    picture = _picture(timeline, _frames_sha256(plan, results, store))
    media = {VIDEO: MediaFacts(picture=picture, sound=sound)}
    if plan.audio:
        files[AUDIO] = results[plan.audio].outputs[AUDIO]
        media[AUDIO] = MediaFacts(picture=None, sound=sound)
    return BundleContents(
        id=loaded.id,
        spec=loaded.canonical(),
        lock=inputs.as_json(),
        toolchain=toolchain.as_json(),
        files=files,
        media=media,
        findings=tuple(_findings(loaded, timeline, plan, results)),
    )


def _entry(name: str, sha256: str, size_bytes: int) -> FileEntry:
    media_type = _MEDIA_TYPES.get(PurePath(name).suffix, "application/octet-stream")
    return FileEntry(path=name, media_type=media_type, size_bytes=size_bytes, sha256=sha256)


def _picture(timeline: Timeline, frames_sha256: str) -> Picture:
    canvas = timeline.canvas
    return Picture(
        codec="h264",
        profile=PROFILES[canvas.quality],
        pixel_format="yuv420p",
        width=canvas.size[0],
        height=canvas.size[1],
        fps=canvas.fps,
        frames=timeline.length,
        colour="bt709",
        range="tv",
        frames_sha256=frames_sha256,
    )


def _sound(timeline: Timeline, facts: Mapping[str, Any]) -> Sound:
    return Sound(
        codec="aac",
        sample_rate=SAMPLE_RATE,
        channels=_CHANNELS,
        samples=timeline.samples,
        pcm_sha256=facts["pcm_sha256"],
    )


def _frames_sha256(plan: Plan, results: Results, store: Store) -> str:
    """Of the digests of all frames, in sequence; each segment's are read once."""
    digests = {
        key: store.path(results[key].outputs["frames.bin"].sha256).read_bytes()
        for key in dict.fromkeys(plan.segment_steps)
    }
    whole = hashlib.sha256()
    for key in plan.segment_steps:
        whole.update(digests[key])
    return whole.hexdigest()


def _findings(
    loaded: Loaded, timeline: Timeline, plan: Plan, results: Results
) -> Iterator[Finding]:
    """What the steps measured and found wanting."""
    checks = loaded.film.output.checks
    shown = results[plan.join].facts["frames"]
    if shown != timeline.length:
        yield _finding("frames at their times", timeline.length, shown)
    brightest = max(int(results[key].facts["luma_max"]) for key in set(plan.segment_steps))
    if brightest <= _DARK and not checks.allow_black:
        expected = "something to see (output.checks.allow_black accepts black)"
        yield _finding("picture", expected, f"black all through: luma is at most {brightest}")
    if not plan.audio:
        return
    facts = results[plan.audio].facts
    if facts["heard_samples"] != timeline.samples:
        yield _finding("samples heard", timeline.samples, facts["heard_samples"], AUDIO)
    if facts["is_silent"] and not checks.allow_silent:
        expected = "something to hear (output.checks.allow_silent accepts silence)"
        yield _finding("sound", expected, "silence all through", AUDIO)


def _finding(check: str, expected: object, found: object, file: str = VIDEO) -> Finding:
    return Finding(check=check, file=file, expected=str(expected), found=str(found))
