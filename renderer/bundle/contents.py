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
from renderer.captions import caption_files
from renderer.digest import canonical_json, digest_of, digest_of_bytes
from renderer.graph.exact import PROFILES
from renderer.inputs import Inputs
from renderer.plan import Plan
from renderer.spec.loading import Loaded
from renderer.spec.model import VideoSpec
from renderer.spec.written import written
from renderer.steps import Output, Results
from renderer.store import Store
from renderer.timebase import SAMPLE_RATE
from renderer.timeline import Timeline
from renderer.toolchain import Toolchain

VIDEO, AUDIO = "video.mp4", "audio.m4a"
EXPANDED = "expanded.spec.yaml"
"""The spec that a storyboard wrote, to be edited and rendered again."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One film of a bundle: when everything is, and how it is made."""

    timeline: Timeline
    plan: Plan


def contents_of(
    loaded: Loaded,
    inputs: Inputs,
    cuts: Mapping[str, Cut],
    results: Results,
    toolchain: Toolchain,
    store: Store,
) -> BundleContents:
    """What the finished steps of a render give. Raises StoreCorrupt.

    `cuts` go by their folder in the bundle; that of the film itself is "".
    """
    files: dict[str, Output] = {}
    media: dict[str, MediaFacts] = {}
    findings: list[Finding] = []
    film = cuts[""]
    for folder, cut in cuts.items():
        place = f"{folder}/" if folder else ""
        is_heard_there = bool(folder) and cut.plan.audio == film.plan.audio
        made, facts = _made(cut, results, store)
        files |= {place + n: o for n, o in made.items() if n != AUDIO or not is_heard_there}
        media |= {place + name: fact for name, fact in facts.items() if place + name in files}
        findings += _findings(loaded, cut.timeline, cut.plan, results, place)
    return BundleContents(
        id=loaded.id,
        spec=loaded.canonical(),
        lock=inputs.as_json(),
        toolchain=toolchain.as_json(),
        files=files,
        media=media,
        findings=tuple(findings),
        more=_more(loaded, film.timeline),
    )


def _made(
    cut: Cut, results: Results, store: Store
) -> tuple[dict[str, Output], dict[str, MediaFacts]]:
    """The files of one cut by name, and what is promised of them."""
    timeline, plan = cut.timeline, cut.plan
    files = {VIDEO: results[plan.join].outputs[VIDEO], **results[plan.stills].outputs}
    sound = _sound(timeline, results[plan.audio].facts) if plan.audio else None
    picture = _picture(timeline, _frames_sha256(plan, results, store))
    media = {VIDEO: MediaFacts(picture=picture, sound=sound)}
    if plan.audio:
        files[AUDIO] = results[plan.audio].outputs[AUDIO]
        media[AUDIO] = MediaFacts(picture=None, sound=sound)
    return files, media


def _more(loaded: Loaded, timeline: Timeline) -> Mapping[str, bytes]:
    """Captions, and the spec as it can be edited when it was written by a storyboard."""
    more = dict(caption_files(timeline.captions, timeline.canvas.fps))
    if isinstance(loaded.spec, VideoSpec) and loaded.spec.made_from is not None:
        more[EXPANDED] = written(loaded.spec, loaded.id)
    return more


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
    loaded: Loaded, timeline: Timeline, plan: Plan, results: Results, place: str
) -> Iterator[Finding]:
    """What the steps measured and found wanting; `place` is before the names of files."""
    video, audio = place + VIDEO, place + AUDIO
    checks = loaded.film.output.checks
    shown = results[plan.join].facts["frames"]
    if shown != timeline.length:
        yield _finding("frames at their times", timeline.length, shown, video)
    brightest = max(int(results[key].facts["luma_max"]) for key in set(plan.segment_steps))
    if brightest <= _DARK and not checks.allow_black:
        expected = "something to see (output.checks.allow_black accepts black)"
        found = f"black all through: luma is at most {brightest}"
        yield _finding("picture", expected, found, video)
    if not plan.audio:
        return
    facts = results[plan.audio].facts
    if facts["heard_samples"] != timeline.samples:
        yield _finding("samples heard", timeline.samples, facts["heard_samples"], audio)
    if facts["is_silent"] and not checks.allow_silent:
        expected = "something to hear (output.checks.allow_silent accepts silence)"
        yield _finding("sound", expected, "silence all through", audio)


def _finding(check: str, expected: object, found: object, file: str) -> Finding:
    return Finding(check=check, file=file, expected=str(expected), found=str(found))
