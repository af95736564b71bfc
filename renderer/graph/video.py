"""Layers of a segment as a filter graph: legs of frames, laid over each other.

Every leg counts frames from its clip's first: whatever depends on time depends on that
count alone, so a clip cut into segments gives the frames it gives in one piece.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import ffmpeg

from renderer.graph.exact import SWS_FLAGS, rate_text, tick_text
from renderer.graph.nodes import Graph, Stream
from renderer.steps import Read
from renderer.timebase import Span, round_half_up, seconds_text
from renderer.timeline import Blend, Canvas, Element, Layer, Placement, TextPicture, VideoPicture

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
        return _to_video(source.filter("format", "gbrap"), pixels).filter(
            "settb", tick_text(self.canvas.fps)
        )

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
        if slide_in.slide and local < slide_in.slide:
            share = f"pow(1-min((n+{local})/{slide_in.slide},1),3)"
            x, y = _shifted(x, y, slide_in.side, share)
            evaluate = "frame"
        leaving = length - slide_out.slide
        if slide_out.slide and self.span.end - element.span.start > leaving:
            share = f"pow(max((n+{local}-{leaving})/{slide_out.slide},0),3)"
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
        mixed = ffmpeg.filter(
            [before, after], "xfade", transition=blend.transition, duration=seconds, offset=0
        )
        first = window.start - blend.start
        return mixed.filter("trim", start_frame=first, end_frame=first + window.length)

    def _on_canvas(self, element: Element, whole: Span, pixels: str) -> Stream:
        local = whole.shifted(-element.span.start)
        leg = self._element(element, local, single=False).filter("setpts", "PTS-STARTPTS")
        if not covers(element, self.canvas):
            empty = _looped(self._plain("black@0", pixels).filter("trim", end_frame=1),
                            whole.length)  # fmt: skip
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
        leg = self._moved(leg, element, local)
        return self._faded(leg, element, local)

    def _still(self, element: Element, local: Span, *, single: bool) -> Stream:
        source = self.graph.read(
            self.drawn(element), f="png_pipe", framerate=rate_text(self.canvas.fps)
        )
        pixels = "yuv420p" if is_opaque(element) else "yuva420p"
        leg = _to_video(source, pixels).filter("settb", tick_text(self.canvas.fps))
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
        return self._shaped(frames, element, facts.colour_matrix, facts.colour_range)

    def _shaped(self, frames: Stream, element: Element, matrix: str, levels: str) -> Stream:
        placement = enlarged(element)
        picture = element.picture
        facts = picture.media.video if isinstance(picture, VideoPicture) else None
        if facts is None:
            return frames
        if matrix in ("unknown", "gbr", ""):
            matrix = "bt709" if facts.display_size[1] >= 720 else "smpte170m"
        levels = "pc" if levels == "pc" else "tv"
        pixels = "yuv420p" if is_opaque(element) else "yuva420p"
        if placement.crop and facts.sample_aspect != 1:
            frames = _scaled(frames, facts.display_size, matrix, levels)
            matrix, levels = "bt709", "tv"
        if placement.crop:
            x, y, w, h = placement.crop
            frames = frames.filter("crop", w, h, x, y, exact=1)
        if placement.blur_behind and placement.pad_to:
            return self._blurred(frames, placement, matrix, levels).filter("format", pixels)
        frames = _scaled(frames, placement.scale_to, matrix, levels).filter("format", pixels)
        if placement.cut:
            x, y, w, h = placement.cut
            frames = frames.filter("crop", w, h, x, y, exact=1)
        if placement.rotation_mdeg:
            angle = f"{placement.rotation_mdeg}*PI/180000"
            frames = frames.filter("rotate", angle, ow=f"2*ceil(rotw({angle})/2)",
                                   oh=f"2*ceil(roth({angle})/2)", c="black@0")  # fmt: skip
        if element.opacity < 1000:
            frames = frames.filter("lutyuv", a=f"val*{element.opacity}/1000")
        return frames.filter("setsar", "1")

    def _blurred(self, frames: Stream, placement: Placement, matrix: str, levels: str) -> Stream:
        box = placement.pad_to or placement.scale_to
        both = frames.filter_multi_output("split")
        front = _scaled(both[0], placement.scale_to, matrix, levels)
        small = (max(2, box[0] // 8 * 2), max(2, box[1] // 8 * 2))
        back = both[1].filter(
            "scale", *small, flags=SWS_FLAGS, force_original_aspect_ratio="increase",
            force_divisible_by=2, in_color_matrix=matrix, in_range=levels,
            out_color_matrix="bt709", out_range="tv",
        ).filter("crop", *small).filter("boxblur", 8, 3)  # fmt: skip
        back = _scaled(back, box, "bt709", "tv").filter("setsar", "1")
        x, y = placement.pad_at
        return ffmpeg.filter([back, front], "overlay", x=x & ~1, y=y & ~1, format="yuv420")

    def _moved(self, leg: Stream, element: Element, local: Span) -> Stream:
        if element.move is None:
            return leg
        steps = max(1, element.span.length - 1)
        share = f"clip((on-1+{local.start})/{steps},0,1)"
        amount = f"{element.move.amount}/1000"
        zooms = element.move.name in ("zoom-in", "zoom-out")
        done = share if element.move.name != "zoom-out" else f"(1-{share})"
        window = f"1/(1+{amount}*{done})" if zooms else f"1/(1+{amount})"
        free = f"(1-{window})"
        x, y = {
            "pan-left": (f"{free}*(1-{share})", f"{free}/2"),
            "pan-right": (f"{free}*{share}", f"{free}/2"),
            "pan-up": (f"{free}/2", f"{free}*(1-{share})"),
            "pan-down": (f"{free}/2", f"{free}*{share}"),
        }.get(element.move.name, (f"{free}/2", f"{free}/2"))
        corners = {
            "x0": f"W*{x}", "y0": f"H*{y}", "x1": f"W*({x}+{window})", "y1": f"H*{y}",
            "x2": f"W*{x}", "y2": f"H*({y}+{window})",
            "x3": f"W*({x}+{window})", "y3": f"H*({y}+{window})",
        }  # fmt: skip
        leg = leg.filter("perspective", **corners, sense="source", interpolation="cubic",
                         eval="frame")  # fmt: skip
        box = element.placement.box
        return leg.filter("scale", *box, flags=SWS_FLAGS).filter("setsar", "1")

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


def enlarged(element: Element) -> Placement:
    """The placement, made larger by what a camera move zooms in."""
    placement = element.placement
    if element.move is None:
        return placement

    amount = element.move.amount

    def grown(side: int) -> int:
        return 2 * round_half_up(Fraction(side * (1000 + amount), 2000))

    cut = placement.cut
    return replace(
        placement,
        scale_to=(grown(placement.scale_to[0]), grown(placement.scale_to[1])),
        cut=cut and (grown(cut[0]), grown(cut[1]), grown(cut[2]), grown(cut[3])),
        pad_to=placement.pad_to and (grown(placement.pad_to[0]), grown(placement.pad_to[1])),
        pad_at=(grown(placement.pad_at[0]), grown(placement.pad_at[1])),
    )


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


def _scaled(frames: Stream, size: tuple[int, int], matrix: str, levels: str) -> Stream:
    return frames.filter(
        "scale", *size, flags=SWS_FLAGS, in_color_matrix=matrix, in_range=levels,
        out_color_matrix="bt709", out_range="tv",
    )  # fmt: skip


def _to_video(source: Stream, pixels: str) -> Stream:
    return source.filter("scale", flags=SWS_FLAGS, out_color_matrix="bt709", out_range="tv").filter(
        "format", pixels
    )


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
