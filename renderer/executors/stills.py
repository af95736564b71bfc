"""GRAB_STILLS: frames of finished segments become the thumbnail and the contact sheet.

FFmpeg converts the colours, since its scaler can be told to give the same bytes on every
CPU, which the scaler inside PyAV cannot; Pillow scales and writes the JPEG.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageDraw, ImageFont

from renderer.errors import OutputRejected
from renderer.executors.commands import run_ffmpeg
from renderer.executors.context import Context, Made, read_path
from renderer.media import Size
from renderer.steps import Step

CONTACT_SHEET = "contact-sheet.jpg"

_QUALITY = 90
_GAP = 8  # pixels around the cells of the contact sheet
_PAPER = (18, 18, 20)
_INK = (235, 235, 235)
_LABEL_SHARE = 9  # a label is this part of its cell high
_TO_RGB = (
    "scale=in_color_matrix=bt709:in_range=tv:out_range=pc:"
    "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact,format=rgb24"
)

_Use = Callable[[Image.Image], None]


def grab_stills(step: Step, context: Context) -> Made:
    """Save the frames that `params` name.

    `stills` lists `{"read", "frame", "name"}`; `contact_sheet` has `columns`, `cell`
    `[width, height]`, `frames` `[[read, frame], ...]` and perhaps `labels`, one for each.
    Raises OutputRejected when a segment does not have a frame.
    """
    uses: dict[int, dict[int, list[_Use]]] = {}
    files: dict[str, Path] = {}
    for still in step.params.get("stills", ()):
        path = files[still["name"]] = context.workdir / still["name"]
        _uses_at(uses, still["read"], still["frame"]).append(_saver(path))
    sheet = step.params.get("contact_sheet")
    paper = _Sheet.empty(sheet) if sheet else None
    if sheet and paper:
        for cell, (read, frame) in enumerate(sheet["frames"]):
            _uses_at(uses, read, frame).append(paper.placer(cell))
    for read, frames in sorted(uses.items()):
        _grab(step, read, frames, context)
    if paper is not None:
        files[CONTACT_SHEET] = context.workdir / CONTACT_SHEET
        _save(paper.image, files[CONTACT_SHEET])
    return Made(files=files)


def _uses_at(uses: dict[int, dict[int, list[_Use]]], read: int, frame: int) -> list[_Use]:
    return uses.setdefault(int(read), {}).setdefault(int(frame), [])


def _grab(step: Step, read: int, frames: Mapping[int, Sequence[_Use]], context: Context) -> None:
    """Hand the wanted frames of one segment to those who asked for them."""
    path = read_path(step, read, context)
    wanted = sorted(frames)
    pictures = _Pictures(size=_size_of(path), uses=[frames[frame] for frame in wanted])
    argv = _grab_argv(path, wanted)
    run_ffmpeg(argv, step, context, stdout_to=pictures.feed, reports=False)
    if pictures.taken != len(wanted):
        raise OutputRejected(f"{step.title}: segment {read} has no frame {wanted[pictures.taken]}")


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
    """Cuts a stream of raw RGB into pictures and passes each one on."""

    size: Size
    uses: Sequence[Sequence[_Use]]
    taken: int = 0
    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        self._rest += data
        length = self.size[0] * self.size[1] * 3
        while len(self._rest) >= length and self.taken < len(self.uses):
            picture = Image.frombytes("RGB", self.size, bytes(self._rest[:length]))
            del self._rest[:length]
            for use in self.uses[self.taken]:
                use(picture)
            self.taken += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A sheet of paper with room for one cell per frame."""

    image: Image.Image
    columns: int
    cell: Size
    labels: Sequence[str]

    @classmethod
    def empty(cls, params: Mapping[str, Any]) -> _Sheet:
        count, columns = len(params["frames"]), max(1, int(params["columns"]))
        columns = min(columns, max(1, count))
        width, height = (int(side) for side in params["cell"])
        rows = max(1, -(-count // columns))
        size = (_GAP + columns * (width + _GAP), _GAP + rows * (height + _GAP))
        return cls(
            image=Image.new("RGB", size, _PAPER),
            columns=columns,
            cell=(width, height),
            labels=tuple(params.get("labels", ())),
        )

    def placer(self, index: int) -> _Use:
        """Puts a picture into cell `index`, as large as it fits."""
        return lambda picture: self._place(index, picture)

    def _place(self, index: int, picture: Image.Image) -> None:
        row, column = divmod(index, self.columns)
        width, height = self.cell
        left, top = _GAP + column * (width + _GAP), _GAP + row * (height + _GAP)
        small = picture.resize(_fitted(picture.size, self.cell), Image.Resampling.LANCZOS)
        middle = ((width - small.width) // 2, (height - small.height) // 2)
        self.image.paste(small, (left + middle[0], top + middle[1]))
        if index < len(self.labels) and self.labels[index]:
            self._label(self.labels[index], left + middle[0], top + middle[1] + small.height)

    def _label(self, text: str, left: int, bottom: int) -> None:
        size = max(10, self.cell[1] // _LABEL_SHARE)
        font = ImageFont.load_default(size)
        draw = ImageDraw.Draw(self.image)
        pad = size // 3
        box = draw.textbbox((left + pad, bottom - pad), text, font=font, anchor="ls")
        draw.rectangle((left, box[1] - pad, box[2] + pad, bottom - 1), fill=_PAPER)
        draw.text((left + pad, bottom - pad), text, font=font, anchor="ls", fill=_INK)


def _fitted(size: Size, room: Size) -> Size:
    """The largest size of the same shape inside `room`, in whole pixels."""
    width, height = size
    if width * room[1] >= height * room[0]:
        return (room[0], max(1, (2 * height * room[0] + width) // (2 * width)))
    return (max(1, (2 * width * room[1] + height) // (2 * height)), room[1])


def _saver(path: Path) -> _Use:
    return lambda picture: _save(picture, path)


def _save(picture: Image.Image, path: Path) -> None:
    if path.suffix == ".png":
        picture.save(path, "PNG")
    else:
        picture.save(path, "JPEG", quality=_QUALITY, subsampling=0)
