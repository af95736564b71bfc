"""The refusals of a source, in words: codes are stable, every message says what to do."""

from __future__ import annotations

from renderer.errors import Fault, SourceRefused
from renderer.limits import over_limit
from renderer.media import Size

CONVERT = "convert it to MP4, MKV, WebM, MP3, WAV, FLAC, PNG or JPEG"


def refused(code: str, message: str, hint: str) -> SourceRefused:
    """A refusal of one source; whoever knows where it is named adds the place."""
    return SourceRefused([Fault(code=code, message=message, hint=hint)])


def unreadable(message: str, hint: str = f"is the file complete? {CONVERT}") -> SourceRefused:
    """A file that cannot be made sense of."""
    return refused("source-unreadable", message, hint)


def check_pixels(size: Size, max_pixels: int) -> None:
    """Raises SourceRefused for a picture of more than `max_pixels`."""
    if size[0] * size[1] > max_pixels:
        words = over_limit(
            f"a picture of {size[0]}x{size[1]} pixels", "max_image_pixels", max_pixels
        )
        raise refused("source-too-large", words, "make the picture smaller")
