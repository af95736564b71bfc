"""Decoration for a film: folds along the foot and lights in the corners; the middle is clear."""

from __future__ import annotations

import numpy as np
from PIL import Image

from renderer.generate.painter.abstract import lights, ribbons
from renderer.generate.painter.canvas import Canvas, noise_line, smooth
from renderer.generate.painter.chance import Chance, Field
from renderer.generate.painter.palettes import Palette
from renderer.media import Size


def paint_overlay(size: Size, palette: Palette, chance: Chance) -> Image.Image:
    """A picture with alpha."""
    canvas = Canvas(size, palette.dark)
    painting = chance.one_of((ribbons, lights, ribbons))
    painting(canvas, palette, chance.child("scene"))
    alpha = _foot(canvas, chance) + _corner(canvas, chance)
    levels = np.floor(np.clip(alpha * np.float32(255) + np.float32(0.5), 0, 255))
    picture = canvas.finished(chance, vignette=0)
    picture.putalpha(Image.fromarray(levels.astype(np.uint8)))
    return picture


def _foot(canvas: Canvas, chance: Chance) -> Field:
    line = noise_line(chance, canvas.x, 0.9, 2) * np.float32(0.05)
    edge = np.float32(canvas.height * chance.between(0.78, 0.84)) + line
    solid = canvas.below(edge)
    veil = smooth(-0.10, 0.0, canvas.y - edge) * np.float32(0.35)
    covered: Field = np.maximum(solid * np.float32(0.94), veil)
    return covered


def _corner(canvas: Canvas, chance: Chance) -> Field:
    x = canvas.width * chance.one_of((0.0, 1.0))
    far = canvas.distance(x, 0.0)
    radius = chance.between(0.16, 0.22)
    inner = np.float32(1) - smooth(radius, radius + 0.002, far)
    ring = smooth(radius + 0.018, radius + 0.02, far) * (
        np.float32(1) - smooth(radius + 0.024, radius + 0.026, far)
    )
    decorated: Field = np.maximum(inner * np.float32(0.9), ring * np.float32(0.8))
    return decorated
