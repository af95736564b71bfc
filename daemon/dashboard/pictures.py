"""Small pictures of assets: stills made smaller, a frame of a film; kept in memory."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import av
import av.error
from PIL import Image

from renderer.errors import Fault, SourceRefused
from renderer.raster.reading import read_still

PICTURED = ("image", "video")
"""The kinds of media that a picture is made of."""
_GROUND = (128, 128, 128)  # what shows through a transparent picture
_KEPT = 256
_MOST_PACKETS = 300


@lru_cache(_KEPT)
def small_picture(path: Path, sha256: str, media_type: str, edge: int, max_pixels: int) -> bytes:
    """A JPEG whose longer side has at most `edge` pixels.

    `sha256` is that of the file, so that another file in its place is another picture. Raises
    SourceRefused and OSError.
    """
    is_film = media_type.startswith("video/") or media_type == "image/gif"
    picture = _frame(path, max_pixels) if is_film else _still(path, edge, max_pixels)
    picture.thumbnail((edge, edge))
    if picture.mode == "RGBA":
        ground = Image.new("RGB", picture.size, _GROUND)
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    made = io.BytesIO()
    picture.convert("RGB").save(made, "JPEG", quality=82)
    return made.getvalue()


def _still(path: Path, edge: int, max_pixels: int) -> Image.Image:
    return read_still(path, max_pixels=max_pixels, wanted=(edge, edge))


def _frame(path: Path, max_pixels: int) -> Image.Image:
    """The first whole frame after a tenth of the film."""
    try:
        with av.open(str(path)) as film:
            stream = film.streams.video[0]
            context = stream.codec_context
            if context.width * context.height > max_pixels:
                raise _refused(f"a picture of {context.width}x{context.height} is too large")
            context.thread_count = 1
            if stream.duration:
                film.seek((stream.start_time or 0) + stream.duration // 10, stream=stream)
            for number, packet in enumerate(film.demux(stream)):
                for frame in packet.decode():
                    return Image.fromarray(frame.to_ndarray(format="rgb24"))
                if number > _MOST_PACKETS:
                    break
    except (av.error.FFmpegError, IndexError, ValueError) as error:
        raise _refused(f"the film cannot be read: {error}") from error
    raise _refused("the film has no frame")


def _refused(message: str) -> SourceRefused:
    return SourceRefused([Fault(code="source-unreadable", message=message)])
