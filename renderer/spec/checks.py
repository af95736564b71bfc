"""What the models cannot say: limits, ids, references. Faults as values, in document order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from renderer.errors import Fault, Path
from renderer.limits import Limits, over_limit
from renderer.spec.clips import PointAt, TextClip
from renderer.spec.model import LongformSpec, Spec, VideoSpec
from renderer.spec.values import to_colour, to_size, to_time
from renderer.timebase import parse_rate

MAX_BACKGROUNDS = 4


def check(spec: Spec, limits: Limits) -> list[Fault]:
    """Everything wrong with a well-formed spec, before any source is looked at."""
    faults = list(_output_faults(spec, limits))
    if isinstance(spec, LongformSpec):
        return faults + _longform_faults(spec)
    return faults + list(_count_faults(spec, limits)) + list(_clip_faults(spec, limits))


def _output_faults(spec: Spec, limits: Limits) -> Iterator[Fault]:
    output = spec.output
    width, height = to_size(output.size)
    if width % 2 or height % 2 or min(width, height) < 16:
        message = f"{width}x{height} will not do: both sides must be even and at least 16"
        yield Fault(code="bad-size", path=("output", "size"), message=message)
    if width * height > limits.max_pixels:
        message = over_limit(f"{width}x{height}", "max_pixels", limits.max_pixels)
        yield Fault(code="over-limit", path=("output", "size"), message=message)
    rate = parse_rate(output.fps)
    if rate > limits.max_fps or rate < 1:
        message = over_limit(f"{output.fps} frames a second", "max_fps", limits.max_fps)
        yield Fault(code="over-limit", path=("output", "fps"), message=message)
    if to_colour(output.background) is None:
        message = f'"{output.background}" is not a colour'
        yield Fault(code="unknown-colour", path=("output", "background"), message=message)
    if output.duration is not None:
        seconds = to_time(output.duration).to_seconds(rate)
        if seconds > limits.max_duration_s:
            message = over_limit(f"{output.duration}", "max_duration_s", limits.max_duration_s)
            yield Fault(code="over-limit", path=("output", "duration"), message=message)


def _count_faults(spec: VideoSpec, limits: Limits) -> Iterator[Fault]:
    if len(spec.tracks) > limits.max_tracks:
        message = over_limit(f"{len(spec.tracks)} tracks", "max_tracks", limits.max_tracks)
        yield Fault(code="over-limit", path=("tracks",), message=message)
    clip_count = sum(len(track.clips) for track in spec.tracks)
    if clip_count > limits.max_clips:
        message = over_limit(f"{clip_count} clips", "max_clips", limits.max_clips)
        yield Fault(code="over-limit", path=("tracks",), message=message)


def _clip_faults(spec: VideoSpec, limits: Limits) -> Iterator[Fault]:
    seen: dict[str, Path] = {}
    for number, track in enumerate(spec.tracks):
        if track.id:
            yield from _twice(f"track {track.id}", ("tracks", number, "id"), seen)
    for path, item in items_of(spec):
        clip_id = getattr(item, "id", None)
        if clip_id:
            yield from _twice(f"clip {clip_id}", (*path, "id"), seen)
        start = getattr(item, "start", None)
        if isinstance(start, PointAt) and (start.after is None) == (start.with_ is None):
            message = 'say either "after" or "with"'
            yield Fault(code="bad-reference", path=(*path, "start"), message=message)
        if isinstance(item, TextClip) and len(item.text) > limits.max_text_characters:
            what = f"a text of {len(item.text)} characters"
            message = over_limit(what, "max_text_characters", limits.max_text_characters)
            yield Fault(code="over-limit", path=(*path, "text"), message=message)


def _twice(name: str, path: Path, seen: dict[str, Path]) -> Iterator[Fault]:
    if name in seen:
        message = f"the id of {name} is taken"
        yield Fault(code="duplicate-id", path=path, message=message, hint="choose another")
    seen[name] = path


def items_of(spec: VideoSpec) -> Iterator[tuple[Path, Any]]:
    """Every clip, transition and gap with its path, track by track."""
    for number, track in enumerate(spec.tracks):
        for index, item in enumerate(track.clips):
            yield ("tracks", number, "clips", index), item


def _longform_faults(spec: LongformSpec) -> list[Fault]:
    """What is wrong with the numbers of things, before any source is looked at."""
    faults = []
    if not spec.backgrounds:
        faults.append(_fault("longform-no-background", "backgrounds", "a background is needed"))
    if len(spec.backgrounds) > MAX_BACKGROUNDS:
        what = f"{len(spec.backgrounds)} backgrounds"
        message = f"{what} are more than the {MAX_BACKGROUNDS} a longform may have"
        faults.append(_fault("longform-backgrounds", "backgrounds", message))
    if not spec.audio:
        faults.append(_fault("longform-no-audio", "audio", "a piece of sound is needed"))
    return faults


def _fault(code: str, field: str, message: str) -> Fault:
    return Fault(code=code, path=(field,), message=message)
