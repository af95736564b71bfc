"""Stills become fitted PNGs once: FFmpeg never decodes a stranger's picture.

Everything here is whole numbers in, 8-bit pixels out. The PNGs carry no metadata, so equal
parameters and equal pixels give equal bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter

from renderer.media import Size
from renderer.raster.gradient import gradient
from renderer.raster.reading import MAX_PIXELS, read_still

_GAP = 3.0  # shrink by whole factors down to three times the target, then by Lanczos
_BEHIND_SCALE = 4  # the blurred picture behind is made at a quarter of its size
_BEHIND_SHARE = 30  # ... with a blur of a thirtieth of its shorter side
_BLEED = 2  # pixels
_EDGE = 4  # clear pixels around a turned picture, so that its edges are smooth


def draw_image(params: Mapping[str, Any], source: Path, out: Path) -> None:
    """Fit the still `source` as `params` say and write it to `out` as an 8-bit sRGB PNG.

    All numbers are whole; rectangles are [x, y, width, height]; absent means null:
    `crop`, in pixels of the upright source; `scale_to`, the size it is scaled to; `cut`, the
    part of the scaled picture to keep; `pad_to` and `pad_at`, the box it is put into and
    where; `blur_behind`, fill that box with a blurred copy instead of nothing;
    `rotation_mdeg`, thousandths of a degree clockwise, the canvas grows to even sides with
    clear corners; `opacity`, thousandths; `flatten`, [r, g, b] to put behind clear parts;
    `opaque`, the same with black; `max_pixels` of the source.

    The PNG is RGB when every pixel is solid, else RGBA. Raises SourceRefused for what is not
    a whole picture or is too large.
    """
    scale_to = _pair(params["scale_to"])
    crop = params.get("crop")
    limit = params.get("max_pixels") or MAX_PIXELS
    picture = read_still(source, max_pixels=limit, wanted=None if crop else scale_to)
    if crop:
        picture = _part(picture, crop)
    picture = _resized(picture, scale_to)
    if params.get("cut"):
        picture = _part(picture, params["cut"])
    if params.get("pad_to"):
        picture = _padded(picture, params)
    _write(_finished(picture, params), out)


def draw_gradient(params: Mapping[str, Any], out: Path) -> None:
    """A gradient of `size` pixels, written to `out` as a PNG.

    `kind` is linear or radial, `colours` are two or more [r, g, b, a], `stops` (may be
    absent) their places in thousandths, `angle` whole degrees as in CSS: 0 runs upwards, 90
    to the right. A radial one runs from the middle to the corners. `rotation_mdeg`,
    `opacity` and `flatten` are as for `draw_image`.
    """
    picture = gradient(
        _pair(params["size"]),
        kind=params["kind"],
        angle=params.get("angle") or 0,
        colours=[tuple(colour) for colour in params["colours"]],
        stops=params.get("stops"),
    )
    _write(_finished(picture, params), out)


def finish_text(picture: Image.Image, params: Mapping[str, Any], out: Path) -> None:
    """A drawn text, scaled, turned and faded; written to `out` as a PNG with alpha."""
    sized = _resized(picture, _pair(params["scale_to"]))
    _write(_finished(sized, params).convert("RGBA"), out)


def _part(picture: Image.Image, rectangle: Sequence[int]) -> Image.Image:
    """The rectangle, moved inside the picture where rounding put it past an edge."""
    x, y, width, height = rectangle
    width, height = min(width, picture.width), min(height, picture.height)
    x = max(0, min(x, picture.width - width))
    y = max(0, min(y, picture.height - height))
    return picture.crop((x, y, x + width, y + height))


def _resized(picture: Image.Image, size: Size) -> Image.Image:
    if picture.size == size:
        return picture
    lanczos = Image.Resampling.LANCZOS
    if picture.mode == "RGBA":  # premultiplied, so that clear pixels lend no colour
        return picture.convert("RGBa").resize(size, lanczos, reducing_gap=_GAP).convert("RGBA")
    return picture.resize(size, lanczos, reducing_gap=_GAP)


def _padded(picture: Image.Image, params: Mapping[str, Any]) -> Image.Image:
    size = _pair(params["pad_to"])
    at = _pair(params.get("pad_at") or (0, 0))
    if params.get("blur_behind"):
        ground = _blurred(_flattened(picture, (0, 0, 0)), size)
        ground.paste(picture, at, picture if picture.mode == "RGBA" else None)
        return ground
    ground = Image.new("RGBA", size)
    ground.paste(picture, at)
    return ground


def _blurred(picture: Image.Image, size: Size) -> Image.Image:
    """The picture covering `size`, out of focus."""
    small = (max(2, size[0] // _BEHIND_SCALE), max(2, size[1] // _BEHIND_SCALE))
    share = max(small[0] / picture.width, small[1] / picture.height)
    seen = (small[0] / share, small[1] / share)
    left, top = (picture.width - seen[0]) / 2, (picture.height - seen[1]) / 2
    box = (max(0.0, left), max(0.0, top), *_inside(left + seen[0], top + seen[1], picture))
    cover = picture.resize(small, Image.Resampling.BICUBIC, box=box, reducing_gap=_GAP)
    blur = ImageFilter.GaussianBlur(max(1, min(small) // _BEHIND_SHARE))
    return cover.filter(blur).resize(size, Image.Resampling.BICUBIC)


def _inside(right: float, bottom: float, picture: Image.Image) -> tuple[float, float]:
    return min(right, float(picture.width)), min(bottom, float(picture.height))


def _finished(picture: Image.Image, params: Mapping[str, Any]) -> Image.Image:
    picture = _turned(picture, params.get("rotation_mdeg") or 0)
    opacity = params.get("opacity", 1000)
    if opacity < 1000:
        picture = picture.convert("RGBA")
        table = [(value * opacity + 500) // 1000 for value in range(256)]
        picture.putalpha(picture.getchannel("A").point(table))
    ground = params.get("flatten") or ((0, 0, 0) if params.get("opaque") else None)
    if ground:
        picture = _flattened(picture, ground)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        return picture.convert("RGB")
    return _bled(picture) if picture.mode == "RGBA" else picture


def _bled(picture: Image.Image) -> Image.Image:
    """Clear pixels beside an edge get its colour, still clear.

    Video keeps one colour for four pixels: without this the edges of red letters would be
    half as red, mixed with the black that nobody sees.
    """
    alpha = picture.getchannel("A")
    near = picture.convert("RGBa").filter(ImageFilter.BoxBlur(_BLEED)).convert("RGBA")
    near.putalpha(0)
    bled = picture.copy()
    bled.paste(near, (0, 0), alpha.point([255] + [0] * 255))
    return bled


def _turned(picture: Image.Image, mdeg: int) -> Image.Image:
    """The picture turned clockwise about its middle, on a canvas with even sides."""
    mdeg %= 360_000
    quarters = {
        0: None,
        90_000: Image.Transpose.ROTATE_270,
        180_000: Image.Transpose.ROTATE_180,
        270_000: Image.Transpose.ROTATE_90,
    }
    if mdeg in quarters:
        quarter = quarters[mdeg]
        return picture if quarter is None else picture.transpose(quarter)
    # Rounded, so that the last bits of a machine's sine cannot matter.
    angle = math.radians(mdeg / 1000)
    cosine, sine = round(math.cos(angle), 12), round(math.sin(angle), 12)
    width, height = picture.size
    size = (
        _even_up(abs(width * cosine) + abs(height * sine)),
        _even_up(abs(width * sine) + abs(height * cosine)),
    )
    colours, alpha = _edged(picture)
    x, y = size[0] / 2, size[1] / 2
    from_middle = (
        colours.width / 2 - cosine * x - sine * y,
        colours.height / 2 + sine * x - cosine * y,
    )
    matrix = (cosine, sine, from_middle[0], -sine, cosine, from_middle[1])
    affine, smooth = Image.Transform.AFFINE, Image.Resampling.BICUBIC
    turned = colours.transform(size, affine, matrix, smooth)
    turned.putalpha(alpha.transform(size, affine, matrix, smooth))
    return turned


def _edged(picture: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Colours with their edges drawn out on all sides, and an alpha that is clear there.

    Turned apart, each is cut off at its own limits: turned together, the overshoot of the
    smooth filter would leave a light line along the edges.
    """
    width, height = picture.size
    wide = (width + 2 * _EDGE, height + 2 * _EDGE)
    solid = picture.mode != "RGBA"
    alpha = Image.new("L", wide)
    opaque = Image.new("L", picture.size, 255)
    alpha.paste(opaque if solid else picture.getchannel("A"), (_EDGE, _EDGE))
    inner = picture if solid else _bled(picture).convert("RGB")
    nearest = Image.Resampling.NEAREST
    colours = Image.new("RGB", wide)
    for column, x in ((0, 0), (width - 1, _EDGE + width)):
        strip = inner.crop((column, 0, column + 1, height)).resize((_EDGE, height), nearest)
        colours.paste(strip, (x, _EDGE))
    colours.paste(inner, (_EDGE, _EDGE))
    for row, y in ((_EDGE, 0), (_EDGE + height - 1, _EDGE + height)):
        strip = colours.crop((0, row, wide[0], row + 1)).resize((wide[0], _EDGE), nearest)
        colours.paste(strip, (0, y))
    return colours, alpha


def _even_up(side: float) -> int:
    return 2 * math.ceil(round(side / 2, 6))


def _flattened(picture: Image.Image, colour: Sequence[int]) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGBA", picture.size, (*colour, 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def _write(picture: Image.Image, out: Path) -> None:
    picture.info.clear()  # no colour profile, resolution or text of the source
    picture.save(out, "PNG", compress_level=1)


def _pair(values: Sequence[int]) -> tuple[int, int]:
    first, second = values
    return first, second
