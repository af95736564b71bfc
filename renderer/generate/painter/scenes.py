"""Scenes of the open air: mountains, the sea, a city, a topographic map."""

from __future__ import annotations

import numpy as np

from renderer.generate.painter.canvas import (
    Canvas,
    blend,
    clamp,
    noise,
    noise_line,
    ramp,
    smooth,
)
from renderer.generate.painter.chance import Chance, Field
from renderer.generate.painter.palettes import Palette


def ridges(canvas: Canvas, palette: Palette, chance: Chance) -> None:
    """Ridge behind ridge in the haze, under a low sun."""
    horizon = canvas.height * chance.between(0.5, 0.62)
    _sky(canvas, palette, chance, horizon)
    _sun(canvas, palette, chance, horizon - chance.between(0.08, 0.26), 0.055)
    layers = 6
    for layer in range(layers):
        near = layer / (layers - 1)
        rough = noise_line(chance, canvas.x, 0.55 - 0.2 * near, 7)
        rise = 0.10 + 0.10 * near
        base = horizon + (canvas.height - horizon) * near * near * 0.8
        line = np.float32(base) - rough * np.float32(rise) - np.float32(0.03)
        shade = blend(blend(palette.light, palette.mid, min(1, near * 2)), palette.dark, near)
        cover = canvas.below(line)
        canvas.lay(shade, cover)
        mist = smooth(0.0, 0.45, canvas.y - line)
        haze = blend(palette.glow, palette.light, near)
        canvas.lay(haze, cover * mist * np.float32(0.45 * (1 - near)))


def sea(canvas: Canvas, palette: Palette, chance: Chance) -> None:
    """Swell under a sun that glitters on it."""
    horizon = canvas.height * chance.between(0.4, 0.5)
    _sky(canvas, palette, chance, horizon)
    x = _sun(canvas, palette, chance, horizon - chance.between(0.05, 0.16), 0.07)
    depth = (canvas.y - np.float32(horizon)) / np.float32(canvas.height - horizon)
    water = ramp(depth, [palette.light, palette.mid, palette.deep, palette.dark])
    canvas.lay(water, canvas.below(_flat(canvas, horizon)))
    bands = 16
    for band in range(1, bands):
        near = band / bands
        swell = noise_line(chance, canvas.x, 0.16 + 0.9 * near, 4)
        place = horizon + (canvas.height - horizon) * near * near * 1.05
        line = np.float32(place) + swell * np.float32(0.006 + 0.05 * near)
        under = canvas.below(line)
        fall = np.float32(1) - smooth(0.0, 0.05 + 0.25 * near, canvas.y - line)
        shade = blend(palette.mid, palette.dark, near)
        canvas.lay(shade, under * np.float32(0.34))
        canvas.lay(palette.light, under * fall * np.float32(0.22 * (1 - near * 0.6)))
        crest = np.float32(1) - clamp(np.abs(canvas.y - line) * np.float32(220 - 120 * near))
        canvas.lay(palette.glow, crest * np.float32(0.30))
    column = np.float32(1) - smooth(0.02, 0.34, np.abs(canvas.x - np.float32(x)))
    sparks = noise(chance, canvas, 0.028, 3, stretch=5)
    glitter = smooth(0.56, 0.72, sparks) * column * canvas.below(_flat(canvas, horizon))
    canvas.shine(palette.accent, glitter * np.float32(0.75))


def city(canvas: Canvas, palette: Palette, chance: Chance) -> None:
    """Towers with lit windows."""
    horizon = canvas.height * 0.86
    _sky(canvas, palette, chance, horizon)
    _sun(canvas, palette, chance, canvas.height * chance.between(0.22, 0.5), 0.11)
    for layer in range(4):
        near = layer / 3
        towers = _towers(canvas, chance, near)
        shade = blend(blend(palette.mid, palette.glow, 0.35), palette.dark, 0.15 + 0.85 * near)
        cover = canvas.below(towers)
        canvas.lay(shade, cover)
        fog = smooth(
            canvas.height * 0.55, canvas.height * 1.05, np.broadcast_to(canvas.y, cover.shape)
        )
        canvas.lay(
            blend(palette.light, palette.glow, 0.4), cover * fog * np.float32(0.5 * (1 - near))
        )
        if layer >= 2:
            _windows(canvas, palette, chance, towers, near)


def contours(canvas: Canvas, palette: Palette, chance: Chance) -> None:
    """A relief in layers, each with its line and its shadow."""
    height = noise(chance, canvas, 0.75, 4)
    lean = (canvas.x / np.float32(canvas.width) - np.float32(0.5)) * np.float32(0.22)
    height = clamp((height + lean - np.float32(0.2)) * np.float32(1.6))
    steps = 11
    scaled = height * np.float32(steps)
    level = np.floor(scaled)
    part = scaled - level
    colours = [palette.dark, palette.deep, palette.mid, palette.light, palette.glow]
    step = level + smooth(0.95, 1.0, part)  # a step has a slope, or its edge would be jagged
    canvas.lay(ramp(step / np.float32(steps), colours), 1.0)
    shadow = smooth(0.6, 0.95, part) * (np.float32(1) - smooth(0.95, 1.0, part))
    canvas.lay(palette.dark, shadow * np.float32(0.34))
    canvas.lay(palette.glow, (np.float32(1) - smooth(0.0, 0.25, part)) * np.float32(0.14))
    _sheen(canvas, palette, chance)


def _sheen(canvas: Canvas, palette: Palette, chance: Chance) -> None:
    """Light falls in from one side."""
    x = canvas.width * chance.one_of((0.05, 0.95))
    far = canvas.distance(x, canvas.height * chance.between(0.0, 0.3))
    canvas.shine(palette.glow, (np.float32(1) - smooth(0.0, 1.3, far)) * np.float32(0.28))


def _sky(canvas: Canvas, palette: Palette, chance: Chance, horizon: float) -> None:
    height = canvas.y / np.float32(horizon)
    top = palette.dark if palette.is_night else palette.deep
    sky = ramp(height, [top, palette.deep, palette.mid, palette.light, palette.glow])
    canvas.lay(sky, 1.0)
    if palette.is_night:
        _stars(canvas, palette, chance, horizon)
    clouds = noise(chance, canvas, 0.32, 5, stretch=3.2)
    cover = smooth(0.5, 0.78, clouds) * smooth(0.05, 0.7, height) * np.float32(0.42)
    canvas.lay(blend(palette.glow, palette.light, 0.35), cover)


def _stars(canvas: Canvas, palette: Palette, chance: Chance, horizon: float) -> None:
    dots = []
    for _ in range(int(170 * canvas.width * canvas.height)):
        x, y = chance.between(0, canvas.width), chance.between(0, horizon * 0.8)
        r = 0.0006 + 0.0013 * chance.share() * chance.share()
        dots.append((_square(x, y, r), chance.integer(70, 255)))
    fade = np.float32(1) - smooth(0.2, 0.75, canvas.y / np.float32(horizon))
    canvas.shine(palette.glow, canvas.shapes(dots) * fade)


def _square(x: float, y: float, r: float) -> list[tuple[float, float]]:
    return [(x - r, y), (x, y - r), (x + r, y), (x, y + r)]


def _sun(canvas: Canvas, palette: Palette, chance: Chance, y: float, radius: float) -> float:
    """A disc and its glow; gives its place across."""
    x = canvas.width * chance.one_of((0.28, 0.38, 0.64, 0.74))
    far = canvas.distance(x, y)
    canvas.shine(palette.glow, np.float32(0.6) * (np.float32(1) - smooth(0.0, 0.75, far)))
    canvas.shine(palette.accent, np.float32(0.5) * (np.float32(1) - smooth(0.0, 0.3, far)))
    disc = clamp((np.float32(radius) - far) * canvas.unit + np.float32(0.5))
    canvas.lay(palette.sun, disc)
    return x


def _towers(canvas: Canvas, chance: Chance, near: float) -> Field:
    """The roof line: the height in every column."""
    line = np.full(canvas.x.shape, canvas.height, dtype=np.float32)
    x = -0.05
    tallest = canvas.height * (0.62 - 0.30 * near)
    while x < canvas.width:
        wide = chance.between(0.045, 0.10) * (0.8 + 0.9 * near)
        middle = 1 - abs(x / canvas.width - 0.5)
        tall = tallest * (0.30 + 0.70 * chance.share() * middle)
        inside = (canvas.x >= np.float32(x)) & (canvas.x < np.float32(x + wide))
        line = np.where(inside, np.float32(canvas.height - tall), line)
        if chance.share() < 0.35:  # a mast, or a smaller top
            thin = wide * chance.one_of((0.06, 0.5))
            start = x + (wide - thin) / 2
            above = (canvas.x >= np.float32(start)) & (canvas.x < np.float32(start + thin))
            top = canvas.height - tall * chance.between(1.05, 1.22)
            line = np.where(above, np.float32(top), line)
        x += wide + chance.one_of((0.0, 0.0, 0.012))
    return line


def _windows(canvas: Canvas, palette: Palette, chance: Chance, towers: Field, near: float) -> None:
    cell_x, cell_y = 0.011 + 0.006 * near, 0.019 + 0.009 * near
    column, row = canvas.x / np.float32(cell_x), canvas.y / np.float32(cell_y)
    across, down = column - np.floor(column), row - np.floor(row)
    pane = (across > 0.28) & (across < 0.74) & (down > 0.25) & (down < 0.72)
    lit = chance.table(256, 512)
    i = np.floor(row).astype(np.int64)[:, 0] % 256
    j = np.floor(column).astype(np.int64)[0] % 512
    light = lit[i][:, j]
    glow = smooth(0.70, 1.0, light) * pane.astype(np.float32)
    inside = canvas.below(towers + np.float32(0.02))
    canvas.lay(palette.accent, glow * inside * np.float32(0.85))


def _flat(canvas: Canvas, height: float) -> Field:
    return np.full(canvas.x.shape, height, dtype=np.float32)
