"""What the models cannot say: limits, ids, references. Faults as values, in document order."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from renderer.errors import Fault, Path
from renderer.limits import Limits, over_limit
from renderer.spec.asset import AssetSpec, asset_faults
from renderer.spec.clips import AudioClip, PointAt, TextClip
from renderer.spec.model import Film, LongformSpec, ModuleSpec, Spec, Track, VideoSpec
from renderer.spec.output import VideoOutput
from renderer.spec.style import STYLE_NAMES, TextStyle
from renderer.spec.suggest import did_you_mean
from renderer.spec.topic import TopicSpec
from renderer.spec.values import to_relation, to_size, to_time
from renderer.spec.variants import cuts_of, relocated, variant_faults
from renderer.timebase import clock_text, parse_rate

MAX_BACKGROUNDS = 4
_SEALED = frozenset({
    "manifest.json", "statement.intoto.json", "sha256sums", "bundle.zip", "spec.json", "lock.json",
})  # fmt: skip
"""Files of a bundle that no module writes."""


def check(spec: Spec, limits: Limits) -> list[Fault]:
    """Everything wrong with a well-formed spec, before any source is looked at."""
    if isinstance(spec, ModuleSpec):
        return list(_module_faults(spec))
    faults = list(_brand_faults(spec))
    if isinstance(spec, AssetSpec):
        return faults + list(asset_faults(spec))
    if isinstance(spec, TopicSpec):
        return faults + list(_output_faults(spec.output, limits))
    faults += _film_faults(spec, limits)
    return faults + (_cut_faults(spec, limits, faults) if isinstance(spec, VideoSpec) else [])


def _cut_faults(spec: VideoSpec, limits: Limits, known: list[Fault]) -> list[Fault]:
    """What is wrong with the variants of a video alone."""
    faults = [*variant_faults(spec)]
    for name, cut in cuts_of(spec):
        found = (fault for fault in _film_faults(cut, limits) if fault not in known)
        faults += dict.fromkeys(relocated(fault, name, spec) for fault in found)
    return faults


def _film_faults(spec: Film, limits: Limits) -> list[Fault]:
    faults = list(_output_faults(spec.output, limits))
    if isinstance(spec, LongformSpec):
        return faults + _longform_faults(spec)
    faults += _count_faults(spec, limits)
    faults += _clip_faults(spec, limits)
    faults += _reference_faults(spec)
    return faults


def _brand_faults(spec: Spec) -> Iterator[Fault]:
    if spec.brand is not None:  # whoever reads kits has applied it and taken it out
        message, hint = "brand kits are not read here", "write its colours and styles out"
        yield Fault(code="brand-not-read", path=("brand",), message=message, hint=hint)


def check_length(spec: Film, seconds: Fraction, limits: Limits) -> list[Fault]:
    """Whether a video of `seconds`, as resolved from its sources, is too long."""
    if seconds <= limits.max_duration_s:
        return []
    path: Path = ("audio",) if isinstance(spec, LongformSpec) else ("tracks",)
    what = f"a video of {clock_text(seconds)}"
    message = over_limit(what, "max_duration_s", limits.max_duration_s)
    hint = 'shorten the clips, or set "output.duration"'
    return [Fault(code="over-limit", path=path, message=message, hint=hint)]


def _output_faults(output: VideoOutput, limits: Limits) -> Iterator[Fault]:
    width, height = to_size(output.size)
    if width % 2 or height % 2 or min(width, height) < 16:
        message = f"{width}x{height} will not do: both sides must be even and at least 16"
        yield Fault(code="bad-size", path=("output", "size"), message=message)
    if width * height > limits.max_pixels:
        message = over_limit(f"{width}x{height}", "max_pixels", limits.max_pixels)
        yield Fault(code="over-limit", path=("output", "size"), message=message)
    rate = parse_rate(output.fps)
    if rate < 1:
        message = f"{output.fps} is less than the minimum of one frame a second"
        yield Fault(code="out-of-range", path=("output", "fps"), message=message)
    if rate > limits.max_fps:
        message = over_limit(f"{output.fps} frames a second", "max_fps", limits.max_fps)
        yield Fault(code="over-limit", path=("output", "fps"), message=message)
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


def _reference_faults(spec: VideoSpec) -> Iterator[Fault]:
    """Names that nothing has: of clips, tracks and styles."""
    clips = {str(item.id) for _, item in items_of(spec) if getattr(item, "id", None)}
    tracks = {track.id for track in spec.tracks if track.id}
    for number, track in enumerate(spec.tracks):
        yield from _duck_faults(track.duck_under, ("tracks", number), track, tracks)
    for path, item in items_of(spec):
        for where, name in _pointers(item):
            if name not in clips:
                message = f'no clip has the id "{name}"'
                hint = did_you_mean(name, clips)
                yield Fault(code="unknown-clip", path=(*path, *where), message=message, hint=hint)
        track = spec.tracks[int(path[1])]
        if isinstance(item, AudioClip):
            yield from _duck_faults(item.duck_under, path, track, tracks)
        if isinstance(item, TextClip):
            yield from _style_faults(item.style, (*path, "style"), spec)


def _pointers(item: Any) -> Iterator[tuple[Path, str]]:
    """The clips an item points at: where it says so, and the id."""
    for field in ("start", "length"):
        when = getattr(item, field, None)
        if isinstance(when, PointAt):
            yield from ((("start", "after"), name) for name in (when.after,) if name)
            yield from ((("start", "with"), name) for name in (when.with_,) if name)
        elif isinstance(when, str):
            relation = to_relation(when)
            if relation and relation.clip:
                yield (field,), relation.clip


def _duck_faults(name: str | None, path: Path, track: Track, tracks: set[str]) -> Iterator[Fault]:
    if name is None or (name in tracks and name != track.id):
        return
    message, hint = f'no track has the id "{name}"', did_you_mean(name, tracks)
    if name == track.id:
        message, hint = "a track cannot duck under itself", "name the track of the voice"
    yield Fault(code="unknown-track", path=(*path, "duck_under"), message=message, hint=hint)


def _style_faults(style: str | TextStyle, path: Path, spec: VideoSpec) -> Iterator[Fault]:
    known = {*STYLE_NAMES, *spec.styles}
    if isinstance(style, str) and style not in known:
        message = f'no text style is called "{style}"'
        hint = did_you_mean(style, known) or "styles: " + ", ".join(sorted(known))
        yield Fault(code="unknown-style", path=path, message=message, hint=hint)


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


def _module_faults(spec: ModuleSpec) -> Iterator[Fault]:
    """Files that would be one file, and files without a place."""
    labels: dict[str, Path] = {}
    assets: dict[str, Path] = {}
    if not spec.outputs:
        yield _fault("module-no-output", "outputs", "a module needs at least one output")
    for name in sorted(spec.inputs.keys() & spec.params.keys()):
        message = f"{name} is an input and a parameter; one file names them both"
        yield Fault(code="duplicate-id", path=("params", name), message=message, at_key=True)
    for name, output in spec.outputs.items():
        path: Path = ("outputs", name)
        yield from _twice(f"file {output.label.casefold()}", (*path, "label"), labels)
        if output.label.casefold() in _SEALED:
            message = f"{output.label} is a name that Reelkiln keeps for itself"
            yield Fault(code="module-output-name", path=(*path, "label"), message=message)
        if output.asset:
            yield from _twice(f"asset {output.asset}", (*path, "asset"), assets)


def _fault(code: str, field: str, message: str) -> Fault:
    return Fault(code=code, path=(field,), message=message)
