"""One frame of a timeline as a picture to look at, drawn sooner than a segment is.

What lies under the uppermost texts is a step of its own: while a text is written, the rest of the
frame is found in the store, and only the text is laid over it anew.
"""

from __future__ import annotations

from dataclasses import replace

from renderer.graph.colour import as_jpeg
from renderer.graph.nodes import Output
from renderer.graph.video import SegmentGraph
from renderer.plan import draw_step, segment_steps
from renderer.resolve.window import windowed
from renderer.segments import Segment, cut
from renderer.steps import Read, Step, StepKind, make_step
from renderer.timebase import Span
from renderer.timeline import Blend, Element, Layer, Quality, TextPicture, Timeline

FRAME = "frame.jpg"
"""The output of the last step."""
_JPEG = ("-frames:v", "1", "-c:v", "mjpeg", "-q:v", "2", "-threads", "1", "-f", "image2",
         "-update", "1")  # fmt: skip


def frame_steps(timeline: Timeline, frame: int, toolchain: str) -> tuple[Step, ...]:
    """The steps that draw frame `frame`, the last giving `FRAME`. Raises IndexError."""
    segment, canvas = frame_alone(timeline, frame), timeline.canvas
    under, texts = _parted(segment.layers)
    steps: dict[str, Step] = {}
    base: Read | None = None
    if under and texts:
        exact = replace(timeline, canvas=replace(canvas, quality=Quality.LOSSLESS))
        below = segment_steps(exact, Segment(span=segment.span, layers=under), toolchain)
        steps = {step.key: step for step in below}
        base = Read(step=below[-1].key, output="segment.mp4")

    def drawn(element: Element) -> Read:
        step = draw_step(element, toolchain)
        steps.setdefault(step.key, step)
        return Read(step=step.key, output="picture.png")

    builder = SegmentGraph(canvas, drawn, segment.span)
    picture = builder.build_on(base, texts) if base else builder.build(segment.layers)
    out = Output(stream=as_jpeg(picture), name=f"@out:{FRAME}", arguments=_JPEG)
    whole = make_step(
        StepKind.DRAW_FRAME,
        f"frame {frame}",
        toolchain=toolchain,
        reads=tuple(builder.graph.reads),
        command=builder.graph.command([out], before=("-copyts",)),
        outputs=(FRAME,),
        frames=1,
    )
    return (*steps.values(), whole)


def frame_alone(timeline: Timeline, frame: int) -> Segment:
    """The frame as a segment: a film of one frame, drawn without its neighbours."""
    if not 0 <= frame < timeline.length:
        raise IndexError(f"the film has no frame {frame}")
    (segment,) = cut(windowed(timeline, Span(frame, frame + 1)))
    return segment


def _parted(layers: tuple[Layer, ...]) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """What is below, and the texts above all else."""
    first = len(layers)
    while first and _is_text(layers[first - 1]):
        first -= 1
    return layers[:first], layers[first:]


def _is_text(layer: Layer) -> bool:
    elements = (layer.before, layer.after) if isinstance(layer, Blend) else (layer.element,)
    return all(isinstance(element.picture, TextPicture) for element in elements)
