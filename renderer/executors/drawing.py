"""DRAW_*: pictures made in process by Pillow; thin bridges to `raster` and `text`."""

from __future__ import annotations

from renderer.errors import RenderFailed
from renderer.executors.context import Context, Made
from renderer.steps import Step


def draw_text(step: Step, context: Context) -> Made:
    """Typeset `params` to a PNG with alpha."""
    raise RenderFailed(f"{step.title}: drawing text is not wired up")


def draw_image(step: Step, context: Context) -> Made:
    """Fit the picture of read 0 to a PNG as `params` say."""
    raise RenderFailed(f"{step.title}: drawing images is not wired up")


def draw_gradient(step: Step, context: Context) -> Made:
    """Draw the gradient of `params` to a PNG."""
    raise RenderFailed(f"{step.title}: drawing gradients is not wired up")
