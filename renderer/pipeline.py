"""The whole render on one screen."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from renderer.bundle import Bundle, Cut, contents_of, seal
from renderer.bundle.publish import BeforePublish, at_once
from renderer.errors import Rejected, SpecInvalid, StoreCorrupt
from renderer.events import Listener, StageStarted, Warned, ignore
from renderer.executors.local import LocalExecutor
from renderer.explain import Explained, explain, segments_of
from renderer.fonts import load_fonts
from renderer.inputs import Inputs
from renderer.inspection import Inspection, inspect
from renderer.limits import Limits
from renderer.plan import Plan, plan
from renderer.resolve import resolve
from renderer.sources import SourcePolicy, acquire
from renderer.spec.checks import check_length
from renderer.spec.loading import Loaded, sources_of
from renderer.spec.model import Film, VideoSpec
from renderer.spec.origins import source_key
from renderer.spec.variants import cuts_of, relocated
from renderer.steps import Step
from renderer.store import Store
from renderer.text.faces import FontBook
from renderer.timeline import Timeline
from renderer.toolchain import Toolchain

_HEALINGS_PER_STEP = 2
"""A damaged object is found when it is used, and costs a try; a step has two outputs at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A render up to its timeline, and those of its variants: when what is seen and heard."""

    loaded: Loaded
    inputs: Inputs
    timeline: Timeline
    others: Mapping[str, Timeline] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Resolved):
    """A render up to its plan: everything decided, nothing drawn.

    `variants` are the other cuts by name; steps that they share with the film are run once.
    """

    plan: Plan
    variants: Mapping[str, Cut] = field(default_factory=dict)

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """The film and every variant of it."""
        return (Cut(timeline=self.timeline, plan=self.plan), *self.variants.values())

    @property
    def steps(self) -> tuple[Step, ...]:
        """Everything there is to do, each step once."""
        return tuple({step.key: step for cut in self.cuts for step in cut.plan.steps}.values())

    @property
    def seconds(self) -> Fraction:
        """How much there is to draw, over all cuts."""
        return sum((c.timeline.length / c.timeline.canvas.fps for c in self.cuts), Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """Turns loaded specs into bundles. `before_publish` is as for `seal`."""

    store: Store
    toolchain: Toolchain
    policy: SourcePolicy
    jobs: int = 2
    listen: Listener = ignore
    before_publish: BeforePublish = at_once

    def acquire(self, loaded: Loaded, *, lock: Inputs | None = None) -> Inputs:
        """Pin every source. Raises Rejected with positions in the document."""
        self.listen(StageStarted(stage="acquire"))
        uses = sources_of(loaded.spec)
        try:
            return acquire(uses, self.policy, self.store, lock=lock, listen=self.listen)
        except Rejected as error:
            raise loaded.located(error) from error

    def prepare(
        self, loaded: Loaded, *, lock: Inputs | None = None, whole: bool = False
    ) -> Prepared:
        """Acquire, resolve and plan. Raises Rejected with positions in the document."""
        return self.plan(self.resolve(loaded, lock=lock), whole=whole)

    def resolve(self, loaded: Loaded, *, lock: Inputs | None = None) -> Resolved:
        """Acquire and resolve. Raises Rejected with positions in the document."""
        film = loaded.film
        inputs = self.acquire(loaded, lock=lock)
        try:
            self.listen(StageStarted(stage="resolve"))
            timeline = self._resolved(film, inputs, loaded.limits)
            others = {
                name: self._resolved_cut(loaded, name, cut, inputs) for name, cut in cuts_of(film)
            }
        except Rejected as error:
            raise loaded.located(error) from error
        for warning in timeline.warnings:
            self.listen(Warned(code="timeline", message=warning))
        for name, other in others.items():
            for warning in other.warnings:
                self.listen(Warned(code="timeline", message=f"{name}: {warning}"))
        return Resolved(loaded=loaded, inputs=inputs, timeline=timeline, others=others)

    def plan(self, resolved: Resolved, *, whole: bool = False) -> Prepared:
        """The plan of what was resolved."""
        self.listen(StageStarted(stage="plan"))
        digest = self.toolchain.digest
        return Prepared(
            loaded=resolved.loaded,
            inputs=resolved.inputs,
            timeline=resolved.timeline,
            others=resolved.others,
            plan=plan(resolved.timeline, digest, whole=whole),
            variants={
                name: Cut(timeline=other, plan=plan(other, digest, whole=whole))
                for name, other in sorted(resolved.others.items())
            },
        )

    def _resolved(self, film: Film, inputs: Inputs, limits: Limits) -> Timeline:
        timeline = resolve(film, inputs, self._fonts(film, inputs))
        seconds = timeline.length / timeline.canvas.fps
        if too_long := check_length(film, seconds, limits):
            raise SpecInvalid(too_long)
        return timeline

    def _resolved_cut(self, loaded: Loaded, name: str, cut: VideoSpec, inputs: Inputs) -> Timeline:
        """As `_resolved`; what is wrong is told where the variant says it."""
        try:
            return self._resolved(cut, inputs, loaded.limits)
        except Rejected as error:
            whole = loaded.film
            if not isinstance(whole, VideoSpec):
                raise
            moved = [relocated(fault, name, whole) for fault in error.faults]
            raise error.with_faults(moved, loaded.document.name) from error

    def _fonts(self, spec: Film, inputs: Inputs) -> FontBook:
        own = spec.fonts if isinstance(spec, VideoSpec) else ()
        return load_fonts(self.store.path(inputs[source_key(source)].sha256) for source in own)

    def explain(self, prepared: Prepared) -> tuple[Explained, ...]:
        """Why each segment will run, is reused or repeats an earlier one."""
        memory = self.store.recall("plans", prepared.loaded.id) or {"segments": []}
        known = {key for key in prepared.plan.segment_steps if self.store.lookup(key)}
        fps = prepared.timeline.canvas.fps
        return explain(prepared.plan, fps, known, memory["segments"])

    def inspect(self, prepared: Prepared) -> Inspection:
        """The timeline to look at, and what a render would draw of it now."""
        loaded = prepared.loaded
        rows = self.explain(prepared)
        return inspect(loaded.id, loaded.film, prepared.inputs, prepared.timeline, rows)

    def render(
        self, prepared: Prepared, outbox: Path, stop: threading.Event | None = None
    ) -> Bundle:
        """Run the plan, seal what came out. A damaged object in the store is made again."""
        stop = stop or threading.Event()
        tries = 1 + _HEALINGS_PER_STEP * len(prepared.steps)
        with self.store.workdir():  # as long as it is there, nothing we count on is pruned
            while True:
                try:
                    return self._render(prepared, outbox, stop)
                except Rejected as error:  # a source changed under our hands
                    raise prepared.loaded.located(error) from error
                except StoreCorrupt as error:
                    tries -= 1
                    if not tries:
                        raise
                    self.listen(Warned(code=error.code, message=error.message))

    def _render(self, prepared: Prepared, outbox: Path, stop: threading.Event) -> Bundle:
        self.listen(StageStarted(stage="run"))
        executor = LocalExecutor(toolchain=self.toolchain, jobs=self.jobs)
        results = executor.run(prepared.steps, self.store, self.listen, stop)
        self.listen(StageStarted(stage="seal"))
        film, *_ = prepared.cuts
        contents = contents_of(
            prepared.loaded, prepared.inputs, {"": film, **prepared.variants}, results,
            self.toolchain, self.store,
        )  # fmt: skip
        bundle = seal(
            contents, self.store, outbox, listen=self.listen, before_publish=self.before_publish
        )
        self.store.remember("plans", prepared.loaded.id, {"segments": segments_of(prepared.plan)})
        return bundle
