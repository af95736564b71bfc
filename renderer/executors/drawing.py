"""DRAW_*: pictures made in process by Pillow; thin bridges to `raster` and `text`."""

from __future__ import annotations

from renderer import raster
from renderer.errors import RenderFailed
from renderer.executors.context import Context, Made, read_path
from renderer.fonts import load_fonts
from renderer.steps import Step
from renderer.text.draw import draw
from renderer.text.style import text_style_from_json
from renderer.text.typeset import typeset

_NAME = "picture.png"


def draw_text(step: Step, context: Context) -> Made:
    """Typeset `params` to a PNG with alpha; the reads are the font files of the spec."""
    out = context.workdir / _NAME
    own = [context.store.path(read.sha256) for read in step.reads]
    fonts = load_fonts(own)
    block = typeset(step.params["text"], text_style_from_json(step.params["style"]), fonts)
    if list(block.faces) != step.params["faces"]:
        raise RenderFailed(
            f"{step.title}: the fonts of this machine are not those the render was planned with",
            hint="install the same version of reelkiln and its fonts on every machine",
        )
    raster.finish_text(draw(block, fonts), step.params, out)
    return Made(files={_NAME: out})


def draw_image(step: Step, context: Context) -> Made:
    """Fit the picture of read 0 to a PNG as `params` say."""
    out = context.workdir / _NAME
    raster.draw_image(step.params, read_path(step, 0, context), out)
    return Made(files={_NAME: out})


def draw_gradient(step: Step, context: Context) -> Made:
    """Draw the gradient of `params` to a PNG."""
    out = context.workdir / _NAME
    raster.draw_gradient(step.params, out)
    return Made(files={_NAME: out})
