"""Progress on a terminal as a bar, elsewhere as plain lines, at most one a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from renderer.events import (
    Event,
    Listener,
    PlanMade,
    SourceAcquired,
    StageStarted,
    StepFinished,
    StepProgress,
    Warned,
)

Clock = Callable[[], float]
"""Seconds from any zero, never backwards."""

_WORDS = {
    "acquire": "reading sources",
    "resolve": "laying out",
    "plan": "planning",
    "run": "rendering",
    "seal": "sealing",
}
_LINE_EVERY_S = 1.0


@contextmanager
def progress_listener(console: Console, clock: Clock = time.monotonic) -> Iterator[Listener]:
    """A listener that shows the stage, frames done of frames to draw, speed and time left."""
    if not console.is_terminal:
        yield _Lines(console=console, clock=clock).hear
        return
    columns = (TextColumn("{task.description:15}"), BarColumn(), _Standing())
    with Progress(*columns, console=console) as bars:
        yield _Bars(bars=bars, console=console, clock=clock).hear


@dataclass(slots=True, kw_only=True)
class Tally:
    """What has been heard so far: frames by step, and since when they are being drawn."""

    clock: Clock
    stage: str = ""
    steps: int = 0
    reused: int = 0
    total: int = 0
    started: float = 0.0
    _done: dict[str, int] = field(default_factory=dict)

    def hear(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, StageStarted):
            self.stage = event.stage
        elif isinstance(event, PlanMade):
            self.steps, self.reused, self.total = event.steps, event.reused, event.frames
            self.started = self.clock()
        elif isinstance(event, StepProgress):
            self._done[event.key] = event.frames_done
        elif isinstance(event, StepFinished) and not event.reused:
            self._done[event.key] = event.frames

    @property
    def done(self) -> int:
        """Frames drawn in this run."""
        return sum(self._done.values())

    def standing(self) -> str:
        """`120/420 frames, 61 fps, 5 s left`; empty while nothing is to be drawn."""
        if self.stage != "run" or not self.total:
            return ""
        words = f"{self.done}/{self.total} frames"
        elapsed = self.clock() - self.started
        if self.done and elapsed > 0:
            words += f", {round(self.done / elapsed)} fps"
            left = round(elapsed * (self.total - self.done) / self.done)
            words += f", {_length(left)} left" if self.done < self.total else ""
        return words

    def reuse(self) -> str:
        """What an earlier run saves this one; empty when it saves nothing."""
        if not self.reused:
            return ""
        if self.reused == self.steps:
            return f"all {self.steps} steps are reused from an earlier run"
        return f"{self.reused} of {self.steps} steps are reused from an earlier run"


@dataclass(slots=True, kw_only=True)
class _Lines:
    """Plain lines for logs and pipes: every stage, and one a second while frames are drawn."""

    console: Console
    clock: Clock
    tally: Tally = field(init=False)
    _said_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.tally = Tally(clock=self.clock)

    def hear(self, event: Event) -> None:
        self.tally.hear(event)
        if isinstance(event, Warned):
            self._say(f"warning: {event.message}")
        elif isinstance(event, StageStarted):
            self._say(f"{_WORDS.get(event.stage, event.stage)} ...")
        elif isinstance(event, PlanMade) and event.reused:
            self._say(self.tally.reuse())
        elif isinstance(event, StepProgress) and self._is_time():
            self._said_at = self.clock()
            self._say(self.tally.standing())

    def _is_time(self) -> bool:
        return self.clock() - max(self._said_at, self.tally.started) >= _LINE_EVERY_S

    def _say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


@dataclass(slots=True, kw_only=True)
class _Bars:
    """One bar: sources while they are read, then frames."""

    bars: Progress
    console: Console
    clock: Clock
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(clock=self.clock)
        self.bars.add_task("starting", total=None, standing="")

    def hear(self, event: Event) -> None:
        self.tally.hear(event)
        task = self.bars.task_ids[0]
        if isinstance(event, Warned):
            self.console.print(f"warning: {event.message}", markup=False, highlight=False)
        elif isinstance(event, StageStarted):
            self.bars.update(task, description=_WORDS.get(event.stage, event.stage))
        elif isinstance(event, SourceAcquired):
            self.bars.update(task, total=event.total, completed=event.index)
        elif isinstance(event, PlanMade):
            if event.reused:
                self.console.print(self.tally.reuse(), highlight=False)
            # With nothing to draw the bar is full, not forever waiting.
            self.bars.update(task, total=event.frames or 1, completed=0 if event.frames else 1)
        elif self.tally.total:
            self.bars.update(task, completed=self.tally.done)
        self.bars.update(task, standing=self.tally.standing())


class _Standing(ProgressColumn):
    """The words after the bar."""

    def render(self, task: Task) -> Text:
        return Text(str(task.fields.get("standing", "")))


def _length(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"
