"""Stills, gradients and words as PNGs of exactly the pixels that the graph lays down."""

from __future__ import annotations

from renderer.raster.fit import draw_gradient, draw_image, finish_text

__all__ = ["draw_gradient", "draw_image", "finish_text"]
