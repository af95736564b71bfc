"""Stills become fitted PNGs once: FFmpeg never decodes a stranger's picture."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageFilter, ImageOps

from renderer.errors import RenderFailed

MAX_PIXELS = 100_000_000


def draw_image(params: Mapping[str, Any], source: Path, out: Path) -> None:
    """Crop, scale, cut, pad, turn and fade a still as `params` say; writes a PNG.

    Raises RenderFailed when the file is no picture or has more than MAX_PIXELS pixels.
    """
    picture = _opened(source)
    if params.get("crop"):
        x, y, w, h = params["crop"]
        picture = picture.crop((x, y, x + w, y + h))
    fitted = _resized(picture, tuple(params["scale_to"]))
    if params.get("cut"):
        x, y, w, h = params["cut"]
        fitted = fitted.crop((x, y, x + w, y + h))
    if params.get("pad_to"):
        fitted = _padded(picture, fitted, params)
    _finish(fitted, params).save(out, "PNG", compress_level=1)


def draw_gradient(params: Mapping[str, Any], out: Path) -> None:
    """A gradient of `size` from `colours` along `angle` (0 up, 90 right) or radially."""
    width, height = params["size"]
    ramp = Image.new("RGBA", (1024, 1))
    ramp.putdata([_at(params["colours"], n) for n in range(1024)])
    if params["kind"] == "radial":
        picture = _radial(params["colours"], width, height)
    else:
        picture = _linear(ramp, int(params["angle"]), width, height)
    _finish(picture, params).save(out, "PNG", compress_level=1)


def finish_text(picture: Image.Image, params: Mapping[str, Any], out: Path) -> None:
    """A drawn text, scaled, turned and faded; writes a PNG with alpha."""
    sized = _resized(picture, tuple(params["scale_to"]))
    _finish(sized, params).convert("RGBA").save(out, "PNG", compress_level=1)


def _opened(source: Path) -> Image.Image:
    try:
        with Image.open(source) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise RenderFailed(f"a picture of {opened.width}x{opened.height} is too large")
            opened.load()
            turned = ImageOps.exif_transpose(opened)
            return _in_srgb(turned, opened.info.get("icc_profile"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise RenderFailed(f"the picture cannot be read: {error}") from error


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = picture.convert("I").point(lambda value: value / 257).convert("L")
    has_alpha = picture.has_transparency_data
    if profile and picture.mode in ("RGB", "RGBA", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
            plain = picture.convert("RGB") if picture.mode == "RGBA" else picture
            mapped = ImageCms.profileToProfile(
                plain, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            picture = mapped or picture
            if alpha:
                picture.putalpha(alpha)
        except ImageCms.PyCMSError:
            pass  # a broken profile is ignored, as browsers do
    return picture.convert("RGBA" if has_alpha else "RGB")


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.size == size:
        return picture
    if picture.mode == "RGBA":  # premultiplied, so that edges get no dark fringe
        return picture.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    return picture.resize(size, Image.Resampling.LANCZOS)


def _padded(picture: Image.Image, fitted: Image.Image, params: Mapping[str, Any]) -> Image.Image:
    size = tuple(params["pad_to"])
    if params.get("blur_behind"):
        cover = ImageOps.fit(picture.convert("RGB"), (size[0] // 4, size[1] // 4))
        blurred = cover.filter(ImageFilter.GaussianBlur(max(2, size[1] // 60)))
        ground = blurred.resize(size, Image.Resampling.BICUBIC)
    else:
        ground = Image.new("RGBA", size)
    ground.paste(fitted, tuple(params["pad_at"]), fitted if fitted.mode == "RGBA" else None)
    return ground


def _finish(picture: Image.Image, params: Mapping[str, Any]) -> Image.Image:
    if params.get("rotation_mdeg"):
        picture = picture.convert("RGBA").rotate(
            -params["rotation_mdeg"] / 1000, Image.Resampling.BICUBIC, expand=True
        )
    if params.get("opacity", 1000) < 1000:
        picture = picture.convert("RGBA")
        alpha = picture.getchannel("A")
        picture.putalpha(alpha.point(lambda value: value * params["opacity"] // 1000))
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
    return picture


def _at(colours: list[list[int]], n: int, last: int = 1023) -> tuple[int, ...]:
    place = n * (len(colours) - 1)
    index = min(place // last, len(colours) - 2)
    rest = place - index * last
    pair = zip(colours[index], colours[index + 1], strict=True)
    return tuple((a * (last - rest) + b * rest + last // 2) // last for a, b in pair)


def _linear(ramp: Image.Image, angle: int, width: int, height: int) -> Image.Image:
    turn = math.radians(angle)
    dx, dy = math.sin(turn), -math.cos(turn)
    reach = abs(width * dx) + abs(height * dy)
    scale = 1022 / max(reach, 1)
    offset = 0.5 + (reach - width * dx - height * dy) / 2 * scale
    strip = ramp.resize((1024, 3), Image.Resampling.NEAREST)
    matrix = (dx * scale, dy * scale, offset, 0, 0, 1.5)
    return strip.transform(
        (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )


def _radial(colours: list[list[int]], width: int, height: int) -> Image.Image:
    side = Image.radial_gradient("L").crop((0, 0, 256, 256))
    shade = side.resize((width, height), Image.Resampling.BICUBIC)
    tables = [_at(colours, n, 255) for n in range(256)]
    bands = [shade.point([table[band] for table in tables]) for band in range(4)]
    return Image.merge("RGBA", bands)
