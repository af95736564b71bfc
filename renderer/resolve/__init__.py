"""Spec + inputs -> timeline: the third verb. Every rounding and every default ends here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from renderer.errors import Fault, Path, SpecInvalid
from renderer.inputs import Inputs
from renderer.resolve.longform import lower
from renderer.resolve.picture import Pictures
from renderer.resolve.schedule import Schedule, schedule
from renderer.resolve.slots import Slot
from renderer.resolve.sound import sound_mix
from renderer.resolve.trim import source_part
from renderer.resolve.window import window_faults, window_of, windowed
from renderer.spec.clips import AudioClip, Clip, TextClip, VideoClip
from renderer.spec.model import Film, LongformSpec, VideoSpec
from renderer.spec.values import to_colour, to_size, to_time
from renderer.text.faces import FontBook
from renderer.timebase import Span, parse_rate
from renderer.timeline import Blend, Canvas, Caption, Element, Layer, Quality, Shown, Timeline

_CLIP_DEPTH = len(("tracks", 0, "clips", 0))
STILL_SECONDS = 5
"""How long a still or a text lasts when nothing says."""


def resolve(spec: Film, inputs: Inputs, fonts: FontBook) -> Timeline:
    """Decide when and where everything is. Raises SpecInvalid with every fault found."""
    fps = parse_rate(spec.output.fps)
    video = lower(spec, inputs, fps) if isinstance(spec, LongformSpec) else spec
    return _Resolver(video, inputs, fonts, fps).timeline()


@dataclass(frozen=True, slots=True)
class _Resolver:
    spec: VideoSpec
    inputs: Inputs
    fonts: FontBook
    fps: Fraction

    def timeline(self) -> Timeline:
        canvas = self._canvas()
        faults = self._trim_faults()
        plan = schedule(self.spec, self.fps, self._natural)
        trimmed = {fault.path[:_CLIP_DEPTH] for fault in faults}  # of unknown length, then
        faults += [f for f in plan.faults if f.path[:_CLIP_DEPTH] not in trimmed]
        if faults:
            raise SpecInvalid(faults)
        pictures = Pictures(self.spec, self.inputs, self.fonts, canvas)
        elements = self._elements(plan, pictures)
        sound, sound_faults = sound_mix(self.spec, self.inputs, plan, self.fps)
        if pictures.faults or sound_faults:
            raise SpecInvalid([*pictures.faults, *sound_faults])
        whole = Timeline(
            canvas=canvas,
            length=plan.total,
            layers=tuple(self._layers(plan, elements)),
            sound=sound,
            thumbnail_frame=self._thumbnail_frame(plan.total),
            captions=tuple(self._captions(plan)),
            warnings=(*plan.warnings, *pictures.warnings),
        )
        return self._wanted(whole)

    def _wanted(self, whole: Timeline) -> Timeline:
        """The part of the video that `output.range` asks for."""
        if self.spec.output.range is None:
            return whole
        window = window_of(self.spec.output.range, whole.length, self.fps)
        if faults := tuple(window_faults(window, whole.length, self.fps)):
            raise SpecInvalid(faults)
        return windowed(whole, window)

    def _canvas(self) -> Canvas:
        output = self.spec.output
        background = to_colour(output.background) or (0, 0, 0, 255)
        return Canvas(
            size=to_size(output.size),
            fps=self.fps,
            background=background,
            quality=Quality(output.quality),
        )

    def _natural(self, clip: Clip) -> tuple[Fraction, bool]:
        if not isinstance(clip, (VideoClip, AudioClip)):
            return STILL_SECONDS * self.fps, False
        part = source_part(clip, self.inputs, self.fps)
        return part.seconds / part.speed * self.fps, not clip.loop

    def _trim_faults(self) -> list[Fault]:
        faults: list[Fault] = []
        for path, clip in _clips(self.spec):
            if isinstance(clip, (VideoClip, AudioClip)):
                faults += source_part(clip, self.inputs, self.fps).faults(path)
        return faults

    def _elements(self, plan: Schedule, pictures: Pictures) -> dict[int, Element]:
        """Elements by slot number, for slots that are seen before the video ends."""
        return {
            number: pictures.element(slot, span.clamped(Span(0, plan.total)))
            for number, (slot, span) in enumerate(zip(plan.slots, plan.spans, strict=True))
            if self._is_seen(slot) and span.start < plan.total
        }

    def _is_seen(self, slot: Slot) -> bool:
        return not isinstance(slot.clip, AudioClip) and not self.spec.tracks[slot.track].hidden

    def _captions(self, plan: Schedule) -> Iterator[Caption]:
        """The words of tracks that are captions, also of hidden ones, in the order of time."""
        for slot, span in sorted(zip(plan.slots, plan.spans, strict=True), key=_by_start):
            shown = span.clamped(Span(0, plan.total))
            is_wanted = self.spec.tracks[slot.track].captions and shown.length
            if is_wanted and isinstance(slot.clip, TextClip):
                yield Caption(span=shown, text=slot.clip.text)

    def _layers(self, plan: Schedule, elements: dict[int, Element]) -> list[Layer]:
        leaving = {slot.previous: slot.join.length for slot in plan.slots if slot.join}
        layers: list[Layer] = []
        for number, element in elements.items():
            slot, span = plan.slots[number], plan.spans[number]
            entering = slot.join.length if slot.join else 0
            alone = Span(span.start + entering, span.end - leaving.get(number, 0))
            alone = alone.clamped(Span(0, plan.total))
            if slot.join:
                layers.append(_blend(slot, elements, number, plan))
            if alone.length:
                layers.append(Shown(span=alone, element=element))
        return layers

    def _thumbnail_frame(self, total: int) -> int:
        at = self.spec.output.thumbnail_at
        frame = total // 3 if at is None else to_time(at).to_frames(self.fps)
        return min(frame, total - 1)


def _by_start(placed: tuple[Slot, Span]) -> int:
    return placed[1].start


def _blend(slot: Slot, elements: dict[int, Element], number: int, plan: Schedule) -> Blend:
    if slot.join is None:
        raise ValueError(f"{slot.name} has no transition before it")
    start = plan.spans[number].start
    before = elements[slot.previous]
    whole = Span(start, start + slot.join.length)
    # The clip before is drawn to its natural end even when the video stops within the change.
    before = replace(before, span=plan.spans[slot.previous])
    after = replace(elements[number], span=plan.spans[number])
    return Blend(
        span=whole.clamped(Span(0, plan.total)),
        before=before,
        after=after,
        transition=slot.join.name,
        start=start,
        length=slot.join.length,
    )


def _clips(spec: VideoSpec) -> Sequence[tuple[Path, Clip]]:
    return [
        (("tracks", t, "clips", c), item)
        for t, track in enumerate(spec.tracks)
        for c, item in enumerate(track.clips)
        if not hasattr(item, "transition") and not hasattr(item, "gap")
    ]
