"""Samples become AAC in pieces, several at once, and the pieces one stream without a seam.

FFmpeg's encoder works on one core, 50 times as fast as the sound plays, so hours of sound
would wait for it. A piece is two minutes of packets. Its encoder begins eight seconds early,
because it starts out with too few bits and takes about five to settle; those packets are
dropped. What is left differs from an encode in one go by at most 0.4 dB in any second.
Where pieces begin depends on the sample count alone, so the bytes do not depend on `jobs`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from renderer.errors import OutputRejected
from renderer.graph.exact import AUDIO_CPUFLAGS, BITEXACT
from renderer.timebase import SAMPLE_RATE

PACKET = 1024
"""Samples of one AAC packet."""
_PIECE_PACKETS = 5625  # 120 s
_LEAD_PACKETS = 375  # 8 s
_AHEAD_PACKETS = 4  # an encoder looks further than the packet it writes
_FRAME_BYTES = 4  # stereo s16le
_ADTS_TICKS = 588  # ticks of FFmpeg's ADTS clock (28.224 MHz) per sample at 48 kHz

_STRICT = ("-xerror", "-err_detect", "explode")
"""What makes a decoder fail at the first thing that is wrong."""

Run = Callable[[tuple[str, ...]], object]
"""Runs FFmpeg with these arguments and raises when it fails."""


@dataclass(slots=True, kw_only=True)
class AacEncoder:
    """Takes `samples` stereo s16le samples by and by, and gives `sound.aac` (ADTS).

    At most `jobs` encoders run at once; `feed` waits while they are behind, so that memory
    holds little more than one piece. `folder` is for files that come and go.
    """

    folder: Path
    samples: int
    bitrate: str
    run: Run
    jobs: int = 1
    _pool: ThreadPoolExecutor = field(init=False)
    _waiting: bytearray = field(default_factory=bytearray)
    _waiting_from: int = 0
    _begun: list[Future[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(max(1, self.jobs), thread_name_prefix="aac")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def packets(self) -> int:
        """How many packets the whole sound has, the priming one included."""
        return -(-(self.samples + PACKET) // PACKET)

    def feed(self, data: bytes) -> None:
        """The next samples. Raises what an encoder raised."""
        self._waiting += data
        while self._received >= self._end_of(len(self._begun)) and not self._all_begun:
            self._begin()

    def finish(self) -> bytes:
        """The whole stream as ADTS, once everything was fed."""
        while not self._all_begun:
            self._begin()
        return b"".join(future.result() for future in self._begun)

    @property
    def _received(self) -> int:
        return self._waiting_from + len(self._waiting) // _FRAME_BYTES

    @property
    def _all_begun(self) -> bool:
        return len(self._begun) * _PIECE_PACKETS >= self.packets

    def _end_of(self, number: int) -> int:
        """The sample up to which piece `number` must be fed."""
        end = ((number + 1) * _PIECE_PACKETS + _AHEAD_PACKETS) * PACKET
        return min(end, self.samples)

    def _first_fed(self, number: int) -> int:
        """The packet with which the encoder of piece `number` begins."""
        return max(0, number * _PIECE_PACKETS - _LEAD_PACKETS)

    def _begin(self) -> None:
        number = len(self._begun)
        start = (self._first_fed(number) * PACKET - self._waiting_from) * _FRAME_BYTES
        end = (self._end_of(number) - self._waiting_from) * _FRAME_BYTES
        raw = self.folder / f"piece-{number}.s16"
        raw.write_bytes(memoryview(self._waiting)[start:end])
        self._forget_before(self._first_fed(number + 1) * PACKET)
        self._wait_for_room()
        self._begun.append(self._pool.submit(self._encode, number, raw))

    def _forget_before(self, sample: int) -> None:
        gone = min(sample, self._received) - self._waiting_from
        del self._waiting[: gone * _FRAME_BYTES]
        self._waiting_from += gone

    def _wait_for_room(self) -> None:
        """Wait until one piece at most waits for an encoder, and hear at once of any failure."""
        while len(busy := [future for future in self._begun if not future.done()]) > self.jobs:
            wait(busy, return_when=FIRST_COMPLETED)
        for future in self._begun:
            if future.done():
                future.result()

    def _encode(self, number: int, raw: Path) -> bytes:
        made = raw.with_suffix(".aac")
        source = ("-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "2", "-i", f"file:{raw}")
        coded = ("-c:a", "aac", "-b:a", self.bitrate, *BITEXACT, "-f", "adts", f"file:{made}")
        self.run((*AUDIO_CPUFLAGS, *source, *coded))
        self.run((*_STRICT, "-f", "aac", "-i", f"file:{made}", "-f", "null", "-"))
        packets = adts_packets(made.read_bytes())
        raw.unlink()
        made.unlink()
        first = number * _PIECE_PACKETS
        last = min(first + _PIECE_PACKETS, self.packets)
        fed_from = self._first_fed(number)
        kept = packets[first - fed_from : last - fed_from]
        if len(kept) != last - first:
            raise OutputRejected(f"sound: {len(kept)} of {last - first} packets were encoded")
        return b"".join(kept)


def adts_packets(stream: bytes) -> list[bytes]:
    """An ADTS stream cut into its packets. Raises OutputRejected when it is not one."""
    packets, at = [], 0
    while at < len(stream):
        if stream[at] != 0xFF or stream[at + 1] & 0xF0 != 0xF0:
            raise OutputRejected(f"sound: no AAC packet at byte {at}")
        length = (stream[at + 3] & 3) << 11 | stream[at + 4] << 3 | stream[at + 5] >> 5
        packets.append(stream[at : at + length])
        at += length
    return packets


def container_arguments(stream: Path, samples: int) -> tuple[str, ...]:
    """What puts an ADTS stream into a container so that exactly `samples` are heard.

    The priming packet begins before zero, which becomes an edit list, and the last packet
    lasts only as long as there are samples.
    """
    count = -(-(samples + PACKET) // PACKET)
    rest = samples + PACKET - (count - 1) * PACKET
    packet = PACKET * _ADTS_TICKS
    times = f"pts=(N-1)*{packet}:dts=(N-1)*{packet}"
    length = rf"duration=if(eq(N\,{count - 1})\,{rest * _ADTS_TICKS}\,{packet})"
    filters = f"aac_adtstoasc,setts={times}:{length}"
    return ("-f", "aac", "-i", f"file:{stream}", "-map", "0:a", "-c", "copy", "-bsf:a", filters)
