"""A part of a timeline as a timeline of its own: what is drawn and heard in it stays the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from renderer.errors import Fault
from renderer.spec.clips import Trim
from renderer.spec.values import to_time
from renderer.timebase import SAMPLE_RATE, Span, clock_text, frame_to_sample
from renderer.timeline import Element, Layer, Shown, Timeline


def window_of(wanted: Trim, length: int, fps: Fraction) -> Span:
    """The frames of `output.range` in a video of `length` frames; its end when `to` is not said."""
    start = to_time(wanted.from_).to_frames(fps)
    end = length if wanted.to is None else to_time(wanted.to).to_frames(fps)
    return Span(start, max(start, end))


def window_faults(window: Span, length: int, fps: Fraction) -> Iterator[Fault]:
    """What is wrong with a window into a video of `length` frames."""
    path = ("output", "range")
    if max(window.start, window.end) > length:
        words = f"the range ends after the video, which is {clock_text(length / fps)} long"
        yield Fault(code="range-outside", path=path, message=words, hint="choose a part inside")
    elif not window.length:
        words = "there is not one frame in the range"
        yield Fault(code="range-empty", path=path, message=words, hint='"to" must be after "from"')


def windowed(timeline: Timeline, window: Span) -> Timeline:
    """Only the frames of `window`, which become frames 0 and on; the sound that goes with them.

    Elements keep their own time, so a segment that lies within keeps its key.
    """
    fps, thumbnail = timeline.canvas.fps, timeline.thumbnail_frame - window.start
    layers = (layer for layer in timeline.layers if layer.span.overlaps(window))
    return replace(
        timeline,
        length=window.length,
        layers=tuple(_moved(layer, window) for layer in layers),
        sound=replace(timeline.sound, skip=frame_to_sample(window.start, fps, SAMPLE_RATE)),
        captions=tuple(
            replace(caption, span=caption.span.clamped(window).shifted(-window.start))
            for caption in timeline.captions
            if caption.span.overlaps(window)
        ),
        thumbnail_frame=thumbnail if 0 <= thumbnail < window.length else window.length // 3,
    )


def _moved(layer: Layer, window: Span) -> Layer:
    back = -window.start
    span = layer.span.clamped(window).shifted(back)
    if isinstance(layer, Shown):
        return replace(layer, span=span, element=_earlier(layer.element, back))
    before, after = _earlier(layer.before, back), _earlier(layer.after, back)
    return replace(layer, span=span, before=before, after=after, start=layer.start + back)


def _earlier(element: Element, frames: int) -> Element:
    return replace(element, span=element.span.shifted(frames))
