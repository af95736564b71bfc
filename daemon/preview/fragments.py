"""Drawn MP4 files as fragments for a player: the head that all share, and each at its time.

Nothing is encoded anew. A fragment says at which tick of the timeline it begins, so a player puts
it there whatever it has played before.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av

AAC_PACKET = 1024
"""Samples of one AAC packet."""
PRIMING = AAC_PACKET
"""Samples that an AAC stream begins with before the first that is heard."""
SOUND_PACKETS = 281
"""Packets of one fragment of sound, 5.99 s."""
_MUXING = {
    "movflags": "delay_moov+default_base_moof+frag_discont+frag_custom",
    "write_btrt": "0",  # the bit rate would differ from head to head
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """The `head` (ftyp and moov) that must be read first, and the `body` (moof and mdat)."""

    head: bytes
    body: bytes


def picture_fragment(segment: Path, first_tick: int) -> Fragment:
    """A segment whose first frame is shown at `first_tick` of its own time scale."""
    with av.open(str(segment), format="mov") as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        return _fragment(stream, packets, first_tick)


def sound_fragment(mix: Path, number: int) -> Fragment:
    """Fragment `number` of a mix, counted from 0; the priming is said in the head.

    A mix begins one packet before zero, where a fragment cannot: all are moved by one packet, and
    the edit list moves them back. Raises IndexError past the end.
    """
    first = number * SOUND_PACKETS * AAC_PACKET - PRIMING
    with av.open(str(mix), format="mov") as container:
        stream = container.streams.audio[0]
        container.seek(max(0, first), stream=stream, backward=True, any_frame=False)
        packets = list(_between(container, stream, first, first + SOUND_PACKETS * AAC_PACKET))
        if not packets:
            raise IndexError(f"the sound has no fragment {number}")
        made = _fragment(stream, packets, PRIMING)
    return Fragment(head=_edited(made.head, PRIMING), body=made.body)


def sound_fragments(samples: int) -> list[int]:
    """How many samples each fragment of a mix of that many samples holds."""
    whole, size = samples + PRIMING, SOUND_PACKETS * AAC_PACKET
    return [min(size, whole - start) for start in range(0, whole, size)]


def _between(
    container: av.container.InputContainer, stream: av.AudioStream, first: int, end: int
) -> Iterator[av.Packet[av.AudioStream]]:
    for packet in container.demux(stream):
        if packet.pts is None or packet.pts >= end:
            return
        if packet.pts >= first:
            yield packet


def _fragment(
    stream: av.VideoStream | av.AudioStream,
    packets: list[av.Packet[av.VideoStream]] | list[av.Packet[av.AudioStream]],
    later: int,
) -> Fragment:
    made = io.BytesIO()
    with av.open(made, "w", format="mp4", options=_MUXING) as out:
        track = out.add_stream_from_template(stream)
        for packet in packets:
            assert packet.pts is not None
            assert packet.dts is not None
            packet.pts, packet.dts = packet.pts + later, packet.dts + later
            packet.stream = track
            out.mux(packet)
    boxes = list(_boxes(made.getvalue()))
    head = b"".join(data for name, data in boxes if name in (b"ftyp", b"moov"))
    return Fragment(head=head, body=b"".join(d for name, d in boxes if name in (b"moof", b"mdat")))


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at : at + size]
        at += size


def _edited(head: bytes, media_time: int) -> bytes:
    """The head with its one edit beginning at `media_time`."""
    at = head.index(b"elst") + len(b"elst") + 4 + 4 + 4  # flags, count, duration
    return head[:at] + struct.pack(">I", media_time) + head[at + 4 :]
