"""load: bytes -> Spec. Every fault of a document at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from renderer.digest import digest_of
from renderer.errors import Fault, Path, Rejected, SpecInvalid
from renderer.inputs import SourceUse
from renderer.limits import Limits, over_limit
from renderer.longform import count_faults
from renderer.media import MediaKind
from renderer.spec import clips, model, style
from renderer.spec.clips import AudioClip, ImageClip, PointAt, TextClip, VideoClip
from renderer.spec.document import Document, parse_document
from renderer.spec.faults import faults_from_pydantic
from renderer.spec.model import LongformSpec, Spec, VideoBackground, VideoSpec, canonical_spec
from renderer.spec.values import to_colour, to_size, to_time
from renderer.spec.variables import substitute
from renderer.timebase import parse_rate

_ADAPTER: TypeAdapter[Spec] = TypeAdapter(model.Document)
_PICTURE = frozenset({MediaKind.VIDEO})
_SOUND = frozenset({MediaKind.AUDIO, MediaKind.VIDEO})
_STILL = frozenset({MediaKind.IMAGE})
_FONT = frozenset({MediaKind.FONT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A spec with the document it came from, so that later faults find their place."""

    spec: Spec
    document: Document
    id: str

    @property
    def digest(self) -> str:
        """`spec_digest`: of the canonical document, defaults filled, variables in place."""
        return digest_of(self.canonical())

    def canonical(self) -> Mapping[str, Any]:
        """The spec as canonical plain JSON."""
        return {**canonical_spec(self.spec), "id": self.id}

    def located(self, error: Rejected) -> Rejected:
        """The same refusal with positions and excerpts."""
        faults = [self.document.locate(fault) for fault in error.faults]
        return error.with_faults(faults, self.document.name)


def load(
    data: bytes,
    *,
    name: str,
    limits: Limits | None = None,
    variables: Mapping[str, Any] | None = None,
) -> Loaded:
    """Read, fill in, validate and check a document. Raises SpecInvalid with all faults."""
    limits = limits or Limits()
    document = parse_document(data, name=name, limits=limits)
    value, faults = substitute(document.value, variables or {})
    spec: Spec | None = None
    try:
        spec = _ADAPTER.validate_python(value)
    except ValidationError as error:
        faults += faults_from_pydantic(error, value, _FIELDS)
    if spec is not None:
        faults += _check(spec, limits)
    if faults or spec is None:
        raise SpecInvalid([document.locate(f) for f in faults], document=document.name)
    stem = name.replace("\\", "/").rpartition("/")[2].split(".")[0] or "reel"
    return Loaded(spec=spec, document=document, id=spec.id or _slug(stem))


def sources_of(spec: Spec) -> tuple[SourceUse, ...]:
    """Every source the spec names, with what it must be and where it is named."""
    return tuple(_longform_uses(spec) if isinstance(spec, LongformSpec) else _video_uses(spec))


def _video_uses(spec: VideoSpec) -> Iterator[SourceUse]:
    for index, font in enumerate(spec.fonts):
        yield SourceUse(source=font, expected=_FONT, path=("fonts", index))
    for path, item in _items(spec):
        if isinstance(item, VideoClip):
            yield SourceUse(source=item.video, expected=_PICTURE, path=(*path, "video"))
        elif isinstance(item, ImageClip):
            yield SourceUse(source=item.image, expected=_STILL, path=(*path, "image"))
        elif isinstance(item, AudioClip):
            yield SourceUse(source=item.audio, expected=_SOUND, path=(*path, "audio"))


def _longform_uses(spec: LongformSpec) -> Iterator[SourceUse]:
    for index, background in enumerate(spec.backgrounds):
        path: Path = ("backgrounds", index)
        if isinstance(background, VideoBackground):
            yield SourceUse(source=background.video, expected=_PICTURE, path=(*path, "video"))
        else:
            yield SourceUse(source=background.image, expected=_STILL, path=(*path, "image"))
    for index, piece in enumerate(spec.audio):
        yield SourceUse(source=piece.audio, expected=_SOUND, path=("audio", index, "audio"))


def _items(spec: VideoSpec) -> Iterator[tuple[Path, Any]]:
    for number, track in enumerate(spec.tracks):
        for index, item in enumerate(track.clips):
            yield ("tracks", number, "clips", index), item


def _check(spec: Spec, limits: Limits) -> list[Fault]:
    faults = list(_output_faults(spec, limits))
    if isinstance(spec, LongformSpec):
        return faults + count_faults(spec)
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
    for path, item in _items(spec):
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


def _slug(stem: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "-" for c in stem)
    return kept.strip("-_.")[:60] or "reel"


def _fields() -> frozenset[str]:
    names = set()
    for module in (clips, model, style):
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, BaseModel):
                names |= {f.alias or name for name, f in thing.model_fields.items()}
    return frozenset(names)


_FIELDS = _fields()
