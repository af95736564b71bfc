"""Video and sound as facts: packets are read, one frame is decoded.

FFmpeg never guesses freely: the first bytes decide the demuxer out of a short list, so a
playlist dressed up as `.mp4` opens nothing else.
Rotation: FFmpeg and PyAV count counterclockwise (`-display_rotation 90` turns left), our
`VideoFacts.rotation` counts clockwise, so it is the negative of `frame.rotation`.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import av.error

from renderer.media import AudioFacts, MediaInfo, MediaKind, Size, VideoFacts
from renderer.probe.sniff import Sniffed, is_cut_short
from renderer.refusals import check_pixels, refused, unreadable
from renderer.timebase import round_half_up

_DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mp3,wav,w64,flac,ogg,aac,mpegts,avi,gif"
_VIDEO_CODECS = """
av1 cinepak dnxhd dvvideo ffv1 ffvhuff flv1 gif h261 h263 h264 hevc huffyuv mjpeg mpeg1video
mpeg2video mpeg4 msmpeg4v2 msmpeg4v3 png prores qtrle rawvideo theora utvideo vc1 vp6 vp8 vp9
wmv1 wmv2 wmv3
"""
_AUDIO_CODECS = """
aac ac3 adpcm_ima_wav adpcm_ms alac eac3 flac mp2 mp3 opus vorbis wavpack wmav1 wmav2
"""
_CODECS = frozenset(_VIDEO_CODECS.split()) | frozenset(_AUDIO_CODECS.split())
_DECODERS = ",".join(sorted(_CODECS | {"libdav1d", "libvpx-vp9", "mp3float", "libopus"}))
_ATTACHED_PICTURE = 0x0400  # AV_DISPOSITION_ATTACHED_PIC

_MATRICES = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m",
    9: "bt2020nc", 10: "bt2020nc",  # no scaler tells the last two apart
}  # fmt: skip
_PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film",
    9: "bt2020", 11: "smpte431", 12: "smpte432",
}  # fmt: skip
_TRANSFERS = {
    1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear",
    11: "iec61966-2-4", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12",
    16: "smpte2084", 18: "arib-std-b67",
}  # fmt: skip
_RANGES = {1: "tv", 2: "pc"}
_STREAM_ERRORS = (av.error.FFmpegError, EOFError, ValueError, ZeroDivisionError, OverflowError)
"""What PyAV raises for damaged files, and what impossible numbers in them lead to."""


@dataclass(slots=True, kw_only=True)
class _Scan:
    """What the packets of one stream say, in ticks of its time base."""

    times: array[int] = field(default_factory=lambda: array("q"))
    end: int | None = None
    frame: Any = None

    def add(self, packet: Any) -> None:
        """Count a packet, unless it is only there to prime the decoder."""
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None or not packet.size or packet.is_discard:
            return
        end = time + (packet.duration or 0) - _padding(packet)
        self.times.append(time)
        self.end = end if self.end is None else max(end, self.end)


def _padding(packet: Any) -> int:
    """Ticks at the end of an MP3 packet that decoders drop; other demuxers shorten packets."""
    stream = packet.stream
    if stream.container.format.name != "mp3" or not packet.has_sidedata("skip_samples"):
        return 0
    _, samples = struct.unpack_from("<II", bytes(packet.get_sidedata("skip_samples")))
    return round_half_up(Fraction(samples, stream.rate) / Fraction(stream.time_base))


def probe_streams(path: Path, found: Sniffed, max_pixels: int) -> MediaInfo:
    """The facts of a container, as `sniff` found it. Raises SourceRefused."""
    if is_cut_short(path, found.demuxer):
        raise unreadable("the file is cut short: it ends before the media it announces")
    limit = {"max_pixels": str(max_pixels)}  # for decoders: what containers say may be a lie
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": _DEMUXERS,
        "codec_whitelist": _DECODERS + _pcm_decoders(),
    }
    try:
        name = found.demuxer or None
        with av.open(
            f"file:{path}",
            format=name,
            options=limit,
            container_options=options,
            metadata_errors="replace",
        ) as container:
            return _facts(container, found, max_pixels)
    except _STREAM_ERRORS as error:
        words = getattr(error, "strerror", "") or str(error)
        raise unreadable(f"the file cannot be read as media ({words})") from error


def _facts(container: Any, found: Sniffed, max_pixels: int) -> MediaInfo:
    moving = [s for s in container.streams.video if not s.disposition & _ATTACHED_PICTURE]
    video = moving[0] if moving else None
    audio = container.streams.audio[0] if container.streams.audio else None
    chosen = [stream for stream in (video, audio) if stream is not None]
    if not chosen:
        raise unreadable("there is no picture and no sound in the file", "choose another file")
    _check_codecs(chosen)
    if video is not None:
        check_pixels((video.codec_context.width, video.codec_context.height), max_pixels)
        video.codec_context.options = {"max_pixels": str(max_pixels)}
    scans = _scanned(container, chosen)
    picture = _video_facts(video, scans[video.index]) if video is not None else None
    sound = _audio_facts(audio, scans[audio.index]) if audio is not None else None
    if picture is None and sound is None:
        raise unreadable("the file announces media but holds none")
    demuxer = container.format.name.partition(",")[0]
    return MediaInfo(
        kind=MediaKind.VIDEO if picture else MediaKind.AUDIO,
        media_type=_media_type(demuxer, found, has_picture=picture is not None),
        demuxer=demuxer,
        start=_zero(container, [facts.start for facts in (picture, sound) if facts]),
        video=picture,
        audio=sound,
    )


def _check_codecs(streams: Sequence[Any]) -> None:
    for stream in streams:
        codec = _codec_of(stream)
        if codec not in _CODECS and not codec.startswith("pcm_"):
            what = "picture" if stream.type == "video" else "sound"
            raise refused(
                "source-form",
                f"the {what} is coded as {codec or 'something unknown'}, which is not read",
                "convert it to H.264 in MP4" if what == "picture" else "convert it to AAC or FLAC",
            )


def _codec_of(stream: Any) -> str:
    codec = getattr(stream, "codec_context", None)
    return str(codec.codec.canonical_name) if codec is not None else ""


def _scanned(container: Any, streams: Sequence[Any]) -> Mapping[int, _Scan]:
    """All packets of `streams`; the first frame of the picture is decoded on the way."""
    scans = {stream.index: _Scan() for stream in streams}
    for packet in container.demux(streams):
        scan = scans[packet.stream.index]
        scan.add(packet)
        if packet.stream.type == "video" and scan.frame is None:
            scan.frame = _first_frame(packet)
    return scans


def _first_frame(packet: Any) -> Any:
    try:
        return next(iter(packet.decode()), None)
    except (av.error.InvalidDataError, EOFError):
        return None  # a stream may begin in the middle; a later packet can be decoded


def _audio_facts(stream: Any, scan: _Scan) -> AudioFacts | None:
    """Start and end as a decoder gives them: without the encoder's priming and padding."""
    if not scan.times or scan.end is None:
        return None
    base = Fraction(stream.time_base)
    start = stream.start_time if stream.start_time is not None else min(scan.times)
    return AudioFacts(
        codec=_codec_of(stream),
        sample_rate=stream.rate,
        channels=stream.codec_context.channels,
        start=start * base,
        duration=max(scan.end - start, 0) * base,
    )


def _video_facts(stream: Any, scan: _Scan) -> VideoFacts | None:
    frame = scan.frame
    if not scan.times:
        return None
    if frame is None:
        raise unreadable("not one frame of the picture can be decoded")
    base = Fraction(stream.time_base)
    times = sorted(scan.times)
    last = _last_duration(stream, scan, times, base)
    rate, is_constant = _rate(stream, times, last, base)
    aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
    turn = _quarter_turns(frame.rotation)
    return VideoFacts(
        codec=_codec_of(stream),
        coded_size=(frame.width, frame.height),
        display_size=_display_size((frame.width, frame.height), aspect, turn),
        rotation=turn,
        sample_aspect=aspect,
        frame_rate=rate,
        is_variable_rate=not is_constant,
        start=times[0] * base,
        duration=(times[-1] + last - times[0]) * base,
        longest_gap=max([last, *(b - a for a, b in pairwise(times))]) * base,
        frame_count=len(times),
        pixel_format=frame.format.name,
        has_alpha=any(component.is_alpha for component in frame.format.components),
        colour_matrix=_MATRICES.get(int(frame.colorspace), "unknown"),
        colour_primaries=_PRIMARIES.get(int(frame.color_primaries), "unknown"),
        colour_transfer=_TRANSFERS.get(int(frame.color_trc), "unknown"),
        colour_range=_range(frame),
    )


def _quarter_turns(rotation: int) -> int:
    """Clockwise turn in whole quarters. By other angles FFmpeg turns within the coded size."""
    nearest = 90 * round(rotation / 90)
    return -nearest % 360 if rotation == nearest else 0


def _range(frame: Any) -> str:
    if frame.format.name.startswith("yuvj"):
        return "pc"
    return _RANGES.get(int(frame.color_range), "unknown")


def _display_size(size: Size, aspect: Fraction, turn: int) -> Size:
    """Square pixels, then turned. A stretched width is made even, as video needs it."""
    width = size[0] if aspect == 1 else max(2, 2 * round_half_up(size[0] * aspect / 2))
    return (size[1], width) if turn in (90, 270) else (width, size[1])


def _last_duration(stream: Any, scan: _Scan, times: Sequence[int], base: Fraction) -> int:
    """Ticks that the last frame stays: its packet's, else as long as the one before."""
    if scan.end is not None and scan.end > times[-1]:
        return scan.end - times[-1]
    if len(times) > 1:
        return times[-1] - times[-2]
    return max(1, round_half_up(1 / Fraction(stream.average_rate or 25) / base))


def _rate(stream: Any, times: Sequence[int], last: int, base: Fraction) -> tuple[Fraction, bool]:
    """The frame rate, and whether every frame sits on its grid but for rounded ticks."""
    average = len(times) / ((times[-1] + last - times[0]) * base)
    declared = (stream.average_rate, stream.base_rate, stream.guessed_rate)
    for rate in (*(Fraction(rate) for rate in declared if rate), average):
        if _fits(times, rate, base):
            return rate, True
    return average, False


def _fits(times: Sequence[int], rate: Fraction, base: Fraction) -> bool:
    """Whether frame n lies at n/rate, give or take two ticks or a third of a frame.

    Matroska counts in milliseconds, so 33 and 34 ms side by side are one constant rate.
    """
    frame = 1 / (rate * base)  # in ticks
    slack = min(Fraction(2), frame / 3)
    step, unit = frame.numerator, frame.denominator
    bound = slack * unit
    return all(abs((time - times[0]) * unit - n * step) < bound for n, time in enumerate(times))


def _zero(container: Any, starts: Sequence[Fraction]) -> Fraction:
    """The container's zero: exact from our streams, unless another stream begins earlier."""
    ours = min(starts)
    if container.start_time is None:
        return ours
    told = Fraction(container.start_time, av.time_base)
    return ours if abs(ours - told) < Fraction(1, 1000) else told


def _pcm_decoders() -> str:
    return "".join(f",{name}" for name in sorted(av.codecs_available) if name.startswith("pcm_"))


def _media_type(demuxer: str, found: Sniffed, *, has_picture: bool) -> str:
    group = "video" if has_picture else "audio"
    if demuxer == "mov":
        return "video/quicktime" if found.brand == "qt" and has_picture else f"{group}/mp4"
    if demuxer == "matroska":
        return f"{group}/webm" if found.brand == "webm" else f"{group}/x-matroska"
    return _MEDIA_TYPES.get(demuxer) or f"{group}/{demuxer}"


_MEDIA_TYPES = {
    "aac": "audio/aac", "avi": "video/x-msvideo", "flac": "audio/flac", "gif": "image/gif",
    "mp3": "audio/mpeg", "mpegts": "video/mp2t", "w64": "audio/wav", "wav": "audio/wav",
}  # fmt: skip
