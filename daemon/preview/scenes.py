"""A spec as it was read at one time: what may be drawn of it, or why nothing may."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from daemon.crash import unexpected
from renderer.chart import ruler
from renderer.errors import ReelkilnError
from renderer.frames import frame_alone
from renderer.pipeline import Prepared, Renderer, Resolved
from renderer.plan import Plan, plan
from renderer.plan import segment_steps as segment_alone
from renderer.resolve.window import windowed
from renderer.spec.loading import Loaded, sources_of
from renderer.steps import Step, StepKind
from renderer.timebase import Span, clock_text
from renderer.timeline import Quality, Timeline

CHART_WIDTH = 1200
"""Pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One reading of the file, counted from 1: `resolved` in draft quality, or an `error`.

    `sources` are those the spec names, as it names them.
    """

    number: int
    resolved: Resolved | None = None
    error: Mapping[str, Any] | None = None
    sources: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What the page is told."""
        told: dict[str, Any] = {"number": self.number, "error": self.error, "film": None}
        if self.resolved:
            told["film"] = _film(self.resolved)
        return told


def read_scene(number: int, renderer: Renderer, load: Callable[[], Loaded]) -> Scene:
    """Read, check, pin and resolve. What is wrong becomes the scene's error, never an exception."""
    sources: tuple[str, ...] = ()
    try:
        loaded = load().drafted()
        sources = tuple(sorted({use.source for use in sources_of(loaded.spec)}))
        resolved = renderer.resolve(loaded)
    except ReelkilnError as error:
        return Scene(number=number, error=error.as_json(), sources=sources)
    except Exception as error:  # the watch goes on, and the page says what to report
        return Scene(number=number, error=unexpected(error).as_json(), sources=sources)
    return Scene(number=number, resolved=resolved, sources=sources)


def segment_steps(prepared: Prepared, number: int) -> tuple[Step, ...]:
    """The steps that draw segment `number`, it being the last. Raises IndexError."""
    return _leading_to(prepared.plan, prepared.plan.segment_steps[number])


def sound_steps(prepared: Prepared) -> tuple[Step, ...]:
    """The steps that mix the sound; none where nothing is heard."""
    return _leading_to(prepared.plan, prepared.plan.audio) if prepared.plan.audio else ()


def still_steps(timeline: Timeline, frame: int, toolchain: str) -> tuple[Step, ...]:
    """The steps that draw one frame without loss, and at last its picture. Raises IndexError."""
    canvas = replace(timeline.canvas, quality=Quality.LOSSLESS)
    if not 0 <= frame < timeline.length:
        raise IndexError(f"the film has no frame {frame}")
    made = plan(windowed(replace(timeline, canvas=canvas), Span(frame, frame + 1)), toolchain)
    grab = next(step for step in made.steps if step.kind is StepKind.GRAB_STILLS)
    return _leading_to(made, grab.key)


def head_steps(resolved: Resolved, toolchain: str) -> tuple[Step, ...]:
    """The steps that draw the first frame as a segment: its head is that of all segments."""
    return segment_alone(resolved.timeline, frame_alone(resolved.timeline, 0), toolchain)


def _leading_to(made: Plan, key: str) -> tuple[Step, ...]:
    by_key, needed, waiting = made.by_key, set[str](), [key]
    while waiting:
        step = by_key[waiting.pop()]
        needed.add(step.key)
        waiting += [need for need in step.needs if need not in needed]
    return tuple(step for step in made.steps if step.key in needed)


def _film(resolved: Resolved) -> dict[str, Any]:
    timeline = resolved.timeline
    fps, (width, height) = timeline.canvas.fps, timeline.canvas.size
    left, right = ruler(CHART_WIDTH)
    return {
        "id": resolved.loaded.id,
        "width": width,
        "height": height,
        "fps": [fps.numerator, fps.denominator],
        "frames": timeline.length,
        "duration": clock_text(timeline.length / fps),
        "warnings": list(timeline.warnings),
        "ruler": [left / CHART_WIDTH, right / CHART_WIDTH],
    }
