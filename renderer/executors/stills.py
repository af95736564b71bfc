"""GRAB_STILLS: frames of a finished segment as pictures.

FFmpeg converts the colours, since its scaler can be told to give the same bytes on every
CPU, which the scaler inside PyAV cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
from PIL import Image

from renderer.errors import OutputRejected
from renderer.executors.commands import run_ffmpeg
from renderer.executors.context import Context, Made, read_path
from renderer.media import Size
from renderer.steps import Step

_TO_RGB = (
    "scale=in_color_matrix=bt709:in_range=tv:out_range=pc:"
    "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact,format=rgb24"
)
_FAST = 1  # of PNG's levels of compression; these files are looked at once


def grab_stills(step: Step, context: Context) -> Made:
    """Save frames of the segment that is read as PNG; `params["stills"]` maps names to frames.

    Raises OutputRejected when the segment does not have a frame.
    """
    path = read_path(step, 0, context)
    files = {name: context.workdir / name for name in step.outputs}
    by_frame: dict[int, list[Path]] = {}
    for name, frame in sorted(step.params["stills"].items()):
        by_frame.setdefault(int(frame), []).append(files[name])
    wanted = sorted(by_frame)
    pictures = _Pictures(size=_size_of(path), saved_as=[by_frame[frame] for frame in wanted])
    run_ffmpeg(_grab_argv(path, wanted), step, context, stdout_to=pictures.feed, reports=False)
    if pictures.taken != len(wanted):
        raise OutputRejected(f"{step.title}: there is no frame {wanted[pictures.taken]}")
    return Made(files=files)


def _grab_argv(path: Path, wanted: Sequence[int]) -> tuple[str, ...]:
    chosen = "+".join(rf"eq(n\,{frame})" for frame in wanted)
    source = ("-protocol_whitelist", "file", "-f", "mov", "-threads", "1", "-i", f"file:{path}")
    filters = ("-map", "0:v:0", "-vf", f"select={chosen},{_TO_RGB}")
    raw = ("-fps_mode", "passthrough", "-frames:v", str(len(wanted)), "-f", "rawvideo", "pipe:1")
    return (*source, *filters, *raw)


def _size_of(path: Path) -> Size:
    with av.open(str(path), format="mov") as container:
        stream = container.streams.video[0]
        return (stream.codec_context.width, stream.codec_context.height)


@dataclass(slots=True, kw_only=True)
class _Pictures:
    """Cuts a stream of raw RGB into pictures and saves each under its names."""

    size: Size
    saved_as: Sequence[Sequence[Path]]
    taken: int = 0
    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        self._rest += data
        length = self.size[0] * self.size[1] * 3
        while len(self._rest) >= length and self.taken < len(self.saved_as):
            picture = Image.frombytes("RGB", self.size, bytes(self._rest[:length]))
            del self._rest[:length]
            for path in self.saved_as[self.taken]:
                picture.save(path, "PNG", compress_level=_FAST)
            self.taken += 1
