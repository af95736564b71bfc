"""Layers of a segment as a filter graph: legs of frames, laid over each other.

Every leg counts frames from its clip's first: whatever depends on time depends on that
count alone, so a clip cut into segments gives the frames it gives in one piece.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import ffmpeg

from renderer.graph.colour import in_bt709, still_in_bt709
from renderer.graph.exact import rate_text, tick_text
from renderer.graph.nodes import Graph, Stream
from renderer.graph.shape import fitted, moved, turned
from renderer.steps import Read
from renderer.timebase import Span, round_half_up, seconds_text
from renderer.timeline import Blend, Canvas, Element, Layer, TextPicture, VideoPicture

Drawn = Callable[[Element], Read]
"""Where the drawn PNG of an element's still picture is."""

_EARLY = Fraction(3, 10)
"""A source frame may be shown up to a fifth of a frame early (0.5 - 0.3): ties never occur."""
_MARGIN = 1  # seconds of extra look-back before a seek
_MICRO = 1_000_000


class SegmentGraph:
    """Builds the graph of the layers seen within `span` (frames of the timeline)."""

    def __init__(self, canvas: Canvas, drawn: Drawn, span: Span) -> None:
        self.graph = Graph()
        self.canvas = canvas
        self.drawn = drawn
        self.span = span

    def build(self, layers: tuple[Layer, ...]) -> Stream:
        """The finished picture: exactly `span.length` frames of tagged yuv420p."""
        still = all(not self.moves(layer) for layer in layers)
        base = self._background()
        frames_made = still
        if (
            layers
            and is_full(layers[0], self.canvas)
            and layers[0].span.clamped(self.span) == (self.span)
        ):
            base = self._leg(layers[0], single=not self.moves(layers[0]))
            frames_made = still or self.moves(layers[0])
            layers = layers[1:]
        elif not still:
            frames_made = True
            base = _looped(base, self.span.length)
        for layer in layers:
            if self.moves(layer) and not frames_made:
                base, frames_made = _looped(base, self.span.length), True
            base = self._over(base, layer, single=not self.moves(layer))
        if still or not frames_made:
            base = _looped(base, self.span.length)
        return self._finished(base)

    def build_on(self, base: Read, layers: tuple[Layer, ...]) -> Stream:
        """Layers over a finished picture of one frame, for a span of that length."""
        picture = self.graph.read(base, f="mov")
        for layer in layers:
            picture = self._over(self._finished(picture), layer, single=not self.moves(layer))
        return self._finished(picture)

    def moves(self, layer: Layer) -> bool:
        """Whether the layer changes within the segment, or is not there all the time."""
        return moves(layer, self.span) or layer.span.clamped(self.span) != self.span

    def _finished(self, base: Stream) -> Stream:
        return (
            base.filter("settb", tick_text(self.canvas.fps))
            .filter("setpts", "N")
            .filter("setsar", "1")
            .filter("format", "yuv420p")
            .filter("setparams", range="tv", color_primaries="bt709", color_trc="bt709",
                    colorspace="bt709")
        )  # fmt: skip

    def _background(self) -> Stream:
        red, green, blue, _ = self.canvas.background
        return self._plain(f"0x{red:02x}{green:02x}{blue:02x}", "yuv420p").filter(
            "trim", end_frame=1
        )

    def _plain(self, colour: str, pixels: str) -> Stream:
        size = f"{self.canvas.size[0]}x{self.canvas.size[1]}"
        rate = rate_text(self.canvas.fps)
        source = self.graph.generated(f"color=c={colour}:s={size}:r={rate}")
        leg = still_in_bt709(source.filter("format", "gbrap"), pixels)
        return leg.filter("settb", tick_text(self.canvas.fps))

    def _over(self, base: Stream, layer: Layer, *, single: bool) -> Stream:
        leg = self._leg(layer, single=single)
        if isinstance(layer, Blend):
            x, y, evaluate = "0", "0", "init"
        else:
            x, y, evaluate = self._position(layer.element)
        action = "repeat" if single else "pass"
        return ffmpeg.filter(
            [base, leg], "overlay", x=x, y=y, eval=evaluate, format="yuv420", eof_action=action
        )

    def _position(self, element: Element) -> tuple[str, str, str]:
        cx, cy = element.placement.centre
        x, y = f"floor(({cx}/2-w/2)/2)*2", f"floor(({cy}/2-h/2)/2)*2"
        local = self.span.start - element.span.start
        slide_in, slide_out = element.enter, element.exit
        length = element.span.length
        evaluate = "init"
        # Not `n`: the overlay counts frames it has fetched, which runs ahead of those it shows.
        at = f"(round(t*{rate_text(self.canvas.fps)})+{local})"
        if slide_in.slide and local < slide_in.slide:
            share = f"pow(1-min({at}/{slide_in.slide},1),3)"
            x, y = _shifted(x, y, slide_in.side, share)
            evaluate = "frame"
        leaving = length - slide_out.slide
        if slide_out.slide and self.span.end - element.span.start > leaving:
            share = f"pow(max(({at}-{leaving})/{slide_out.slide},0),3)"
            x, y = _shifted(x, y, slide_out.side, share)
            evaluate = "frame"
        return x, y, evaluate

    def _leg(self, layer: Layer, *, single: bool) -> Stream:
        window = layer.span.clamped(self.span)
        leg = self._blend(layer, window) if isinstance(layer, Blend) else self._element(
            layer.element, window.shifted(-layer.element.span.start), single=single
        )  # fmt: skip
        offset = window.start - self.span.start
        return leg.filter("setpts", f"PTS-STARTPTS+{offset}")

    def _blend(self, blend: Blend, window: Span) -> Stream:
        whole = Span(blend.start, blend.start + blend.length)
        pixels = "yuv420p" if is_full(blend, self.canvas) else "yuva420p"
        before = self._on_canvas(blend.before, whole, pixels)
        after = self._on_canvas(blend.after, whole, pixels)
        seconds = seconds_text(blend.length / self.canvas.fps)
        if pixels == "yuva420p":
            before, after = _coloured_alike(before, after)
        mixed = ffmpeg.filter(
            [before, after], "xfade", transition=blend.transition, duration=seconds, offset=0
        )
        first = window.start - blend.start
        return mixed.filter("trim", start_frame=first, end_frame=first + window.length)

    def _on_canvas(self, element: Element, whole: Span, pixels: str) -> Stream:
        local = whole.shifted(-element.span.start)
        leg = self._element(element, local, single=False).filter("setpts", "PTS-STARTPTS")
        if not covers(element, self.canvas):
            # The colour source of a command line has no alpha channel, so it is cleared here.
            empty = self._plain("black", pixels).filter("lutyuv", a=0)
            empty = _looped(empty.filter("trim", end_frame=1), whole.length)
            inner = SegmentGraph(self.canvas, self.drawn, whole)
            x, y, evaluate = inner._position(element)
            leg = ffmpeg.filter([empty, leg], "overlay", x=x, y=y, eval=evaluate,
                                format="yuv420", eof_action="pass")  # fmt: skip
        leg = leg.filter("fps", fps=rate_text(self.canvas.fps))
        return leg.filter("format", pixels).filter("settb", tick_text(self.canvas.fps))

    def _element(self, element: Element, local: Span, *, single: bool) -> Stream:
        """Frames `local` of an element, counted from zero. `single` gives just one."""
        if isinstance(element.picture, VideoPicture):
            leg = self._video(element, element.picture, local)
        else:
            leg = self._still(element, local, single=single)
        leg = moved(leg, element, local)
        if not is_drawn_whole(element):
            leg = turned(leg, element)
        return self._faded(leg, element, local)

    def _still(self, element: Element, local: Span, *, single: bool) -> Stream:
        source = self.graph.read(
            self.drawn(element), f="png_pipe", framerate=rate_text(self.canvas.fps)
        )
        leg = still_in_bt709(source, pixels_of(element))
        leg = leg.filter("settb", tick_text(self.canvas.fps))
        if single:
            return leg
        return _looped(leg, local.length).filter("setpts", "N")

    def _video(self, element: Element, picture: VideoPicture, local: Span) -> Stream:
        rounds = [self._round(element, picture, part) for part in loop_parts(picture, local)]
        joined = rounds[0] if len(rounds) == 1 else ffmpeg.concat(*rounds, v=1, a=0)
        return joined.filter("settb", tick_text(self.canvas.fps)).filter("setpts", "N")

    def _round(self, element: Element, picture: VideoPicture, local: Span) -> Stream:
        """Frames of one go through the source: no loop point lies inside `local`."""
        fps, facts = self.canvas.fps, picture.media.video
        if facts is None:
            raise TypeError(f"{element.name} has no picture")
        start = local.start % picture.loop_frames if picture.loop_frames else local.start
        from_ = picture.from_ + start / fps * picture.speed
        back = from_ - facts.longest_gap - _MARGIN
        # A seek that cannot land before the first frame, so that there is one to begin with.
        seeks = back > facts.start - picture.media.start
        source = self.graph.read(
            Read(sha256=picture.sha256), f=picture.media.demuxer, an=None, sn=None,
            **({"ss": seconds_text(back)} if seeks else {}),
        )  # fmt: skip
        zero = round_half_up((picture.media.start + picture.from_) * _MICRO)
        shift = round_half_up(_EARLY / fps * _MICRO)
        speed = picture.speed
        clock = f"floor((PTS-{zero})*{speed.denominator}/{speed.numerator}+{shift})"
        # The grid's zero is the clip's first frame, wherever the segment begins: any other
        # zero would be rounded to microseconds and could move a frame to the next place.
        first = {} if seeks else {"start_time": 0}
        frames = (
            source.video.filter("settb", "AVTB")
            .filter("setpts", clock)
            .filter("fps", fps=rate_text(fps), round="near", **first)
            .filter("tpad", stop=-1, stop_mode="clone")
            .filter("trim", start_pts=start, end_pts=start + local.length)
        )
        return fitted(in_bt709(frames, facts), element, facts, pixels_of(element))

    def _faded(self, leg: Stream, element: Element, local: Span) -> Stream:
        fps, length = self.canvas.fps, element.span.length
        fade_in, fade_out = element.enter.fade, element.exit.fade
        comes, goes = local.start < fade_in, local.end > length - fade_out
        if (fade_in and comes) or (fade_out and goes):
            # Only here does time since the clip's start matter; elsewhere it is in no key.
            leg = leg.filter("setpts", f"N+{local.start}")
        if fade_in and comes:
            leg = leg.filter("fade", "in", st=0, d=seconds_text(fade_in / fps), alpha=1)
        if fade_out and goes:
            start = seconds_text((length - fade_out) / fps)
            leg = leg.filter("fade", "out", st=start, d=seconds_text(fade_out / fps), alpha=1)
        return leg


def loop_parts(picture: VideoPicture, local: Span) -> list[Span]:
    """`local` cut where the source begins again."""
    if not picture.loop_frames:
        return [local]
    parts, at = [], local.start
    while at < local.end:
        end = min(local.end, (at // picture.loop_frames + 1) * picture.loop_frames)
        parts.append(Span(at, end))
        at = end
    return parts


def is_drawn_whole(element: Element) -> bool:
    """Whether the element's PNG is already turned and faded; a camera move comes before that."""
    return not isinstance(element.picture, VideoPicture) and element.move is None


def pixels_of(element: Element) -> str:
    """The pixel format of an element's frames."""
    return "yuv420p" if is_opaque(element) else "yuva420p"


def moves(layer: Layer, span: Span) -> bool:
    """Whether what the layer shows changes within `span`."""
    if isinstance(layer, Blend):
        return True
    element = layer.element
    local = span.shifted(-element.span.start)
    entering = local.start < element.enter.length
    leaving = local.end > element.span.length - element.exit.length
    is_video = isinstance(element.picture, VideoPicture)
    return is_video or element.move is not None or entering or leaving


def is_opaque(element: Element) -> bool:
    """Whether every pixel of the element's box is solid, fades included."""
    picture = element.picture
    if isinstance(picture, TextPicture) or element.opacity < 1000:
        return False
    if element.placement.rotation_mdeg or element.enter.fade or element.exit.fade:
        return False
    media = getattr(picture, "media", None)
    if media is not None:
        return not (media.video and media.video.has_alpha)
    colours = getattr(picture, "colours", None) or (picture.colour,)  # type: ignore[union-attr]
    return all(colour[3] == 255 for colour in colours)


def covers(element: Element, canvas: Canvas) -> bool:
    """Whether the element hides everything below it."""
    same = element.placement.box == canvas.size and element.placement.centre == canvas.size
    return same and is_opaque(element) and not (element.enter.slide or element.exit.slide)


def is_full(layer: Layer, canvas: Canvas) -> bool:
    """Whether the layer hides everything below it."""
    if isinstance(layer, Blend):
        return covers(layer.before, canvas) and covers(layer.after, canvas)
    return covers(layer.element, canvas)


def _coloured_alike(before: Stream, after: Stream) -> tuple[Stream, Stream]:
    """Where one of the two is clear it gets the other's colour, to change alpha alone there.

    Otherwise a clear pixel would lend its black to the mix.
    """
    befores = before.filter_multi_output("split", 3)
    afters = after.filter_multi_output("split", 3)
    pairs = ((befores[0], afters[0], befores[2]), (afters[1], befores[1], afters[2]))
    legs = []
    for own, other, shape in pairs:
        colours = ffmpeg.filter([other, own], "overlay", format="yuv420")
        alpha = shape.filter("alphaextract")
        opaque = colours.filter("format", "yuv420p")
        legs.append(ffmpeg.filter([opaque, alpha], "alphamerge").filter("format", "yuva420p"))
    return legs[0], legs[1]


def _looped(leg: Stream, frames: int) -> Stream:
    return leg.filter("loop", loop=-1, size=1, start=0).filter("trim", end_frame=frames)


def _shifted(x: str, y: str, side: str, share: str) -> tuple[str, str]:
    if side == "left":
        return f"{x}-({x}+w)*{share}", y
    if side == "right":
        return f"{x}+(W-({x}))*{share}", y
    if side == "top":
        return x, f"{y}-({y}+h)*{share}"
    return x, f"{y}+(H-({y}))*{share}"
