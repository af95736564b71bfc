"""One table from kinds of steps to the functions that do them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from renderer.errors import RenderFailed
from renderer.executors.audio import mix_audio
from renderer.executors.context import Context, Made
from renderer.executors.drawing import draw_gradient, draw_image, draw_text
from renderer.executors.encoding import draw_frame, encode_segment
from renderer.executors.joining import join
from renderer.executors.sheet import arrange_stills
from renderer.executors.stills import grab_stills
from renderer.steps import Step, StepKind

WORK: Mapping[StepKind, Callable[[Step, Context], Made]] = MappingProxyType(
    {
        StepKind.DRAW_TEXT: draw_text,
        StepKind.DRAW_IMAGE: draw_image,
        StepKind.DRAW_GRADIENT: draw_gradient,
        StepKind.ENCODE_SEGMENT: encode_segment,
        StepKind.MIX_AUDIO: mix_audio,
        StepKind.JOIN: join,
        StepKind.GRAB_STILLS: grab_stills,
        StepKind.DRAW_FRAME: draw_frame,
        StepKind.ARRANGE_STILLS: arrange_stills,
    }
)
"""Every kind of step has its function."""


def perform(step: Step, context: Context) -> Made:
    """Do `step` in `context.workdir`. Raises a RenderFailed, or Interrupted."""
    made = WORK[step.kind](step, context)
    absent = [name for name in step.outputs if name not in made.files]
    absent += [name for name, path in sorted(made.files.items()) if not path.is_file()]
    if absent:
        raise RenderFailed(f"{step.title}: did not make {', '.join(absent)}")
    return made
