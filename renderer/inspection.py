"""What a render will be, as data to look at: tracks, clips, gaps, cuts and cost. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

from renderer.errors import Path
from renderer.explain import Explained
from renderer.inputs import Inputs
from renderer.spec.model import Film, VideoSpec
from renderer.timebase import SAMPLE_RATE, Span, clock_text
from renderer.timeline import (
    Blend,
    ColourPicture,
    Element,
    GradientPicture,
    Layer,
    Picture,
    SoundTrack,
    StillPicture,
    TextPicture,
    Timeline,
    VideoPicture,
)

_KINDS: tuple[tuple[type, str], ...] = (
    (VideoPicture, "video"), (StillPicture, "image"), (TextPicture, "text"),
    (ColourPicture, "colour"), (GradientPicture, "gradient"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something on a track. `start` and `end` in frames, those of sounds rounded outwards.

    `kind` is video, image, text, colour, gradient, sound, transition or gap; `pointer` leads to
    the clip in the spec.
    """

    kind: str
    name: str
    start: int
    end: int
    pointer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One track, `name` as in the spec; a track that is `heard` has sounds alone."""

    name: str
    items: tuple[Item, ...]
    heard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a render would do now: frames drawn, reused or repeated, and pixels drawn."""

    frames_drawn: int
    frames_reused: int
    frames_repeated: int
    pixels_drawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A timeline to look at: lanes bottom layer first, then those heard; `length` in frames."""

    spec_id: str
    size: tuple[int, int]
    fps: Fraction
    length: int
    lanes: tuple[Lane, ...]
    segments: tuple[Explained, ...]
    markers: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    cost: Cost = field(
        default_factory=lambda: Cost(
            frames_drawn=0, frames_reused=0, frames_repeated=0, pixels_drawn=0
        )
    )

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; rates as text, spans in frames and on the clock."""
        return {
            "id": self.spec_id,
            "size": f"{self.size[0]}x{self.size[1]}",
            "fps": f"{self.fps.numerator}/{self.fps.denominator}",
            "frames": self.length,
            "duration": clock_text(self.length / self.fps),
            "tracks": [
                {"id": lane.name, "items": [asdict(item) for item in lane.items]}
                for lane in self.lanes
            ],
            "markers": [{"name": name, "frame": frame} for name, frame in self.markers],
            "segments": [row.as_json() for row in self.segments],
            "cost": asdict(self.cost),
            "warnings": list(self.warnings),
        }


def inspect(
    spec_id: str, spec: Film, inputs: Inputs, timeline: Timeline, explained: Sequence[Explained]
) -> Inspection:
    """The inspection of a resolved timeline and what its plan would do."""
    canvas = timeline.canvas
    files = {pin.sha256: source.rpartition("/")[2] for source, pin in inputs.pins.items()}
    sounds = [_sound_lane(track, canvas.fps, files) for track in timeline.sound.tracks]
    return Inspection(
        spec_id=spec_id,
        size=canvas.size,
        fps=canvas.fps,
        length=timeline.length,
        lanes=(*_picture_lanes(spec, timeline, files), *sounds),
        segments=tuple(explained),
        markers=(("thumbnail", timeline.thumbnail_frame),),
        warnings=timeline.warnings,
        cost=_cost(explained, canvas.size[0] * canvas.size[1]),
    )


def _picture_lanes(spec: Film, timeline: Timeline, files: Mapping[str, str]) -> list[Lane]:
    by_track: dict[Path, list[Layer]] = {}
    for layer in timeline.layers:
        by_track.setdefault(_element(layer).path[:2], []).append(layer)
    lanes = []
    for path, layers in sorted(by_track.items(), key=lambda found: _place(found[0])):
        items = [item for layer in layers for item in _items(layer, files)]
        name = _track_name(spec, path)
        lanes.append(Lane(name=name, items=_with_gaps(items, timeline.length)))
    return lanes


def _element(layer: Layer) -> Element:
    return layer.before if isinstance(layer, Blend) else layer.element


def _place(path: Path) -> tuple[str, int]:
    return str(path[0]), path[1] if len(path) > 1 and isinstance(path[1], int) else 0


def _track_name(spec: Film, path: Path) -> str:
    index = path[1] if len(path) > 1 else 0
    if isinstance(spec, VideoSpec) and isinstance(index, int):
        return spec.tracks[index].id or f"track {index + 1}"
    return "backgrounds"  # of a longform


def _items(layer: Layer, files: Mapping[str, str]) -> list[Item]:
    if isinstance(layer, Blend):
        span = layer.span
        return [Item(kind="transition", name=layer.transition, start=span.start, end=span.end)]
    element, span = layer.element, layer.span
    kind, name, where = _kind(element.picture), _words(element, files), _pointer(element.path)
    return [Item(kind=kind, name=name, start=span.start, end=span.end, pointer=where)]


def _kind(picture: Picture) -> str:
    return next(name for type_, name in _KINDS if isinstance(picture, type_))


def _words(element: Element, files: Mapping[str, str]) -> str:
    picture = element.picture
    if isinstance(picture, TextPicture):
        return " ".join(line.text for line in picture.block.lines) or element.name
    if isinstance(picture, (VideoPicture, StillPicture)):
        return _named(element.name, files.get(picture.sha256, ""))
    return "" if element.name.endswith("]") else element.name


def _named(name: str, file: str) -> str:
    """The id of a clip, else the file it shows: a clip without an id is called by its place."""
    return file if file and name.endswith("]") else name


def _pointer(path: Path) -> str:
    return "".join(f"/{part}" for part in path)


def _with_gaps(items: Sequence[Item], length: int) -> tuple[Item, ...]:
    """The items in order, and where nothing of the track is seen."""
    ordered, found, at = sorted(items, key=lambda item: (item.start, item.end)), [], 0
    for item in ordered:
        if item.start > at:
            found.append(Item(kind="gap", name="", start=at, end=item.start))
        found.append(item)
        at = max(at, item.end)
    if at < length:
        found.append(Item(kind="gap", name="", start=at, end=length))
    return tuple(found)


def _sound_lane(track: SoundTrack, fps: Fraction, files: Mapping[str, str]) -> Lane:
    items = tuple(
        Item(
            kind="sound", name=_named(piece.name, files.get(piece.sha256, "")),
            start=_frame(piece.start, fps, up=False), end=_frame(piece.end, fps, up=True),
        )
        for piece in track.pieces
    )  # fmt: skip
    return Lane(name=f"{track.name} (sound)", items=items, heard=True)


def _frame(sample: int, fps: Fraction, *, up: bool) -> int:
    exact = sample * fps / SAMPLE_RATE
    return -(-exact.numerator // exact.denominator) if up else int(exact)


def _cost(explained: Sequence[Explained], pixels: int) -> Cost:
    frames = {"run": 0, "reuse": 0, "repeat": 0}
    for row in explained:
        frames[row.action] += row.span.length
    return Cost(
        frames_drawn=frames["run"],
        frames_reused=frames["reuse"],
        frames_repeated=frames["repeat"],
        pixels_drawn=frames["run"] * pixels,
    )


def as_text(found: Inspection) -> str:
    """The inspection as lines for a terminal."""
    rate = clock_text(found.length / found.fps)
    lines = [f"{found.spec_id}  {found.size[0]}x{found.size[1]}  {found.fps} fps  {rate}"]
    for lane in found.lanes:
        lines.append(f"\n{lane.name}")
        lines += [_line(item, found.fps) for item in lane.items]
    lines.append("\nsegments")
    lines += [
        f"  {row.index:4d}  {_span(row.span):>15}  {row.time:>10}  {row.action:7} {row.why}"
        for row in found.segments
    ]
    cost = found.cost
    lines.append(
        f"\n{cost.frames_drawn} frames to draw ({cost.pixels_drawn / 1e6:.0f} megapixels), "
        f"{cost.frames_reused} reused, {cost.frames_repeated} repeated"
    )
    lines += [f"warning: {warning}" for warning in found.warnings]
    return "\n".join(lines)


def _line(item: Item, fps: Fraction) -> str:
    start, end = clock_text(item.start / fps), clock_text(item.end / fps)
    words = item.name.replace("\n", " ")
    return f"  {start:>10} .. {end:<10} {item.kind:10} {words}".rstrip()


def _span(span: Span) -> str:
    return f"{span.start}..{span.end}"
