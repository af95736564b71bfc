"""Decodes a finished segment and says what is in it, so that no broken one is ever kept.

One decoder thread: on a machine whose cores are all busy with segments that costs the
least CPU time. Still stretches repeat their frames, and comparing two frames is five times
cheaper than hashing one, so a frame equal to the one before it is not hashed again.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import av.error
from PIL import Image

from renderer.errors import Interrupted, OutputRejected

_LUMA_EVERY = 15  # frames between two looks at the brightness


def check_segment(
    path: Path, *, frames: int, digests: Path, title: str, stop: threading.Event
) -> dict[str, Any]:
    """Decode the segment at `path`; write 32 bytes of SHA-256 for each frame to `digests`.

    A frame's digest is taken over its planes Y, U and V, rows without padding. Gives the
    facts of the step. Raises OutputRejected when a frame is damaged, when there are not
    `frames` of them, or when the segment does not begin with a keyframe.
    """
    look = _Look(title=title, stop=stop)
    try:
        with av.open(str(path), format="mov") as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            stream.codec_context.options = {"err_detect": "explode"}
            extradata = stream.codec_context.extradata or b""
            for frame in _decoded(container, stream, look):
                look.at_frame(frame)
    except (av.error.FFmpegError, IndexError) as error:
        raise OutputRejected(f"{title}: the segment does not decode: {error}") from error
    look.refuse_unless(frames)
    written = b"".join(look.digests)
    digests.write_bytes(written)
    return {
        "frames": frames,
        "frame_digests_sha256": hashlib.sha256(written).hexdigest(),
        "extradata_sha256": hashlib.sha256(extradata).hexdigest(),
        "packets": look.packets,
        "packets_sha256": look.payloads.hexdigest(),
        "keyframe_first": look.keyframe_first,
        **look.luma(),
    }


@dataclass(slots=True, kw_only=True)
class _Look:
    """What has been seen of a segment so far."""

    title: str
    stop: threading.Event
    digests: list[bytes] = field(default_factory=list)
    payloads: hashlib._Hash = field(default_factory=hashlib.sha256)
    packets: int = 0
    keyframe_first: bool = False
    _planes: bytes = b""
    _luma: Counter[int] = field(default_factory=Counter)

    def at_packet(self, packet: av.Packet[av.VideoStream]) -> None:
        if self.packets == 0:
            self.keyframe_first = bool(packet.is_keyframe)
        self.packets += 1
        self.payloads.update(packet)

    def at_frame(self, frame: av.VideoFrame) -> None:
        if self.stop.is_set():
            raise Interrupted(f"{self.title}: stopped on request")
        if frame.is_corrupt or frame.format.name not in ("yuv420p", "yuvj420p"):
            raise OutputRejected(f"{self.title}: frame {len(self.digests)} is damaged")
        if len(self.digests) % _LUMA_EVERY == 0:
            self._note_luma(frame)
        planes = b"".join(row for plane in frame.planes for row in _rows(plane))
        if planes != self._planes:
            self._planes = planes
            self.digests.append(hashlib.sha256(planes).digest())
        else:
            self.digests.append(self.digests[-1])

    def refuse_unless(self, frames: int) -> None:
        """Raise OutputRejected unless there are `frames`, led by a keyframe."""
        if len(self.digests) != frames:
            raise OutputRejected(
                f"{self.title}: {len(self.digests)} frames were encoded, {frames} were planned"
            )
        if not self.keyframe_first:
            raise OutputRejected(f"{self.title}: the segment does not begin with a keyframe")

    def luma(self) -> dict[str, int]:
        """Darkest, brightest and mean luma (0-255) of the frames looked at."""
        total = max(1, self._luma.total())
        weighed = sum(value * count for value, count in self._luma.items())
        return {
            "luma_min": min(self._luma, default=0),
            "luma_max": max(self._luma, default=0),
            "luma_mean": (2 * weighed + total) // (2 * total),
        }

    def _note_luma(self, frame: av.VideoFrame) -> None:
        plane = frame.planes[0]
        size = (plane.width, plane.height)
        picture = Image.frombytes("L", size, bytes(plane), "raw", "L", plane.line_size, 1)
        counts = picture.histogram()
        self._luma.update({value: count for value, count in enumerate(counts) if count})


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream, look: _Look
) -> Iterator[av.VideoFrame]:
    for packet in container.demux(stream):
        if packet.size:  # the last one is empty: it flushes the decoder
            look.at_packet(packet)
        yield from packet.decode()


def _rows(plane: av.video.plane.VideoPlane) -> Iterator[memoryview]:
    """The bytes of a plane, without the padding that each row may carry."""
    view = memoryview(plane)
    if plane.line_size == plane.width:
        yield view[: plane.width * plane.height]
        return
    for start in range(0, plane.line_size * plane.height, plane.line_size):
        yield view[start : start + plane.width]
