"""Where the timeline is cut: at every change of what is seen, and at a steady length between.

Cuts depend on the timeline alone, never on the machine. A stretch in which nothing moves is
cut from its own start, so that its pieces are equal; a moving stretch is cut on the grid of
its lowest moving clip, so that a title above it does not shift the cuts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from renderer.graph.video import is_full, loop_parts, moves
from renderer.timebase import Span, round_half_up
from renderer.timeline import Blend, Canvas, Layer, Shown, Timeline, VideoPicture

STILL_SECONDS = 8
"""Length of the pieces of a stretch in which nothing moves."""
MOVING_SECONDS = 6
"""Length of the pieces of a stretch in which something moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of the timeline drawn on its own, with the layers that can be seen."""

    span: Span
    layers: tuple[Layer, ...]


def cut(timeline: Timeline, *, whole: bool = False) -> tuple[Segment, ...]:
    """The segments of a timeline, in order, without gaps. `whole` leaves it in one piece."""
    everything = Span(0, timeline.length)
    if whole:
        return (Segment(span=everything, layers=timeline.layers),)
    edges = sorted({0, timeline.length, *_edges(timeline)})
    pieces = []
    for start, end in pairwise(edges):
        stretch = Span(start, end)
        layers = _visible(timeline.layers, stretch, timeline.canvas)
        pieces += [Segment(span=p, layers=layers) for p in _pieces(stretch, layers, timeline)]
    return tuple(pieces)


def _edges(timeline: Timeline) -> list[int]:
    edges = []
    for layer in timeline.layers:
        edges += [layer.span.start, layer.span.end]
        if isinstance(layer, Shown):
            element = layer.element
            inner = [
                element.span.start + element.enter.length,
                element.span.end - element.exit.length,
            ]
            if isinstance(element.picture, VideoPicture) and element.picture.loop_frames:
                local = layer.span.shifted(-element.span.start)
                parts = loop_parts(element.picture, local)
                inner += [part.start + element.span.start for part in parts]
            edges += [edge for edge in inner if layer.span.start < edge < layer.span.end]
    return [edge for edge in edges if 0 <= edge <= timeline.length]


def _visible(layers: tuple[Layer, ...], stretch: Span, canvas: Canvas) -> tuple[Layer, ...]:
    seen = [layer for layer in layers if layer.span.overlaps(stretch)]
    for index in range(len(seen) - 1, 0, -1):
        if is_full(seen[index], canvas):
            return tuple(seen[index:])
    return tuple(seen)


def _pieces(stretch: Span, layers: tuple[Layer, ...], timeline: Timeline) -> list[Span]:
    fps = timeline.canvas.fps
    moving = [layer for layer in layers if moves(layer, stretch)]
    size = round_half_up((MOVING_SECONDS if moving else STILL_SECONDS) * fps)
    anchor = _anchor(moving[0], stretch) if moving else stretch.start
    first = stretch.start + (-(stretch.start - anchor)) % size
    grid = [edge for edge in range(first, stretch.end, size) if edge > stretch.start]
    if moving:
        # No slivers: a cut next to an edge costs a process and saves nothing.
        grid = [e for e in grid if min(e - stretch.start, stretch.end - e) >= size // 4]
    edges = [stretch.start, *grid, stretch.end]
    return [Span(a, b) for a, b in pairwise(edges)]


def _anchor(layer: Layer, stretch: Span) -> int:
    if isinstance(layer, Blend):
        return layer.start
    element = layer.element
    if isinstance(element.picture, VideoPicture) and element.picture.loop_frames:
        rounds = (stretch.start - element.span.start) // element.picture.loop_frames
        return element.span.start + rounds * element.picture.loop_frames
    return element.span.start
