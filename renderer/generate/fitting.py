"""Whatever a provider sends becomes a PNG of exactly the asked size: measured, cut, scaled."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageChops

from renderer.generate.contract import ImageRequest
from renderer.generate.refusals import pictureless
from renderer.media import Size

_FORMATS = ("PNG", "JPEG", "WEBP")
_MAX_PIXELS = 50_000_000
_COMPRESSION = 4  # 6 takes three times as long, for a twentieth less
_KEY_GAIN = 2  # how fast green becomes clear: half green is wholly clear


def fitted(data: bytes, request: ImageRequest, who: str) -> tuple[bytes, Size]:
    """The picture as a PNG of `request.size`, and the size it came in.

    It covers the size and is cut in the middle; a transparent one has an alpha channel, where
    need be made from its green ground. Raises NoImage for what is no whole picture.
    """
    picture = _opened(data, who)
    came = picture.size
    if request.transparent and not _has_clear_parts(picture):
        picture = _without_green(picture)
    picture = _covering(picture.convert("RGBA" if request.transparent else "RGB"), request.size)
    return png_of(picture), came


def png_of(picture: Image.Image, compression: int = _COMPRESSION) -> bytes:
    """The picture as PNG, without any metadata; `compression` is zlib's, 0 to 9."""
    out = BytesIO()
    Image.frombytes(picture.mode, picture.size, picture.tobytes()).save(
        out, "PNG", compress_level=compression
    )
    return out.getvalue()


def _opened(data: bytes, who: str) -> Image.Image:
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                raise pictureless(who, f"a picture of {picture.width}x{picture.height} pixels")
            return picture.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise pictureless(who, f"what it sent is no whole picture ({error})") from error


def _has_clear_parts(picture: Image.Image) -> bool:
    darkest, _ = picture.getchannel("A").getextrema()
    return isinstance(darkest, (int, float)) and darkest < 255


def _without_green(picture: Image.Image) -> Image.Image:
    """Green beyond the stronger of red and blue becomes clear, and is taken out of the rest."""
    red, green, blue, _ = picture.split()
    other = ImageChops.lighter(red, blue)
    spill = ImageChops.subtract(green, other)
    alpha = spill.point([255 - min(255, _KEY_GAIN * level) for level in range(256)])
    return Image.merge("RGBA", (red, ImageChops.darker(green, other), blue, alpha))


def _covering(picture: Image.Image, size: Size) -> Image.Image:
    if picture.size == size:
        return picture
    width, height = picture.size
    # In whole pixels: the largest part of the picture in the shape that is asked for.
    part_width = min(width, max(1, height * size[0] // size[1]))
    part_height = min(height, max(1, width * size[1] // size[0]))
    left, top = (width - part_width) // 2, (height - part_height) // 2
    box = (left, top, left + part_width, top + part_height)
    lanczos = Image.Resampling.LANCZOS
    if picture.mode == "RGBA":  # premultiplied, so that clear pixels lend no colour
        return picture.convert("RGBa").resize(size, lanczos, box=box).convert("RGBA")
    return picture.resize(size, lanczos, box=box)
