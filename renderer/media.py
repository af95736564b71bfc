"""What a media file turned out to be: types only; `probe.probe` fills them in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

Size = tuple[int, int]
"""(width, height) in pixels."""


_HDR_TRANSFERS = {"16": "pq", "smpte2084": "pq", "18": "hlg", "arib-std-b67": "hlg"}


class MediaKind(StrEnum):
    """What a file can be used as."""

    VIDEO = "video"  # has a moving picture, may have sound
    IMAGE = "image"  # one still picture
    AUDIO = "audio"  # sound only
    FONT = "font"  # a TrueType or OpenType face


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """The picture stream.

    `coded_size` is as stored; `display_size` after sample aspect ratio and rotation.
    Times are exact, in seconds. `start` is the first frame's time on the file's clock
    (which may not begin at zero), `duration` runs from it to the end of the last frame.
    `longest_gap` is the longest time between two frames: how far to look back for the
    frame that is on screen at a given time. `frame_rate` is the rate on whose grid all frames
    lie, else the average. A still that is an animation has more than one frame.
    """

    codec: str
    coded_size: Size
    display_size: Size
    rotation: int  # degrees clockwise that a player turns it: 0, 90, 180, 270
    sample_aspect: Fraction
    frame_rate: Fraction
    is_variable_rate: bool
    start: Fraction
    duration: Fraction
    longest_gap: Fraction
    frame_count: int
    pixel_format: str
    has_alpha: bool
    colour_matrix: str  # bt709, smpte170m, bt470bg, bt2020nc, gbr or "unknown"
    colour_primaries: str
    colour_transfer: str
    colour_range: str  # tv, pc or "unknown"

    @property
    def hdr(self) -> str:
        """`pq` or `hlg` for a picture of high dynamic range, else nothing."""
        return _HDR_TRANSFERS.get(self.colour_transfer, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFacts:
    """The sound stream. `start` and `duration` in seconds, exact; on the file's clock."""

    codec: str
    sample_rate: int
    channels: int
    start: Fraction
    duration: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """Everything the renderer needs to know of one file.

    `demuxer` is FFmpeg's name of the container, passed back as `-f` so that nothing is
    guessed twice. `start` is the container's own zero: the earliest stream start.
    `family` is the name of a font, as text styles ask for it.
    """

    kind: MediaKind
    media_type: str
    demuxer: str
    start: Fraction = Fraction(0)
    video: VideoFacts | None = None
    audio: AudioFacts | None = None
    family: str = ""

    @property
    def duration(self) -> Fraction | None:
        """Seconds until the longest stream ends; None for a still."""
        ends = [s.start + s.duration for s in (self.video, self.audio) if s is not None]
        if self.kind in (MediaKind.IMAGE, MediaKind.FONT) or not ends:
            return None
        return max(ends) - self.start

    def as_json(self) -> dict[str, object]:
        """Plain JSON: fractions as "n/d" text, sizes as lists."""
        plain: dict[str, object] = _plain(asdict(self))
        return plain


def media_info_from_json(data: dict[str, Any]) -> MediaInfo:
    """The inverse of `MediaInfo.as_json`. Raises KeyError or ValueError on foreign data."""
    video, audio = data.get("video"), data.get("audio")
    return MediaInfo(
        kind=MediaKind(data["kind"]),
        media_type=data["media_type"],
        demuxer=data["demuxer"],
        start=Fraction(data["start"]),
        video=_video_from_json(video) if video else None,
        audio=_audio_from_json(audio) if audio else None,
        family=data.get("family", ""),
    )


_VIDEO_FRACTIONS = ("sample_aspect", "frame_rate", "start", "duration", "longest_gap")


def _video_from_json(data: dict[str, Any]) -> VideoFacts:
    exact = {name: Fraction(data[name]) for name in _VIDEO_FRACTIONS}
    sizes = {name: tuple(data[name]) for name in ("coded_size", "display_size")}
    return VideoFacts(**{**data, **exact, **sizes})


def _audio_from_json(data: dict[str, Any]) -> AudioFacts:
    exact = {name: Fraction(data[name]) for name in ("start", "duration")}
    return AudioFacts(**{**data, **exact})


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
