"""Reads a joined file packet by packet and proves that it is the sum of its segments."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import av
import av.error

from renderer.errors import Interrupted, JoinMismatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A segment as it stands in the sequence, `repeats` times in a row, and its facts."""

    path: Path
    read: int
    repeats: int
    frames: int
    packets: int
    packets_sha256: str
    extradata_sha256: str


Listing = Callable[[Path], Sequence[bytes]]


def check_join(
    made: Path,
    parts: Sequence[Part],
    *,
    fps: Fraction,
    audio: Path | None,
    listing: Listing,
    title: str,
    stop: threading.Event,
) -> dict[str, Any]:
    """Facts of the joined file. Raises JoinMismatch with the first difference found.

    `listing` gives a line for each audio packet of a file: its times, size and digest.
    Every segment's packets are there, unchanged and in sequence; frame n is shown at
    exactly n / fps; the sound is that of `audio`, packet for packet and tick for tick.
    """
    check = _Check(title=title, fps=fps, stop=stop)
    try:
        frames = check.video(made, parts)
        packets = 0 if audio is None else check.audio(made, audio, listing)
    except (av.error.FFmpegError, IndexError) as error:
        raise JoinMismatch(f"{title}: the joined file cannot be read: {error}") from error
    return {"frames": frames, "audio_packets": packets}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    title: str
    fps: Fraction
    stop: threading.Event

    def video(self, made: Path, parts: Sequence[Part]) -> int:
        """How many frames there are, after checking each packet."""
        with av.open(str(made), format="mov") as container:
            stream = container.streams.video[0]
            self._parameter_sets(stream, parts)
            packets = _packets(container, stream)
            ticks = self._ticks_per_frame(stream)
            shown = 0
            for part in (entry for entry in parts for _ in range(entry.repeats)):
                self._segment(packets, part, shown, ticks)
                shown += part.frames
            if next(packets, None) is not None:
                raise self._mismatch(f"there is more after the last of {shown} frames")
        return shown

    def audio(self, made: Path, source: Path, listing: Listing) -> int:
        """How many audio packets there are, after comparing each with the source."""
        with (
            av.open(str(made), format="mov") as ours,
            av.open(str(source), format="mov") as theirs,
        ):
            if _edges(ours.streams.audio[0]) != _edges(theirs.streams.audio[0]):
                raise self._mismatch("the sound begins or ends elsewhere than in its source")
        mine, yours = listing(made), listing(source)
        if mine != yours:
            pairs = zip(mine, yours, strict=False)
            same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
            raise self._mismatch(f"audio packet {same} is not that of the source")
        return len(mine)

    def _segment(
        self, packets: Iterator[av.Packet[Any]], part: Part, first: int, ticks: int
    ) -> None:
        """Check the packets of one segment whose first frame is number `first`."""
        if self.stop.is_set():
            raise Interrupted(f"{self.title}: stopped on request")
        payloads = hashlib.sha256()
        shown = set()
        for packet in islice(packets, part.packets):
            payloads.update(packet)
            shown.add(packet.pts)
        if payloads.hexdigest() != part.packets_sha256:
            raise self._mismatch(f"segment {part.read} at frame {first} was changed or cut")
        if shown != {ticks * frame for frame in range(first, first + part.frames)}:
            raise self._mismatch(f"frames from {first} on are not shown at their times")

    def _parameter_sets(self, stream: av.VideoStream, parts: Sequence[Part]) -> None:
        extradata = hashlib.sha256(stream.codec_context.extradata or b"").hexdigest()
        if any(part.extradata_sha256 != extradata for part in parts):
            raise self._mismatch("the joined file has other parameter sets than its segments")

    def _ticks_per_frame(self, stream: av.VideoStream) -> int:
        assert stream.time_base is not None
        ticks = 1 / (self.fps * stream.time_base)
        if ticks.denominator != 1:
            raise self._mismatch(f"a time base of {stream.time_base} cannot hold {self.fps} fps")
        return ticks.numerator

    def _mismatch(self, what: str) -> JoinMismatch:
        return JoinMismatch(
            f"{self.title}: {what}", hint="this is a fault of Reelkiln, please report it"
        )


def _packets(
    container: av.container.InputContainer, stream: av.VideoStream | av.AudioStream
) -> Iterator[av.Packet[Any]]:
    """The packets of one stream, without the empty one that ends it."""
    return (packet for packet in container.demux(stream) if packet.size)


def _edges(stream: av.AudioStream) -> tuple[object, ...]:
    return (stream.time_base, stream.start_time, stream.duration)
