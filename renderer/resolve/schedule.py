"""When things happen: a span of whole frames for every clip, or what is wrong with the times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from graphlib import CycleError

from renderer.errors import Fault
from renderer.resolve.slots import Natural, Slot, misplaced, slots_of
from renderer.resolve.times import TOTAL, Node, Times
from renderer.spec.clips import AudioClip
from renderer.spec.model import VideoSpec
from renderer.timebase import Span, clock_text, round_half_up

_FORGIVEN_FRAMES = Fraction(1, 2)
"""How much longer than its source a clip may be: what rounding to frames can make of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The outcome: a span for every slot, the length of the video, and what was wrong."""

    slots: tuple[Slot, ...]
    spans: tuple[Span, ...]
    total: int
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()


def schedule(spec: VideoSpec, fps: Fraction, natural: Natural) -> Schedule:
    """Decide every start and length. Faults are returned, not raised."""
    slots, faults = slots_of(spec, fps, natural)
    times = Times(spec, tuple(slots), fps)
    faults += times.unknown_references()
    if faults:
        return Schedule(slots=tuple(slots), spans=(), total=0, faults=tuple(faults))
    try:
        values = times.evaluate()
    except CycleError as error:
        fault = times.cycle_fault(error.args[1])
        return Schedule(slots=tuple(slots), spans=(), total=0, faults=(fault,))
    return _checked(times, values)


def _checked(times: Times, values: Mapping[Node, Fraction]) -> Schedule:
    total = round_half_up(values[TOTAL])
    spans = tuple(_span(number, values) for number in range(len(times.slots)))
    faults: list[Fault] = []
    for number, (slot, span) in enumerate(zip(times.slots, spans, strict=True)):
        faults += _time_faults(times.fps, slot, span, values["length", number])
    slots = _with_overlaps(times.slots, spans)
    faults += _neighbour_faults(times.fps, slots, spans)
    if total <= 0 and not faults:
        faults.append(_no_duration())
    late = [s.name for s, span in zip(slots, spans, strict=True) if span.start >= total > 0]
    warnings = tuple(f"{name} begins after the video ends and is left out" for name in late)
    return Schedule(slots=slots, spans=spans, total=total, faults=tuple(faults), warnings=warnings)


def _span(number: int, values: Mapping[Node, Fraction]) -> Span:
    """The clip's edges, each rounded once: what ends here and what begins here agree."""
    start, end = round_half_up(values["start", number]), round_half_up(values["end", number])
    return Span(start, max(start, end))


def _with_overlaps(slots: Sequence[Slot], spans: Sequence[Span]) -> tuple[Slot, ...]:
    """Transitions with the whole frames they really have between the rounded edges."""

    def fitted(slot: Slot, span: Span) -> Slot:
        if slot.join is None:
            return slot
        overlap = spans[slot.previous].end - span.start
        return replace(slot, join=replace(slot.join, length=overlap))

    return tuple(fitted(slot, span) for slot, span in zip(slots, spans, strict=True))


def _no_duration() -> Fault:
    return Fault(
        code="no-duration",
        path=("tracks",),
        message="nothing says how long the video is",
        hint='give a clip a length, or set "output.duration"',
    )


def _time_faults(fps: Fraction, slot: Slot, span: Span, length: Fraction) -> Iterator[Fault]:
    if span.start < 0 and not slot.join:  # else the transition is too long, and that is told
        yield Fault(
            code="starts-before-zero",
            path=(*slot.path, "start") if slot.clip.start != "auto" else slot.path,
            message=f"{slot.name} would begin {clock_text(-span.start / fps)} before the video",
            hint="start it later or make it shorter",
        )
    if span.length <= 0:
        yield Fault(
            code="too-short",
            path=(*slot.path, "length"),
            message=f"{slot.name} is shorter than one frame ({clock_text(1 / fps)})",
            hint="give it a length of at least one frame",
        )
    elif slot.is_bounded and length > slot.natural + _FORGIVEN_FRAMES:
        yield Fault(
            code="longer-than-source",
            path=(*slot.path, "length"),
            message=(
                f"{slot.name} asks for {clock_text(length / fps)} but its source "
                f"gives {clock_text(slot.natural / fps)}"
            ),
            hint='shorten "length", lower "speed", or set "loop: true"',
        )


def _neighbour_faults(
    fps: Fraction, slots: Sequence[Slot], spans: Sequence[Span]
) -> Iterator[Fault]:
    for slot, span in zip(slots, spans, strict=True):
        if slot.previous < 0:
            continue
        before, span_before = slots[slot.previous], spans[slot.previous]
        overlap = span_before.end - span.start
        if slot.join:
            yield from _join_faults(slot, before, min(span.length, span_before.length))
            inside = slot.join.length + (before.join.length if before.join else 0)
            if before.join and inside > span_before.length:
                yield _too_long(slot, f"{before.name} is shorter than its two transitions together")
        elif overlap > 0:
            yield Fault(
                code="clips-overlap",
                path=(*slot.path, "start"),
                message=(
                    f"{slot.name} begins {clock_text(overlap / fps)} before "
                    f"{before.name} has ended, on the same track"
                ),
                hint="put it on a track of its own, or join the two with a transition",
            )


def _join_faults(slot: Slot, before: Slot, shorter: int) -> Iterator[Fault]:
    if slot.join is None:
        return
    if isinstance(slot.clip, AudioClip) != isinstance(before.clip, AudioClip):
        yield misplaced(slot.join.path, "it joins sound to a picture")
    if slot.clip.start != "auto":
        yield Fault(
            code="clips-overlap",
            path=(*slot.path, "start"),
            message=f"{slot.name} follows a transition, which already says when it begins",
            hint='leave "start" out',
        )
    elif slot.join.length <= 0:
        yield _too_long(slot, "it is shorter than one frame")
    elif slot.join.length > shorter:
        yield _too_long(slot, f"it is longer than {slot.name} or {before.name}")


def _too_long(slot: Slot, reason: str) -> Fault:
    path = slot.join.path if slot.join else slot.path
    return Fault(
        code="transition-length",
        path=(*path, "length"),
        message=f"the transition into {slot.name} does not fit: {reason}",
        hint="shorten the transition or lengthen the clips",
    )
