"""The pictures of the fake: a sun over two bands of colour, of the size the real one documents."""

from __future__ import annotations

import hashlib
from io import BytesIO
from math import isqrt

from PIL import Image, ImageDraw

from renderer.media import Size

_1K_SIZES: dict[str, Size] = {
    "1:1": (1024, 1024), "2:3": (832, 1248), "3:2": (1248, 832), "3:4": (864, 1184),
    "4:3": (1184, 864), "4:5": (896, 1152), "5:4": (1152, 896), "9:16": (768, 1344),
    "16:9": (1344, 768), "21:9": (1536, 672),
}  # fmt: skip
IMAGE_SIZES = {"512": 1, "1K": 2, "2K": 4, "4K": 8}
RATIOS = tuple(_1K_SIZES)
_GREEN = (0, 255, 0)


def size_of(ratio: str, image_size: str) -> Size:
    """The pixels of an aspect ratio and an image size."""
    width, height = _1K_SIZES[ratio]
    halves = IMAGE_SIZES[image_size]
    return width * halves // 2, height * halves // 2


def draw(prompt: str, size: Size) -> bytes:
    """A PNG; on green ground where the prompt asks for it."""
    seed = hashlib.sha256(prompt.encode()).digest()
    wants_green = "#00FF00" in prompt
    picture = Image.new("RGB", size, _GREEN if wants_green else (seed[0], seed[1], 160))
    pen = ImageDraw.Draw(picture)
    width, height = size
    if not wants_green:
        pen.rectangle((0, height * 2 // 3, width, height), fill=(seed[2] // 2, 40, seed[3] // 2))
    radius = isqrt(width * height) // 5
    x, y = width * (64 + seed[4] // 2) // 255, height // 2
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(250, 200, seed[5] // 2))
    out = BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()
