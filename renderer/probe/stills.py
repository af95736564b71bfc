"""Still pictures as facts. Each is decoded once, so that half a file is refused here."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from renderer.limits import Limits, over_limit
from renderer.media import MediaInfo, MediaKind, VideoFacts
from renderer.refusals import check_pixels, refused, unreadable

_EXIF_ORIENTATION = 0x0112
_EXIF_TURNS = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}  # degrees clockwise, mirrors aside
_PIXELS = {"L": "gray", "LA": "ya8", "P": "pal8", "RGB": "rgb24", "RGBA": "rgba", "1": "monob"}
_ANIMATED = ("PNG", "WEBP", "AVIF")
"""Forms whose further pictures are an animation; in a JPEG or TIFF they are something else."""
_PICTURE_ERRORS = (
    UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError,
    TypeError, OverflowError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow's readers raise for damaged files."""
# Pillow's own limit must not be lower than ours, which is checked here.
Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, Limits().max_image_pixels)


def probe_still(path: Path, form: str, max_pixels: int) -> MediaInfo:
    """The facts of a picture of a Pillow `form`. Raises SourceRefused."""
    with _opened(path, form, max_pixels) as picture:
        turn = picture.getexif().get(_EXIF_ORIENTATION, 1)
        frames = getattr(picture, "n_frames", 1) if form in _ANIMATED else 1
        picture.load()
        facts = _still_facts(picture, form, turn, frames)
    return MediaInfo(
        kind=MediaKind.IMAGE,
        media_type=f"image/{form.lower()}",
        demuxer="gif" if form == "GIF" else f"{form.lower()}_pipe",
        video=facts,
    )


def is_still_gif(path: Path, max_pixels: int) -> bool:
    """Whether a GIF does not move. Raises SourceRefused."""
    with _opened(path, "GIF", max_pixels) as picture:
        return not getattr(picture, "is_animated", False)


@contextmanager
def _opened(path: Path, form: str, max_pixels: int) -> Iterator[Image.Image]:
    """A picture, with Pillow's remarks on odd metadata unsaid and its errors in our words."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=[form]) as picture:
                check_pixels(picture.size, max_pixels)
                yield picture
    except Image.DecompressionBombError as error:
        message = over_limit("the picture", "max_image_pixels", max_pixels)
        raise refused("source-too-large", message, "make the picture smaller") from error
    except _PICTURE_ERRORS as error:
        raise unreadable(f"the {form} picture cannot be read: {error}") from error


def _still_facts(picture: Image.Image, form: str, turn: int, frames: int) -> VideoFacts:
    width, height = picture.size
    return VideoFacts(
        codec=form.lower(),
        coded_size=(width, height),
        display_size=(height, width) if turn in (5, 6, 7, 8) else (width, height),
        rotation=_EXIF_TURNS.get(turn, 0),
        sample_aspect=Fraction(1),
        frame_rate=Fraction(0),
        is_variable_rate=False,
        start=Fraction(0),
        duration=Fraction(0),
        longest_gap=Fraction(0),
        frame_count=frames,
        pixel_format=_PIXELS.get(picture.mode, picture.mode.lower()),
        has_alpha=picture.has_transparency_data,
        colour_matrix="gbr",
        colour_primaries="unknown",
        colour_transfer="unknown",
        colour_range="pc",
    )
