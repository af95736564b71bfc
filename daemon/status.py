"""How far a running job is: what the renderer says, as a `Progress`. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from daemon.jobs import Progress
from renderer.events import (
    Event,
    PlanMade,
    SourceAcquired,
    StageStarted,
    StepFinished,
    StepProgress,
    StepStarted,
)

STATUS_EVERY_S = 0.5
"""A status is told at most this often."""

_NEARLY = 99  # all frames are drawn, but nothing is published yet
_WORDS = {
    "load": "reading the spec",
    "acquire": "reading sources",
    "resolve": "laying out",
    "plan": "planning",
    "run": "rendering",
    "seal": "sealing",
}


@dataclass(slots=True, kw_only=True)
class Meter:
    """Listens to one render. `clock` gives seconds from any zero, never backwards."""

    clock: Callable[[], float]
    _stage: str = ""
    _frames: int = 0
    _began: float = 0.0
    _done: dict[str, int] = field(default_factory=dict)
    _open: dict[str, str] = field(default_factory=dict)
    _source: str = ""

    def hear(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case StageStarted():
                self._stage, self._source = event.stage, ""
                self._open.clear()
            case SourceAcquired():
                self._source = f"source {event.index} of {event.total}"
            case PlanMade():
                # A plan is made again when a stored object was damaged: the count begins anew.
                self._frames, self._began = event.frames, self.clock()
                self._done.clear()
            case StepStarted():
                self._open[event.key] = event.title
            case StepProgress():
                self._done[event.key] = event.frames_done
            case StepFinished():
                self._open.pop(event.key, None)
                if not event.reused:
                    self._done[event.key] = event.frames

    @property
    def progress(self) -> Progress:
        """Where the render stands. It is at 100 percent only once the bundle is there."""
        done = min(sum(self._done.values()), self._frames)
        return Progress(
            percent=self._percent(done),
            frames_done=done,
            frames=self._frames,
            stage=self._stage,
            step=next(iter(self._open.values()), self._source),
            eta_s=self._eta(done),
        )

    def _percent(self, done: int) -> int:
        if self._stage not in ("run", "seal"):
            return 0
        if not self._frames or self._stage == "seal":
            return _NEARLY
        return min(_NEARLY, 100 * done // self._frames)

    def _eta(self, done: int) -> int | None:
        """Seconds left at the pace so far; None while there is no pace to go by."""
        elapsed = self.clock() - self._began
        if self._stage != "run" or not done or elapsed <= 0:
            return None
        return math.ceil(elapsed * (self._frames - done) / done)


def status_text(progress: Progress) -> str:
    """`rendering, 28 %, 120 of 420 frames, 5 s left: segment 3`."""
    parts = [_WORDS.get(progress.stage, progress.stage or "starting")]
    if progress.frames:
        counted = f"{progress.frames_done} of {progress.frames} frames"
        parts += [f"{progress.percent} %", counted]
    if progress.eta_s is not None:
        parts.append(f"{progress.eta_s} s left")
    line = ", ".join(parts)
    return f"{line}: {progress.step}" if progress.step else line
