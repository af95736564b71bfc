"""Which part of a source a clip uses, exactly, in seconds of the source's own clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from renderer.errors import Fault, Path
from renderer.inputs import Inputs
from renderer.media import MediaInfo
from renderer.spec.clips import AudioClip, VideoClip
from renderer.spec.origins import source_key
from renderer.spec.values import to_time
from renderer.timebase import clock_text, exact

_TOLERANCE = Fraction(1, 20)
"""Seconds a trim may reach past the end: containers and players disagree by about a frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePart:
    """From `from_` up to `to` seconds of a source that lasts `available`."""

    from_: Fraction
    to: Fraction
    available: Fraction
    speed: Fraction

    @property
    def seconds(self) -> Fraction:
        """Source time used; never past the source's end, never negative."""
        return max(Fraction(0), min(self.to, self.available) - self.from_)

    def faults(self, path: Path) -> Iterator[Fault]:
        """What is wrong with the trim, as faults below the clip at `path`."""
        if self.from_ >= self.available:
            yield _outside((*path, "trim", "from"), self.from_, self.available)
        elif self.to <= self.from_:
            yield Fault(
                code="trim-empty",
                path=(*path, "trim", "to"),
                message=f"the part ends at {clock_text(self.to)}, before it begins",
                hint='"to" must be later than "from"',
            )
        elif self.to > self.available + _TOLERANCE:
            yield _outside((*path, "trim", "to"), self.to, self.available)


def source_part(clip: VideoClip | AudioClip, inputs: Inputs, fps: Fraction) -> SourcePart:
    """The part of its source that `clip` uses."""
    source = source_key(clip.video if isinstance(clip, VideoClip) else clip.audio)
    available = available_seconds(inputs.media(source), picture=isinstance(clip, VideoClip))
    from_, to = Fraction(0), available
    if clip.trim is not None:
        from_ = to_time(clip.trim.from_).to_seconds(fps)
        to = to_time(clip.trim.to).to_seconds(fps) if clip.trim.to is not None else available
    return SourcePart(from_=from_, to=to, available=available, speed=exact(clip.speed))


def available_seconds(media: MediaInfo, *, picture: bool) -> Fraction:
    """How long the picture (or the sound) lasts, from the container's zero."""
    stream = media.video if picture else media.audio
    if stream is None:
        return Fraction(0)
    return stream.start + stream.duration - media.start


def _outside(path: Path, wanted: Fraction, available: Fraction) -> Fault:
    return Fault(
        code="trim-outside",
        path=path,
        message=f"{clock_text(wanted)} is past the end of the source, {clock_text(available)}",
        hint="choose a time inside the source",
    )
