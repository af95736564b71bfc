"""What the renderer says while it works: values handed to one `Listener`.

A progress bar, a job row, a server-sent event and a log line are all listeners.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The root of everything that can be heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted(Event):
    """One of the verbs of the pipeline begins: load, acquire, resolve, plan, run, seal."""

    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAcquired(Event):
    """A source is pinned. `index` counts from 1 to `total`."""

    source: str
    index: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMade(Event):
    """What there is to do: steps in all, steps already known, frames still to draw."""

    steps: int
    reused: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    """A step begins. `frames` is its share of the work (samples count as frames too)."""

    key: str
    title: str
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProgress(Event):
    """`frames_done` of the step's frames are drawn. Only ever grows."""

    key: str
    frames_done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """A step is done, or was `reused` from the store without running."""

    key: str
    title: str
    frames: int
    reused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned(Event):
    """Something the reader should know that does not stop the render."""

    code: str
    message: str


Listener = Callable[[Event], None]
"""Called from any thread, one event at a time."""


def ignore(event: Event) -> None:
    """The listener that does not listen."""
