"""Layers become pictures: a closed-GOP segment, decoded before it is kept, or a single frame."""

from __future__ import annotations

from renderer.executors.commands import run_command
from renderer.executors.context import Context, Made
from renderer.executors.decode_check import check_segment
from renderer.steps import Step

SEGMENT = "segment.mp4"
FRAME_DIGESTS = "frames.bin"


def encode_segment(step: Step, context: Context) -> Made:
    """Run the command, then decode `segment.mp4` and note what is in it.

    `params["frames"]` is how many frames there must be. `frames.bin` holds the SHA-256 of
    each decoded frame, 32 bytes apiece. Raises OutputRejected for a segment gone wrong.
    """
    run_command(step, context)
    segment = context.workdir / SEGMENT
    digests = context.workdir / FRAME_DIGESTS
    facts = check_segment(
        segment,
        frames=int(step.params["frames"]),
        digests=digests,
        title=step.title,
        stop=context.stop,
    )
    return Made(files={SEGMENT: segment, FRAME_DIGESTS: digests}, facts=facts)


def draw_frame(step: Step, context: Context) -> Made:
    """Run the command, which writes the one output: a frame to look at. It goes into no film."""
    run_command(step, context)
    (name,) = step.outputs
    return Made(files={name: context.workdir / name})
