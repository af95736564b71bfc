"""The local executor: a pool of threads, each waiting for one FFmpeg process at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from renderer.errors import Interrupted, RenderFailed
from renderer.events import (
    Event,
    Listener,
    PlanMade,
    StepFinished,
    StepProgress,
    StepStarted,
)
from renderer.executors.context import Context
from renderer.executors.work import perform
from renderer.steps import Results, Step, StepKind, StepResult
from renderer.store import Store
from renderer.toolchain import Toolchain

_LOOK_UP_S = 0.1  # how soon a request to stop is passed on to the children


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalExecutor:
    """Runs up to `jobs` steps at once on this machine. The bytes do not depend on `jobs`."""

    toolchain: Toolchain
    jobs: int = 1

    def run(
        self, steps: Sequence[Step], store: Store, listen: Listener, stop: threading.Event
    ) -> Results:
        """As `Executor.run`. Ctrl-C in the calling thread counts as a request to stop."""
        distinct = tuple({step.key: step for step in steps}.values())
        _refuse_unknown_needs(distinct)
        speech = _Speech(listen=listen)
        run = _Run(store=store, toolchain=self.toolchain, speech=speech, jobs=self.jobs)
        waiting = run.reuse(distinct)
        with ThreadPoolExecutor(max(1, self.jobs), thread_name_prefix="step") as pool:
            try:
                run.work_off(waiting, pool, max(1, self.jobs), stop)
            except KeyboardInterrupt as error:
                raise run.interrupted(len(distinct)) from error
            finally:
                run.halt.set()  # whatever still runs is no longer wanted
        if stop.is_set() and len(run.results) < len(distinct):
            raise run.interrupted(len(distinct))
        return MappingProxyType({step.key: run.results[step.key] for step in distinct})


@dataclass(slots=True, kw_only=True)
class _Speech:
    """Says one event at a time, and never a progress that goes backwards."""

    listen: Listener
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _done: dict[str, int] = field(default_factory=dict)

    def say(self, event: Event) -> None:
        with self._lock:
            self.listen(event)

    def progress(self, step: Step, frames_done: int) -> None:
        frames_done = min(frames_done, step.frames)
        with self._lock:
            if frames_done > self._done.get(step.key, 0):
                self._done[step.key] = frames_done
                self.listen(StepProgress(key=step.key, frames_done=frames_done))


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run: what is done, and the flag that tells every child to stop."""

    store: Store
    toolchain: Toolchain
    speech: _Speech
    jobs: int
    halt: threading.Event = field(default_factory=threading.Event)
    results: dict[str, StepResult] = field(default_factory=dict)

    def reuse(self, steps: Sequence[Step]) -> list[Step]:
        """Take what the store knows; the rest in the order in which it should start."""
        for step in steps:
            known = self.store.lookup(step.key)
            if known is not None:
                self.results[step.key] = StepResult(
                    outputs=known.outputs, facts=known.facts, reused=True
                )
        todo = [step for step in steps if step.key not in self.results]
        frames = sum(step.frames for step in todo)
        self.speech.say(PlanMade(steps=len(steps), reused=len(self.results), frames=frames))
        for step in steps:
            if step.key in self.results:
                self._say_finished(step, reused=True)
        return sorted(todo, key=lambda step: step.kind is not StepKind.MIX_AUDIO)

    def work_off(
        self, waiting: list[Step], pool: ThreadPoolExecutor, jobs: int, stop: threading.Event
    ) -> None:
        """Start steps as soon as their needs are met, until none is left or one fails."""
        running: dict[Future[StepResult], Step] = {}
        while (waiting or running) and not stop.is_set():
            for step in self._startable(waiting, jobs - len(running)):
                waiting.remove(step)
                results = MappingProxyType({key: self.results[key] for key in step.needs})
                running[pool.submit(self._do, step, results)] = step
            done, _ = wait(running, timeout=_LOOK_UP_S, return_when=FIRST_COMPLETED)
            for future in [future for future in running if future in done]:
                step = running.pop(future)
                self.results[step.key] = future.result()
        self._stop_all(running)

    def interrupted(self, steps: int) -> Interrupted:
        """What to raise when someone asked us to stop."""
        return Interrupted(
            f"stopped on request: {len(self.results)} of {steps} steps are done and kept",
            hint="run the same command again to go on from there",
        )

    def _startable(self, waiting: Sequence[Step], free: int) -> list[Step]:
        ready = (step for step in waiting if all(need in self.results for need in step.needs))
        return [step for step, _ in zip(ready, range(free), strict=False)]

    def _do(self, step: Step, results: Results) -> StepResult:
        """One step in a thread of the pool: work, keep, record."""
        if self.halt.is_set():
            raise Interrupted(f"{step.title}: stopped before it began")
        self.speech.say(StepStarted(key=step.key, title=step.title, frames=step.frames))
        with self.store.workdir() as workdir:
            try:
                made = perform(step, self._context(step, results, workdir))
            finally:
                self._refuse_changed_sources(step)
            outputs = {
                name: self.store.put_file(path, move=True)
                for name, path in sorted(made.files.items())
            }
        result = StepResult(outputs=outputs, facts=made.facts)
        self.store.record(step.key, result)
        self._say_finished(step, reused=False)
        return result

    def _refuse_changed_sources(self, step: Step) -> None:
        """A file that changed while the step read it spoils the result, or was its failure."""
        for read in step.reads:
            if read.sha256:
                self.store.path(read.sha256)

    def _stop_all(self, running: Mapping[Future[StepResult], Step]) -> None:
        """Asked to stop: end the children, but keep what was finished all the same."""
        if not running:
            return
        self.halt.set()
        wait(running)
        for future, step in running.items():
            if future.exception() is None:
                self.results[step.key] = future.result()

    def _context(self, step: Step, results: Results, workdir: Path) -> Context:
        return Context(
            store=self.store,
            toolchain=self.toolchain,
            results=results,
            workdir=workdir,
            stop=self.halt,
            on_frame=lambda frames: self.speech.progress(step, frames),
            jobs=self.jobs,
        )

    def _say_finished(self, step: Step, *, reused: bool) -> None:
        self.speech.say(
            StepFinished(key=step.key, title=step.title, frames=step.frames, reused=reused)
        )


def _refuse_unknown_needs(steps: Sequence[Step]) -> None:
    """A plan that needs what it does not hold, or itself, would wait for ever."""
    known: set[str] = set()
    for step in steps:
        for need in step.needs:
            if need not in known:
                raise RenderFailed(
                    f"{step.title}: needs step {need[:12]}, which the plan does not hold before it",
                    hint="this is a fault of the plan, please report it with the spec",
                )
        known.add(step.key)
