"""A file as facts. Packets are read, one frame is decoded; FFmpeg is never asked to guess."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from PIL import Image, UnidentifiedImageError

from renderer.errors import Fault, SourceRefused
from renderer.media import AudioFacts, MediaInfo, MediaKind, VideoFacts

PROBER = f"1-av{av.__version__}"
"""Version of these facts; part of the key they are remembered by."""

_CONTAINERS = {
    "mov": "video/mp4", "matroska": "video/x-matroska", "mp3": "audio/mpeg",
    "wav": "audio/wav", "w64": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg",
    "aac": "audio/aac", "mpegts": "video/mp2t", "avi": "video/x-msvideo", "gif": "image/gif",
}  # fmt: skip
_STILLS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
_FONTS = (b"\x00\x01\x00\x00", b"OTTO", b"true", b"ttcf", b"wOFF", b"wOF2")
_MAX_PIXELS = 100_000_000
_MATRICES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc", 0: "gbr"}


def probe(path: Path) -> MediaInfo:
    """The facts of a file. Raises SourceRefused when it is not media we read."""
    with path.open("rb") as stream:
        head = stream.read(4)
    if head in _FONTS:
        return MediaInfo(kind=MediaKind.FONT, media_type="font/ttf", demuxer="")
    return _still(path) or _stream(path)


def _refused(message: str, hint: str) -> SourceRefused:
    return SourceRefused([Fault(code="source-unreadable", message=message, hint=hint)])


def _still(path: Path) -> MediaInfo | None:
    try:
        with Image.open(path, formats=_STILLS) as picture:
            width, height = picture.size
            if width * height > _MAX_PIXELS:
                raise _refused(f"a picture of {width}x{height} is too large", "make it smaller")
            turn = picture.getexif().get(0x0112, 1)
            size = (height, width) if turn >= 5 else (width, height)
            alpha = picture.has_transparency_data
            kind = picture.format or "PNG"
    except (UnidentifiedImageError, SyntaxError):
        return None
    except Image.DecompressionBombError as error:
        raise _refused("the picture is too large", "make it smaller") from error
    facts = VideoFacts(
        codec=kind.lower(), coded_size=(width, height), display_size=size, rotation=0,
        sample_aspect=Fraction(1), frame_rate=Fraction(0), is_variable_rate=False,
        start=Fraction(0), duration=Fraction(0), longest_gap=Fraction(0), frame_count=1,
        pixel_format="rgba" if alpha else "rgb24", has_alpha=alpha, colour_matrix="gbr",
        colour_primaries="unknown", colour_transfer="unknown", colour_range="pc",
    )  # fmt: skip
    media_type = f"image/{kind.lower()}"
    return MediaInfo(kind=MediaKind.IMAGE, media_type=media_type, demuxer="png_pipe", video=facts)


def _stream(path: Path) -> MediaInfo:
    try:
        with av.open(f"file:{path}", options={"protocol_whitelist": "file"}) as container:
            demuxer = container.format.name.split(",")[0]
            if demuxer not in _CONTAINERS:
                raise _refused(
                    f"{container.format.long_name} is not a form we read",
                    "convert it to MP4, MKV, WebM, MP3, WAV, FLAC, PNG or JPEG",
                )
            return _facts(container, demuxer)
    except av.FFmpegError as error:
        raise _refused(
            f"the file cannot be read as media ({error.strerror or error})",
            "is it complete? convert it to MP4, WAV, PNG or JPEG",
        ) from error


def _facts(container: Any, demuxer: str) -> MediaInfo:
    videos = [s for s in container.streams.video if not s.disposition & 0x0400]
    video = videos[0] if videos else None
    audio = container.streams.audio[0] if container.streams.audio else None
    scans: dict[int, list[tuple[int, int]]] = {s.index: [] for s in (video, audio) if s}
    if not scans:
        raise _refused("there is no picture and no sound in the file", "choose another file")
    for packet in container.demux([s for s in (video, audio) if s]):
        if packet.pts is not None and packet.size:
            scans[packet.stream.index].append((packet.pts, packet.duration or 0))
    sound = _audio(audio, scans[audio.index]) if audio and scans[audio.index] else None
    picture = None
    if video and scans[video.index]:
        container.seek(0)
        picture = _video(container, video, scans[video.index])
    starts = [facts.start for facts in (picture, sound) if facts]
    if not starts:
        raise _refused("the file holds no frames", "is it complete?")
    kind = MediaKind.VIDEO if picture else MediaKind.AUDIO
    return MediaInfo(
        kind=kind, media_type=_CONTAINERS[demuxer], demuxer=demuxer, start=min(starts),
        video=picture, audio=sound,
    )  # fmt: skip


def _audio(stream: Any, scan: list[tuple[int, int]]) -> AudioFacts:
    base = Fraction(stream.time_base)
    start = max(min(pts for pts, _ in scan), 0)
    end = max(pts + duration for pts, duration in scan)
    if stream.duration:
        end = min(end, (stream.start_time or 0) + stream.duration)
    return AudioFacts(
        codec=stream.codec_context.codec.canonical_name,
        sample_rate=stream.rate,
        channels=stream.codec_context.channels,
        start=start * base,
        duration=(end - start) * base,
    )


def _video(container: Any, stream: Any, scan: list[tuple[int, int]]) -> VideoFacts:
    frame = next(container.decode(stream))
    base = Fraction(stream.time_base)
    times = sorted(pts for pts, _ in scan)
    gaps = [b - a for a, b in pairwise(times)]
    last = next(duration for pts, duration in scan if pts == times[-1])
    last = last or (gaps[-1] if gaps else 0) or int(1 / (stream.average_rate or 25) / base)
    tick = max(1, int(Fraction(1, 500) / base))
    aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
    turn = round(frame.rotation) % 360
    size = (2 * round(frame.width * aspect / 2) if aspect != 1 else frame.width, frame.height)
    components = frame.format.components
    return VideoFacts(
        codec=stream.codec_context.codec.canonical_name,
        coded_size=(frame.width, frame.height),
        display_size=(size[1], size[0]) if turn in (90, 270) else size,
        rotation=(360 - turn) % 360,
        sample_aspect=aspect,
        frame_rate=Fraction(stream.average_rate or 0),
        is_variable_rate=bool(gaps) and max(gaps) - min(gaps) > tick,
        start=times[0] * base,
        duration=(times[-1] + last - times[0]) * base,
        longest_gap=max([*gaps, last]) * base,
        frame_count=len(times),
        pixel_format=frame.format.name,
        has_alpha=any(c.is_alpha for c in components),
        colour_matrix=_MATRICES.get(int(frame.colorspace), "unknown"),
        colour_primaries=str(int(frame.color_primaries)),
        colour_transfer=str(int(frame.color_trc)),
        colour_range="pc" if int(frame.color_range) == 2 else "tv",
    )
