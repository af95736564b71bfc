"""The gate before publishing: a finished file is what was promised, or is refused.

Headers are read and nothing is decoded. That every frame decodes, is shown on time and
matters, and how many samples are heard, was proven when the steps made these very bytes;
docs/format.md says which check rests on what.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image

from renderer.bundle.manifest import MediaFacts, Picture, Sound

_BT709 = (1, 1, 1)  # primaries, transfer, matrix
_RANGES = {1: "tv", 2: "pc"}
_FILES_ONLY = {"protocol_whitelist": "file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One promise that a finished file does not keep."""

    check: str
    file: str
    expected: str
    found: str

    @property
    def message(self) -> str:
        """The finding as a sentence."""
        return f"{self.file}: {self.check}: expected {self.expected}, found {self.found}"

    def as_json(self) -> dict[str, str]:
        """The finding as it stands in report.json."""
        return {**asdict(self), "message": self.message}


def check_files(files: Mapping[str, Path], media: Mapping[str, MediaFacts]) -> tuple[Finding, ...]:
    """Everything wrong with finished `files`, by their name in the bundle."""
    findings: list[Finding] = []
    for name, path in sorted(files.items()):
        if name in media:
            findings += check_media(name, path, media[name])
        elif name.endswith(".jpg"):
            findings += _still(name, path)
    return tuple(findings)


def check_media(name: str, path: Path, promised: MediaFacts) -> tuple[Finding, ...]:
    """Everything in which the MP4 at `path` differs from what was promised."""
    look = _Look(name=name)
    try:
        look.boxes(path, promised.duration)
        with av.open(f"file:{path}", format="mov", options=_FILES_ONLY) as container:
            look.streams(container, promised)
    except (av.FFmpegError, OSError, ValueError) as error:
        look.note("reads as media", "a whole MP4", str(error))
    return tuple(look.findings)


@dataclass(slots=True, kw_only=True)
class _Look:
    """A look at one file, and what was found."""

    name: str
    findings: list[Finding] = field(default_factory=list)

    def expect(self, check: str, expected: object, found: object) -> None:
        if expected != found:
            self.note(check, str(expected), str(found))

    def note(self, check: str, expected: str, found: str) -> None:
        finding = Finding(check=check, file=self.name, expected=expected, found=found)
        self.findings.append(finding)

    def boxes(self, path: Path, duration: Fraction) -> None:
        """The file is whole, its index stands in front, and names the right length."""
        boxes = tuple(_boxes(path))
        order = [kind for kind, _, _ in boxes if kind in ("moov", "mdat")]
        self.expect("order of boxes", "moov before mdat", " before ".join(order))
        for kind, at, size in boxes:
            if kind == "moov":
                ticks, scale = _movie_length(path, at, size)
                if abs(ticks - duration * scale) >= 1:
                    found = Fraction(ticks, scale)
                    self.note("duration in the header", f"{duration} s", f"{found} s")

    def streams(self, container: Any, promised: MediaFacts) -> None:
        wanted = [k for k, s in (("video", promised.picture), ("audio", promised.sound)) if s]
        kinds = [stream.type for stream in container.streams]
        self.expect("streams", ", ".join(wanted), ", ".join(kinds))
        if kinds != wanted:
            return
        if promised.picture:
            self._picture(container.streams.video[0], promised.picture)
        if promised.sound:
            self._sound(container.streams.audio[0], promised.sound)

    def _picture(self, stream: Any, promised: Picture) -> None:
        codec = stream.codec_context
        self.expect("codec", promised.codec, codec.name)
        self.expect("profile", promised.profile, codec.profile)
        self.expect("pixel format", promised.pixel_format, codec.pix_fmt)
        size = f"{codec.width}x{codec.height}"
        self.expect("size", f"{promised.width}x{promised.height}", size)
        self.expect("pixel aspect", Fraction(1), stream.sample_aspect_ratio or Fraction(1))
        self.expect("frames per second", promised.fps, _rate(stream))
        self.expect("colour", promised.colour, _colour(codec))
        self.expect("range", promised.range, _RANGES.get(int(codec.color_range), "untagged"))
        self.expect("frames", promised.frames, stream.frames)
        self._times("picture", stream, promised.frames / promised.fps)

    def _sound(self, stream: Any, promised: Sound) -> None:
        codec = stream.codec_context
        self.expect("codec", promised.codec, codec.name)
        self.expect("sample rate", promised.sample_rate, codec.sample_rate)
        self.expect("channels", promised.channels, codec.channels)
        self._times("sound", stream, Fraction(promised.samples, promised.sample_rate))

    def _times(self, what: str, stream: Any, duration: Fraction) -> None:
        """Start and length of a stream as a player sees them: after its edit list."""
        start = (stream.start_time or 0) * stream.time_base
        self.expect(f"start of the {what}", "0 s", f"{start} s")
        length = (stream.duration or 0) * stream.time_base
        self.expect(f"duration of the {what}", f"{duration} s", f"{length} s")


def _rate(stream: Any) -> Fraction:
    """Frames a second as a player shows them: after the edit list.

    The container's own average counts the time before it as well, by which decoding runs ahead;
    a last segment that needs no running ahead would make that average too low.
    """
    length = (stream.duration or 0) * stream.time_base
    return Fraction(stream.frames / length) if length else Fraction(0)


def _still(name: str, path: Path) -> Iterator[Finding]:
    try:
        with Image.open(path, formats=("JPEG",)) as picture:
            picture.load()
    except (OSError, SyntaxError) as error:
        yield Finding(check="decodes", file=name, expected="a JPEG picture", found=str(error))


def _colour(codec: Any) -> str:
    tags = (int(codec.color_primaries), int(codec.color_trc), int(codec.colorspace))
    return "bt709" if tags == _BT709 else "primaries {}, transfer {}, matrix {}".format(*tags)


def _boxes(path: Path) -> Iterator[tuple[str, int, int]]:
    """(kind, offset of the content, size of the content) of the boxes at the top of an MP4.

    Raises ValueError when they do not end where the file ends.
    """
    end = path.stat().st_size
    with path.open("rb") as stream:
        at = 0
        while at < end:
            stream.seek(at)
            head = stream.read(16)
            size, length = int.from_bytes(head[:4], "big"), 8
            if size == 1:
                size, length = int.from_bytes(head[8:], "big"), 16
            if size < length or at + size > end:
                raise ValueError(f"the box at byte {at} does not end within the file")
            yield head[4:8].decode("latin-1"), at + length, size - length
            at += size


def _movie_length(path: Path, at: int, size: int) -> tuple[int, int]:
    """Ticks and ticks per second of `mvhd`, which FFmpeg writes first into `moov`."""
    with path.open("rb") as stream:
        stream.seek(at)
        head = stream.read(min(size, 40))
    if head[4:8] != b"mvhd":
        raise ValueError("moov does not begin with mvhd")
    if head[8] == 1:  # 64-bit times
        return int.from_bytes(head[32:40], "big"), int.from_bytes(head[28:32], "big")
    return int.from_bytes(head[24:28], "big"), int.from_bytes(head[20:24], "big")
