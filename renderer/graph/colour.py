"""Colours of any source become BT.709 in limited range, the only colours of the graph.

The scaler's own conversion between two kinds of YUV rounds twice and leans to one side;
the `colorspace` filter rounds once and gives the same bytes on every CPU.
"""

from __future__ import annotations

from renderer.graph.exact import SWS_FLAGS
from renderer.graph.nodes import Stream
from renderer.media import VideoFacts

_HD_LINES = 720
_NAMELESS = ("unknown", "gbr", "")
_PLANAR = tuple(f"yuv{n}p{depth}" for n in (420, 422, 444) for depth in ("", "10", "12"))
_WHITE_NITS = 203  # BT.2408: where paper white lies in a high dynamic range picture
_PEAK_NITS = 1000
_KNEE = 0.5  # of white: below it brightness is kept, above it is rolled off

# A Moebius curve through the knee with slope 1 and through the peak with value 1.
_PEAK = _PEAK_NITS / _WHITE_NITS
_A = -_KNEE * _KNEE * (_PEAK - 1) / (_KNEE * _KNEE - 2 * _KNEE + _PEAK)
_B = (_KNEE * _KNEE - 2 * _KNEE * _PEAK + _PEAK) / (_PEAK - 1)
_GAIN = (_B * _B + 2 * _B * _KNEE + _KNEE * _KNEE) / (_B - _A)

_FULL = 255 * 256  # what the scaler takes for white in 16 bits
_CODE = f"min(val/{_FULL},1)"
_PQ_ROOT = f"pow({_CODE},1/78.84375)"
_PQ_LIGHT = (
    f"10000/{_WHITE_NITS}*pow(max({_PQ_ROOT}-0.8359375,0)/(18.8515625-18.6875*{_PQ_ROOT}),"
    "1/0.1593017578125)"
)
_HLG_LIGHT = (
    f"{_PEAK:.9f}*pow(if(lte({_CODE},0.5),{_CODE}*{_CODE}/3,"
    f"(exp(({_CODE}-0.55991073)/0.17883277)+0.28466892)/12),1.2)"
)
_ROLLED_OFF = (
    f"{_FULL}*if(lte(ld(0),{_KNEE}),ld(0),min(1,{_GAIN:.9f}*(ld(0)+{_A:.9f})/(ld(0)+{_B:.9f})))"
)
_GAMMA = f"{_FULL}*pow({_CODE},1/2.4)"
# Linear light, BT.2020 to BT.709 primaries; each row adds up to one, so that grey stays grey.
_TO_709 = {
    "rr": 1.6605, "rg": -0.5876, "rb": -0.0729,
    "gr": -0.1246, "gg": 1.1329, "gb": -0.0083,
    "br": -0.0182, "bg": -0.1006, "bb": 1.1188,
}  # fmt: skip


def in_bt709(frames: Stream, facts: VideoFacts) -> Stream:
    """The frames of a source as YUV in BT.709, limited range; alpha stays."""
    matrix, levels = _matrix(facts), "pc" if facts.colour_range == "pc" else "tv"
    if facts.hdr:
        return _tone_mapped(frames, facts, matrix, levels)
    if not facts.pixel_format.startswith("yuv") or facts.has_alpha:
        pixels = "yuva444p" if facts.has_alpha else "yuv444p"
        frames = frames.filter(
            "scale", flags=SWS_FLAGS, in_color_matrix=matrix, in_range=_range_of(facts),
            out_color_matrix="bt709", out_range="tv",
        )  # fmt: skip
        return frames.filter("format", pixels)
    if (matrix, levels) == ("bt709", "tv"):
        return frames
    if levels == "pc":
        # By itself FFmpeg would make yuvj420p limited first, as the next filter knows no such.
        frames = frames.filter("scale", flags=SWS_FLAGS, in_range="pc", out_range="pc")
        frames = frames.filter("format", "|".join(_PLANAR))
    return frames.filter(
        "colorspace", space="bt709", range="tv", primaries="bt709", trc="bt709",
        ispace=matrix, irange=levels, iprimaries="bt709", itrc="bt709", fast=1,
    )  # fmt: skip


def still_in_bt709(source: Stream, pixels: str) -> Stream:
    """A drawn picture (RGB) as `pixels` in BT.709, limited range."""
    scaled = source.filter("scale", flags=SWS_FLAGS, out_color_matrix="bt709", out_range="tv")
    return scaled.filter("format", pixels)


def as_jpeg(frames: Stream) -> Stream:
    """Frames already in BT.709, limited range, as JPEG files have them: BT.601, full range."""
    full = frames.filter("scale", flags=SWS_FLAGS, in_color_matrix="bt709", in_range="tv",
                         out_color_matrix="bt601", out_range="pc")  # fmt: skip
    return full.filter("format", "yuvj420p")


def scaled(frames: Stream, size: tuple[int, int], **options: object) -> Stream:
    """Frames already in BT.709, limited range, at another size."""
    return frames.filter(
        "scale", *size, flags=SWS_FLAGS, in_color_matrix="bt709", in_range="tv",
        out_color_matrix="bt709", out_range="tv", **options,
    )  # fmt: skip


def _matrix(facts: VideoFacts) -> str:
    if facts.colour_matrix not in _NAMELESS:
        return facts.colour_matrix
    return "bt709" if min(facts.coded_size) >= _HD_LINES else "smpte170m"


def _range_of(facts: VideoFacts) -> str:
    """RGB has the full range whatever its file says."""
    is_yuv = facts.pixel_format.startswith(("yuv", "gray", "ya"))
    return "tv" if is_yuv and facts.colour_range != "pc" else "pc"


def _tone_mapped(frames: Stream, facts: VideoFacts, matrix: str, levels: str) -> Stream:
    """High dynamic range shown on an ordinary screen: BT.2390's idea with tables of 16 bits."""
    light = _PQ_LIGHT if facts.hdr == "pq" else _HLG_LIGHT
    table = f"st(0,{light});{_ROLLED_OFF}"
    frames = frames.filter("scale", flags=SWS_FLAGS, in_color_matrix=matrix, in_range=levels,
                           out_range="pc").filter("format", "gbrp16")  # fmt: skip
    linear = frames.filter("lutrgb", r=table, g=table, b=table)
    narrow = linear.filter("colorchannelmixer", **_TO_709)
    shown = narrow.filter("lutrgb", r=_GAMMA, g=_GAMMA, b=_GAMMA)
    return still_in_bt709(shown, "yuv444p")
