"""The whole render on one screen."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderer.bundle import Bundle, BundleContents, seal
from renderer.digest import digest_of
from renderer.errors import OutputRejected, Rejected
from renderer.events import Listener, StageStarted, Warned, ignore
from renderer.executors.local import LocalExecutor
from renderer.fonts import load_fonts
from renderer.inputs import Inputs
from renderer.plan import Plan, plan
from renderer.resolve import resolve
from renderer.sources import SourcePolicy, acquire
from renderer.spec.loading import Loaded, sources_of
from renderer.spec.model import Spec, VideoSpec
from renderer.steps import Results
from renderer.store import LocalStore
from renderer.text.faces import FontBook
from renderer.timeline import Timeline
from renderer.toolchain import Toolchain

_DARK = 24
"""Luma at or below which nothing is to be seen (16 is black)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A render up to its plan: everything decided, nothing drawn."""

    loaded: Loaded
    inputs: Inputs
    timeline: Timeline
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """Turns loaded specs into bundles."""

    store: LocalStore
    toolchain: Toolchain
    policy: SourcePolicy
    jobs: int = 2
    listen: Listener = ignore

    def prepare(
        self, loaded: Loaded, *, lock: Inputs | None = None, whole: bool = False
    ) -> Prepared:
        """Acquire, resolve and plan. Raises Rejected with positions in the document."""
        try:
            self.listen(StageStarted(stage="acquire"))
            inputs = acquire(
                sources_of(loaded.spec), self.policy, self.store, lock=lock, listen=self.listen
            )
            self.listen(StageStarted(stage="resolve"))
            timeline = resolve(loaded.spec, inputs, self._fonts(loaded.spec, inputs))
        except Rejected as error:
            raise loaded.located(error) from error
        for warning in timeline.warnings:
            self.listen(Warned(code="timeline", message=warning))
        self.listen(StageStarted(stage="plan"))
        steps = plan(timeline, self.toolchain.digest, whole=whole)
        return Prepared(loaded=loaded, inputs=inputs, timeline=timeline, plan=steps)

    def _fonts(self, spec: Spec, inputs: Inputs) -> FontBook:
        own = spec.fonts if isinstance(spec, VideoSpec) else ()
        return load_fonts(self.store.path(inputs[source].sha256) for source in own)

    def render(
        self, prepared: Prepared, outbox: Path, stop: threading.Event | None = None
    ) -> Bundle:
        """Run the plan, check the outcome, seal it."""
        self.listen(StageStarted(stage="run"))
        executor = LocalExecutor(toolchain=self.toolchain, jobs=self.jobs)
        results = executor.run(
            prepared.plan.steps, self.store, self.listen, stop or threading.Event()
        )
        self._check(prepared, results)
        self.listen(StageStarted(stage="seal"))
        bundle = seal(self._contents(prepared, results), outbox)
        self.store.remember("plans", prepared.loaded.id, _memory(prepared.plan))
        return bundle

    def _check(self, prepared: Prepared, results: Results) -> None:
        checks = prepared.loaded.spec.output.checks
        found = []
        brightest = max(
            int(results[key].facts["luma_max"]) for key in set(prepared.plan.segment_steps)
        )
        if brightest <= _DARK and not checks.allow_black:
            found.append("the whole picture is black (output.checks.allow_black accepts it)")
        audio = prepared.plan.audio
        if audio and results[audio].facts["is_silent"] and not checks.allow_silent:
            found.append("the whole sound is silence (output.checks.allow_silent accepts it)")
        if found:
            raise OutputRejected("; ".join(found))

    def _contents(self, prepared: Prepared, results: Results) -> BundleContents:
        made = prepared.plan
        files = {"video.mp4": results[made.join].outputs["video.mp4"]}
        files |= dict(results[made.stills].outputs)
        if made.audio:
            files["audio.m4a"] = results[made.audio].outputs["audio.m4a"]
        paths = {name: self.store.path(output.sha256) for name, output in files.items()}
        spec, lock = prepared.loaded.canonical(), prepared.inputs.as_json()
        key = {"spec": spec, "lock": lock, "toolchain": self.toolchain.digest}
        return BundleContents(
            id=prepared.loaded.id,
            render_key=digest_of(key),
            spec=spec,
            lock=lock,
            files=paths,
            media=_media(prepared.timeline),
            content=self._content(made, results),
            toolchain=self.toolchain.as_json(),
        )

    def _content(self, made: Plan, results: Results) -> Mapping[str, Any]:
        frames = hashlib.sha256()
        for key in made.segment_steps:
            frames.update(self.store.path(results[key].outputs["frames.bin"].sha256).read_bytes())
        content = {"frames_sha256": frames.hexdigest()}
        if made.audio:
            content["pcm_sha256"] = results[made.audio].facts["pcm_sha256"]
        return content


def _media(timeline: Timeline) -> Mapping[str, Any]:
    fps = timeline.canvas.fps
    seconds = timeline.length / fps
    return {
        "width": timeline.canvas.size[0],
        "height": timeline.canvas.size[1],
        "fps": f"{fps.numerator}/{fps.denominator}",
        "frames": timeline.length,
        "duration": f"{seconds.numerator}/{seconds.denominator}",
        "samples": timeline.samples if timeline.sound.tracks else 0,
    }


def _memory(made: Plan) -> Mapping[str, Any]:
    by_key = made.by_key
    return {
        "segments": [
            {"start": s.span.start, "end": s.span.end, "key": k, "parts": dict(by_key[k].parts)}
            for s, k in zip(made.segments, made.segment_steps, strict=True)
        ]
    }
