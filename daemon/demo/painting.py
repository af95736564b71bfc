"""Landscapes painted from a few colours and a seed: sky, sun, ridges, pines, still water.

Everything is drawn at twice the size and halved, so that edges are smooth. A seed gives the
same picture every time.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageOps

Size = tuple[int, int]
RGB = tuple[int, int, int]

_FINE = 2  # drawn this much larger
_STEPS = 512  # points of a broken line


@dataclass(frozen=True, slots=True, kw_only=True)
class Ridge:
    """A row of hills: `top` is the height of its crest as a share of the picture, from above.

    `jagged` is 0 for rolling downs and 1 for peaks; `pines` is how many trees stand on it.
    """

    top: float
    height: float
    jagged: float
    colour: str
    haze: str
    pines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A landscape, back to front. `sun` is (x, y, radius) in shares of the height."""

    seed: int
    sky: tuple[str, ...]
    ridges: tuple[Ridge, ...]
    sun: tuple[float, float, float] | None = None
    sun_colour: str = "#fff1d0"
    stars: int = 0
    water: str = ""  # colour of a lake that mirrors the ridges behind it
    shore: float = 0.68
    front: tuple[Ridge, ...] = ()


def paint(scene: Scene, size: Size) -> Image.Image:
    """The scene as an RGB picture of `size`."""
    picture = backdrop(scene, size)
    for number, ridge in enumerate(scene.ridges):
        layer = ridge_layer(ridge, size, seed=scene.seed + number)
        picture.paste(layer, (0, 0), layer)
    if scene.water:
        _mirror(picture, scene)
    for number, ridge in enumerate(scene.front):
        layer = ridge_layer(ridge, size, seed=scene.seed + 50 + number)
        picture.paste(layer, (0, 0), layer)
    return picture


def backdrop(scene: Scene, size: Size) -> Image.Image:
    """Sky, stars and sun alone."""
    picture = shade(size, scene.sky)
    if scene.stars:
        _sprinkle(picture, scene)
    if scene.sun:
        _shine(picture, scene.sun, scene.sun_colour)
    return picture


def shade(size: Size, colours: tuple[str, ...]) -> Image.Image:
    """A gradient from top to bottom through all `colours`."""
    column = Image.new("RGB", (1, size[1]))
    last = max(1, size[1] - 1)
    column.putdata([_between(colours, y, last) for y in range(size[1])])
    return column.resize(size, Image.Resampling.NEAREST)


def ridge_layer(ridge: Ridge, size: Size, *, seed: int) -> Image.Image:
    """One row of hills on nothing, as RGBA; may be wider than a picture, for films."""
    width, height = size
    fine = (width * _FINE, height * _FINE)
    crest = _crest(ridge, fine, seed)
    mask = Image.new("L", fine)
    draw = ImageDraw.Draw(mask)
    outline = [(x, y) for x, y in enumerate(crest)]
    draw.polygon([(0, fine[1]), *outline, (fine[0], fine[1])], fill=255)
    _plant(draw, ridge, crest, fine, seed)
    layer = Image.new("RGB", size, ridge.colour)
    top = max(0, min(round((ridge.top - ridge.height / 2) * height), height - 2))
    lower = shade((width, height - top), (ridge.colour, ridge.haze))
    layer.paste(lower, (0, top))
    layer.putalpha(mask.reduce(_FINE))
    return layer


def _crest(ridge: Ridge, size: Size, seed: int) -> list[float]:
    """The height of the ridge at each column: slow waves, and broken lines where jagged."""
    width, height = size
    dice = random.Random(seed)  # noqa: S311 - wanted: the same every time
    waves = [(dice.uniform(0.6, 2.6) * 2**n, dice.uniform(0, math.tau), 0.5**n) for n in range(3)]
    broken = _broken_line(dice)
    scale = _STEPS * 9 / 16 / height  # one broken line is one 16:9 picture wide
    crest = []
    for x in range(width):
        turn = x / height
        smooth = sum(a * math.sin(f * turn + p) for f, p, a in waves) / 1.75
        place = x * scale % _STEPS
        low = int(place)
        rough = broken[low] + (broken[low + 1] - broken[low]) * (place - low)
        swing = smooth * (1 - ridge.jagged) + rough * ridge.jagged
        crest.append((ridge.top - ridge.height / 2 * swing) * height)
    return crest


def _broken_line(dice: random.Random) -> list[float]:
    """Midpoint displacement: `_STEPS` + 1 heights from -1 to 1 that meet at their ends."""
    line = [0.0, 0.0]
    reach = 1.0
    while len(line) <= _STEPS:
        finer = []
        for left, right in pairwise(line):
            finer += [left, (left + right) / 2 + dice.uniform(-reach, reach)]
        line = [*finer, line[-1]]
        reach *= 0.52
    low, high = min(line), max(line)
    return [2 * (value - low) / (high - low) - 1 for value in line]


def _plant(
    draw: ImageDraw.ImageDraw, ridge: Ridge, crest: list[float], size: Size, seed: int
) -> None:
    """Pines along a crest, in clumps, each three stacked triangles on a stem."""
    dice = random.Random(seed + 1000)  # noqa: S311 - wanted: the same every time
    for _ in range(ridge.pines):
        clump = dice.uniform(0, 1)
        x = int(min(0.999, abs(clump + dice.gauss(0, 0.02))) * (len(crest) - 1))
        tall = size[1] * dice.uniform(0.05, 0.13) * (0.5 + ridge.top / 2)
        foot = crest[x] + tall * 0.1
        for tier in range(3):
            peak = foot - tall * (1 - tier * 0.24)
            base = foot - tall * (0.58 - tier * 0.24)
            wide = tall * (0.11 + tier * 0.055)
            draw.polygon([(x, peak), (x - wide, base), (x + wide, base)], fill=255)
        draw.rectangle((x - tall * 0.02, foot - tall * 0.2, x + tall * 0.02, foot), fill=255)


def _sprinkle(picture: Image.Image, scene: Scene) -> None:
    dice = random.Random(scene.seed + 2000)  # noqa: S311 - wanted: the same every time
    width, height = picture.size
    for _ in range(scene.stars):
        spot = (int(dice.uniform(0, width)), int(dice.uniform(0, 0.6) * height))
        glow = int(dice.uniform(60, 235) * (1 - spot[1] / height))
        there = picture.getpixel(spot)
        assert isinstance(there, tuple)
        picture.putpixel(spot, tuple(min(255, int(value) + glow) for value in there))


def _shine(picture: Image.Image, sun: tuple[float, float, float], colour: str) -> None:
    height = picture.height
    x, y, radius = (round(value * height) for value in sun)
    for reach, strength in ((9, 90), (4, 120)):
        side = 2 * reach * radius
        glow = ImageOps.invert(Image.radial_gradient("L").resize((side, side)))
        # Squared, it fades out before the corners of its square.
        glow = glow.point([max(0, v - 76) ** 2 * strength // (179 * 179) for v in range(256)])
        picture.paste(colour, (x - side // 2, y - side // 2), glow)
    side = 2 * radius
    disc = Image.new("L", (side * 4, side * 4))
    ImageDraw.Draw(disc).ellipse((2, 2, side * 4 - 3, side * 4 - 3), fill=255)
    picture.paste(colour, (x - radius, y - radius), disc.reduce(4))


def _mirror(picture: Image.Image, scene: Scene) -> None:
    """A lake below the shore line: what stands above it, upside down, rippled and tinted."""
    width, height = picture.size
    shore = round(scene.shore * height)
    depth = height - shore
    above = picture.crop((0, shore - depth, width, shore)) if shore >= depth else picture
    still = ImageOps.flip(above).resize((width, depth)).filter(ImageFilter.BoxBlur(height / 400))
    still = Image.blend(still, Image.new("RGB", still.size, scene.water), 0.38)
    for y in range(depth):
        near = y / depth
        shift = round(math.sin(y * 0.55 / (0.25 + near)) * (1 + 7 * near) * height / 720)
        row = still.crop((0, y, width, y + 1))
        picture.paste(row, (shift, shore + y))
        if shift:
            edge = row.crop((width - shift, 0, width, 1)) if shift > 0 else row.crop(
                (0, 0, -shift, 1))  # fmt: skip
            picture.paste(ImageOps.mirror(edge), (0 if shift > 0 else width + shift, shore + y))


def balloon(height: int, colours: tuple[str, str], basket: str = "#5b3a29") -> Image.Image:
    """A striped hot-air balloon on nothing, as RGBA."""
    fine = height * 4
    wide = fine * 7 // 10
    stripes = Image.new("RGB", (wide, fine), colours[0])
    draw = ImageDraw.Draw(stripes)
    for share, colour in ((0.82, 1), (0.60, 0), (0.36, 1), (0.12, 0)):  # gores, rim to middle
        half = wide * share / 2
        draw.ellipse((wide / 2 - half, 0, wide / 2 + half, wide), fill=colours[colour])
    for side in (-1, 1):
        rope = wide / 2 + side * wide * 0.1
        draw.line((wide / 2 + side * wide * 0.3, wide * 0.88, rope, fine * 0.9), "black", 6)
    mask = Image.new("L", stripes.size)
    cut = ImageDraw.Draw(mask)
    cut.ellipse((2, 2, wide - 3, wide), fill=255)
    cut.polygon([(wide * 0.07, wide * 0.72), (wide * 0.93, wide * 0.72),
                 (wide * 0.62, wide * 1.17), (wide * 0.38, wide * 1.17)], fill=255)  # fmt: skip
    draw.polygon([(wide * 0.38, wide * 1.12), (wide * 0.62, wide * 1.12),
                  (wide * 0.62, wide * 1.17), (wide * 0.38, wide * 1.17)], fill=basket)  # fmt: skip
    box = (wide * 0.4, fine * 0.88, wide * 0.6, fine - 2)
    draw.rectangle(box, fill=basket)
    cut.rounded_rectangle(box, wide * 0.03, fill=255)
    for side in (-1, 1):
        cut.line((wide / 2 + side * wide * 0.11, wide * 1.15, wide / 2 + side * wide * 0.09,
                  fine * 0.9), 255, 6)  # fmt: skip
    stripes.putalpha(mask)
    return stripes.reduce(4)


def _between(colours: tuple[str, ...], place: int, last: int) -> RGB:
    at = place * (len(colours) - 1)
    index = min(at // last, len(colours) - 2)
    rest = at - index * last
    pair = zip(_rgb(colours[index]), _rgb(colours[index + 1]), strict=True)
    red, green, blue = ((a * (last - rest) + b * rest + last // 2) // last for a, b in pair)
    return red, green, blue


def _rgb(colour: str) -> RGB:
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue
