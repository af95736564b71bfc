"""ENCODE_SEGMENT: layers become one closed-GOP segment, which is decoded before it is kept."""

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
