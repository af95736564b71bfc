"""A stranger's still becomes upright 8-bit sRGB pixels, or is refused with a sentence."""

from __future__ import annotations

import io
import struct
from pathlib import Path

from PIL import Image, ImageCms, UnidentifiedImageError

from renderer.errors import Fault, SourceRefused
from renderer.media import Size

MAX_PIXELS = 100_000_000
"""The most pixels a still may have where nothing else is said."""

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_ORIENTATION = 0x0112  # the EXIF tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)
# What decoders were seen to raise on damaged files.
_BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error),
    *(TypeError, LookupError, ArithmeticError),
)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError)

# Pillow's own alarm rings at the same mark as ours, for the whole process.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def read_still(
    path: Path, *, max_pixels: int = MAX_PIXELS, wanted: Size | None = None
) -> Image.Image:
    """The (first) picture of `path`, upright, in sRGB, as RGB or RGBA.

    `wanted` is the size it will be scaled to: a JPEG at least four times that large is
    decoded at a fraction of its size, never under twice `wanted`. Raises SourceRefused for
    more than `max_pixels`, and for what is no picture or is cut short.
    """
    try:
        with Image.open(path, formats=_FORMATS) as opened:
            _refuse_large(opened.size, max_pixels)
            turn = opened.getexif().get(_ORIENTATION, 1)
            if wanted and opened.format == "JPEG":
                width, height = (wanted[1], wanted[0]) if turn in _SIDEWAYS else wanted
                opened.draft(None, (2 * width, 2 * height))
            opened.load()
            profile = opened.info.get("icc_profile")
            upright = opened.transpose(_UPRIGHT[turn]) if turn in _UPRIGHT else opened.copy()
            return _in_srgb(upright, profile)
    except _BOMBS as error:
        raise _refused("the picture is too large to open", "make it smaller") from error
    except _BROKEN as error:
        raise _refused(
            f"the picture cannot be read: {_words(error, path)}",
            "is the file complete? open it elsewhere and save it again as PNG or JPEG",
        ) from error


def _refuse_large(size: Size, max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise _refused(
            f"a picture of {size[0]}x{size[1]} has more than {max_pixels} pixels",
            "make it smaller, or raise max_image_pixels (REELKILN_MAX_IMAGE_PIXELS)",
        )


def _refused(message: str, hint: str) -> SourceRefused:
    return SourceRefused([Fault(code="source-unreadable", message=message, hint=hint)])


def _words(error: BaseException, path: Path) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(_FORMATS)}"
    return str(error).replace(str(path), "the file") or type(error).__name__


def _in_srgb(picture: Image.Image, profile: object) -> Image.Image:
    picture = _plain(picture)
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    base = picture.convert(picture.mode[:-1]) if alpha else picture
    colours = _converted(base, profile).convert("RGB")
    if alpha:
        colours.putalpha(alpha)
    return colours


def _plain(picture: Image.Image) -> Image.Image:
    """The same picture in one of the modes L, LA, RGB, RGBA, CMYK, LAB."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return _in_eight_bits(picture)
    if picture.has_transparency_data or picture.mode in ("La", "RGBa", "PA"):
        is_grey = picture.mode in ("L", "LA", "La", "1")
        return picture.convert("RGBA") if not is_grey else picture.convert("LA")
    if picture.mode in ("L", "RGB", "CMYK", "LAB"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _in_eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, or of real numbers from 0 to 1. Rounded, not cut off."""
    if picture.mode == "F":
        return picture.point(lambda value: value * 255 + 0.5).convert("L")
    wide = picture.convert("I")
    most = wide.getextrema()[1]
    share = 255 / (65535 if not isinstance(most, (int, float)) or most < 65536 else 2**31 - 1)
    return wide.convert("F").point(lambda value: value * share + 0.5).convert("L")


def _converted(picture: Image.Image, profile: object) -> Image.Image:
    """The picture in sRGB; a profile that is broken or of another kind is ignored."""
    if picture.mode == "LAB":
        return _mapped(picture, ImageCms.createProfile("LAB"))
    if not isinstance(profile, bytes) or not profile:
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if picture.mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(source):
            return picture
        return _mapped(picture, source)
    except (ImageCms.PyCMSError, OSError):
        return picture  # as browsers do: the picture is worth more than its profile


def _mapped(picture: Image.Image, source: object) -> Image.Image:
    target = ImageCms.createProfile("sRGB")
    mapped = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")  # type: ignore[arg-type]
    assert mapped is not None  # None is for work in place
    return mapped
