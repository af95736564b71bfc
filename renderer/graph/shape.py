"""The shape of a clip: crop, scale, cut, pad, camera move, turn, opacity, in this order.

Stills that do not move have all of it in their drawn PNG; the rest is done here.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import ffmpeg

from renderer.graph.colour import scaled
from renderer.graph.nodes import Stream
from renderer.media import VideoFacts
from renderer.timebase import Span, round_half_up
from renderer.timeline import Element, Placement

_BEHIND_SHARE = 8  # the blurred picture behind is made at a quarter of its size
_MARGIN = 4  # pixels
_BLUR_SHARE, _BLUR_ROUNDS = 30, 3  # as soft as the one behind a still


def fitted(frames: Stream, element: Element, facts: VideoFacts, pixels: str) -> Stream:
    """Frames of a source in the clip's box, with square pixels, as `pixels`."""
    placement = enlarged(element)
    if placement.crop:
        if facts.sample_aspect != 1:
            frames = scaled(frames, facts.display_size)
        x, y, w, h = placement.crop
        frames = frames.filter("crop", w, h, x, y, exact=1)
    if placement.blur_behind and placement.pad_to:
        return _over_blurred_self(frames, placement).filter("format", pixels)
    frames = scaled(frames, placement.scale_to).filter("format", pixels)
    if placement.cut:
        x, y, w, h = placement.cut
        frames = frames.filter("crop", w, h, x, y, exact=1)
    return frames.filter("setsar", "1")


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


def moved(leg: Stream, element: Element, local: Span) -> Stream:
    """A window that wanders over the enlarged picture, in 256ths of a pixel."""
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
    return scaled(leg, element.placement.box).filter("setsar", "1")


def turned(leg: Stream, element: Element) -> Stream:
    """Rotation and opacity."""
    placement = element.placement
    if placement.rotation_mdeg:
        angle = f"{placement.rotation_mdeg}*PI/180000"
        leg = _margined(leg).filter(
            "rotate", angle, ow=f"2*ceil(rotw({angle})/2)", oh=f"2*ceil(roth({angle})/2)",
            c="black@0",
        )  # fmt: skip
    if element.opacity < 1000:
        leg = leg.filter("lutyuv", a=f"val*{element.opacity}/1000")
    return leg


def _margined(leg: Stream) -> Stream:
    """The picture with a clear margin in the colours of its edges.

    So its edges come out smooth when it is turned, and without a dark line: the filter cuts
    edges off hard and mixes in the colour that is beside them.
    """
    wide = ("pad", f"iw+{2 * _MARGIN}", f"ih+{2 * _MARGIN}", _MARGIN, _MARGIN)
    both = leg.filter_multi_output("split")
    colours = both[0].filter("format", "yuv420p").filter(*wide).filter(
        "fillborders", left=_MARGIN, right=_MARGIN, top=_MARGIN, bottom=_MARGIN, mode="smear"
    )  # fmt: skip
    alpha = both[1].filter("format", "yuva420p").filter("alphaextract")
    alpha = alpha.filter(*wide).filter("fillborders", left=_MARGIN, right=_MARGIN, top=_MARGIN,
                                       bottom=_MARGIN, mode="fixed", color="black")  # fmt: skip
    return ffmpeg.filter([colours, alpha], "alphamerge").filter("format", "yuva420p")


def _over_blurred_self(frames: Stream, placement: Placement) -> Stream:
    box = placement.pad_to or placement.scale_to
    both = frames.filter_multi_output("split")
    front = scaled(both[0], placement.scale_to)
    small = (max(2, box[0] // _BEHIND_SHARE * 2), max(2, box[1] // _BEHIND_SHARE * 2))
    back = scaled(
        both[1], small, force_original_aspect_ratio="increase", force_divisible_by=2
    ).filter("crop", *small)
    radius = max(int(min(small) >= _BEHIND_SHARE), min(small) // _BLUR_SHARE)
    back = back.filter("boxblur", radius, _BLUR_ROUNDS)
    back = scaled(back, box).filter("setsar", "1")
    x, y = placement.pad_at
    return ffmpeg.filter([back, front], "overlay", x=x & ~1, y=y & ~1, format="yuv420")
