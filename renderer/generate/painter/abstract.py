"""Scenes of nothing but light and shape: lights out of focus, facets, ribbons, rays."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from renderer.generate.painter.canvas import (
    RGB,
    Canvas,
    Points,
    blend,
    clamp,
    colour,
    noise,
    noise_line,
    ramp,
    smooth,
)
from renderer.generate.painter.chance import Chance
from renderer.generate.painter.palettes import Palette


def lights(canvas: Canvas, palette: Palette, chance: Chance) -> None:
    """Lamps out of focus in the dark."""
    clouds = noise(chance, canvas, 0.9, 3)
    fall = canvas.y / np.float32(canvas.height)
    ground = ramp(clouds * np.float32(0.7) + fall * np.float32(0.45), [
        palette.dark, palette.dark, palette.deep, palette.mid,
    ])  # fmt: skip
    canvas.lay(ground, 1.0)
    colours = (palette.mid, palette.light, palette.glow, palette.accent, palette.light)
    for _ in range(int(84 * (canvas.width * canvas.height) ** 0.5)):
        radius = 0.012 + 0.16 * chance.share() * chance.share() * chance.share()
        x = chance.between(-0.05, canvas.width + 0.05)
        y = canvas.height * (0.32 + 0.55 * (chance.share() + chance.share() - 0.6))
        _lamp(canvas, (x, y), radius, chance.one_of(colours), chance.between(0.16, 0.62))


def _lamp(
    canvas: Canvas, at: tuple[float, float], radius: float, paint: RGB, strength: float
) -> None:
    """A soft disc with a brighter rim, drawn in its own corner of the canvas."""
    reach = radius * 1.15
    rows = _span(at[1] - reach, at[1] + reach, canvas)
    columns = _span(at[0] - reach, at[0] + reach, canvas)
    dx, dy = canvas.x[:, columns] - np.float32(at[0]), canvas.y[rows] - np.float32(at[1])
    far = np.sqrt(dx * dx + dy * dy) / np.float32(radius)
    body = np.float32(1) - smooth(0.93, 1.03, far)
    level = body * (np.float32(0.62) + np.float32(0.38) * smooth(0.55, 1.0, far))
    light = colour(paint) / np.float32(255)
    part = canvas.pixels[:, rows, columns]
    part += (np.float32(255) - part) * (light * (level * np.float32(strength)))


def _span(low: float, high: float, canvas: Canvas) -> slice:
    unit = int(canvas.unit)
    return slice(max(0, int(low * unit)), max(0, int(high * unit) + 1))


def facets(canvas: Canvas, palette: Palette, chance: Chance) -> None:
    """A crumpled sheet of triangles, lit from one corner."""
    cell = 0.15
    columns, rows = int(canvas.width / cell) + 4, int(canvas.height / cell) + 4
    jitter = chance.table(rows, columns, 2)
    tall = chance.table(rows, columns)
    lean = chance.one_of((1, -1))
    places = [
        [
            (
                (c - 1 + 0.82 * (float(jitter[r, c, 0]) - 0.5)) * cell,
                (r - 1 + 0.82 * (float(jitter[r, c, 1]) - 0.5)) * cell,
                float(tall[r, c]),
            )
            for c in range(columns)
        ]
        for r in range(rows)
    ]
    drawn: list[tuple[Points, int]] = []
    for r in range(rows - 1):
        for c in range(columns - 1):
            a, b = places[r][c], places[r][c + 1]
            d, e = places[r + 1][c], places[r + 1][c + 1]
            for triangle in ((a, b, d), (b, e, d)) if (r + c) % 2 else ((a, b, e), (a, e, d)):
                drawn += [_facet(triangle, canvas, lean)]
    light = canvas.shapes(drawn)
    canvas.lay(ramp(light, [
        palette.dark, palette.deep, palette.mid, palette.light, palette.glow,
    ]), 1.0)  # fmt: skip
    far = canvas.distance(canvas.width * (0.85 if lean > 0 else 0.15), 0.0)
    canvas.shine(palette.accent, (np.float32(1) - smooth(0.0, 1.1, far)) * np.float32(0.3))


def _facet(
    triangle: tuple[tuple[float, float, float], ...], canvas: Canvas, lean: int
) -> tuple[Points, int]:
    x = sum(point[0] for point in triangle) / 3 / canvas.width
    y = sum(point[1] for point in triangle) / 3 / canvas.height
    slope = triangle[0][2] - triangle[1][2] + 0.5 * (triangle[2][2] - triangle[0][2])
    side = x if lean > 0 else 1 - x
    level = 0.52 * (1 - y) + 0.28 * side + 0.26 * slope + 0.06
    points = [(point[0], point[1]) for point in triangle]
    return points, max(1, min(255, int(255 * level)))


def ribbons(canvas: Canvas, palette: Palette, chance: Chance) -> None:
    """Silk that hangs across the picture, fold over fold."""
    lean = canvas.x / np.float32(canvas.width)
    fall = canvas.y / np.float32(canvas.height)
    canvas.lay(ramp(fall * np.float32(0.7) + lean * np.float32(0.3), [
        palette.dark, palette.deep, blend(palette.deep, palette.mid, 0.5),
    ]), 1.0)  # fmt: skip
    ribbons_in_all = 9
    slope = chance.between(-0.28, 0.28)
    for index in range(ribbons_in_all):
        share = index / (ribbons_in_all - 1)
        wave = noise_line(chance, canvas.x, 0.95, 2)
        middle = canvas.height * (0.16 + 0.80 * share)
        tilt = (lean - np.float32(0.5)) * np.float32(slope * canvas.height)
        line = np.float32(middle) + wave * np.float32(0.20) + tilt
        under = canvas.below(line)
        depth = chance.between(0.16, 0.34)
        body = np.float32(1) - smooth(0.0, depth, canvas.y - line)
        paint = (palette.mid, palette.light, palette.deep, palette.accent)[chance.integer(0, 3)]
        canvas.lay(blend(paint, palette.mid, 0.35), under * body * np.float32(0.72))
        shadow = smooth(-0.05, 0.0, canvas.y - line) * (np.float32(1) - under)
        canvas.lay(palette.dark, shadow * np.float32(0.35))
        rim = under * (np.float32(1) - smooth(0.0, 0.012, canvas.y - line))
        canvas.shine(palette.glow, rim * np.float32(0.55))


def rays(canvas: Canvas, palette: Palette, chance: Chance) -> None:
    """Beams out of one point behind soft hills."""
    x = canvas.width * chance.one_of((0.3, 0.5, 0.7))
    y = canvas.height * chance.between(0.5, 0.64)
    far = canvas.distance(x, y) / np.float32(max(canvas.width, canvas.height))
    canvas.lay(ramp(far * np.float32(1.5), [
        palette.glow, palette.light, palette.mid, palette.deep,
    ]), 1.0)  # fmt: skip
    beams = chance.integer(11, 15)
    turn, reach = chance.integer(0, 359), 3 * (canvas.width + canvas.height)
    drawn = []
    for beam in range(beams):
        start = turn + 360 * beam // beams
        end = start + 180 // beams
        drawn.append(([(x, y), _along(x, y, start, reach), _along(x, y, end, reach)], 255))
    cover = canvas.shapes(drawn) * smooth(0.02, 0.35, far)
    canvas.lay(palette.glow, cover * np.float32(0.26))
    disc = clamp((np.float32(0.13) - canvas.distance(x, y)) * canvas.unit + np.float32(0.5))
    canvas.shine(palette.accent, (np.float32(1) - smooth(0.0, 0.3, far)) * np.float32(0.5))
    canvas.lay(palette.sun, disc)
    for layer in range(3):
        near = layer / 2
        hill = noise_line(chance, canvas.x, 1.1 - 0.3 * near, 3)
        line = np.float32(canvas.height * (0.68 + 0.13 * layer)) - hill * np.float32(0.10)
        canvas.lay(blend(palette.mid, palette.dark, 0.35 + 0.65 * near), canvas.below(line))


def _along(x: float, y: float, degrees: int, reach: float) -> tuple[float, float]:
    return x + reach * float(_sine(degrees + 90)), y + reach * float(_sine(degrees))


def _sine(degrees: int) -> Fraction:
    """Bhaskara's sine: near enough for rays, and exact on every machine."""
    half, inside = divmod(degrees % 360, 180)
    product = inside * (180 - inside)
    value = Fraction(4 * product, 40500 - product)
    return -value if half else value
