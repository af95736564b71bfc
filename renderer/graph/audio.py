"""The mix as a filter graph: each track a sequence of pieces, all tracks summed, sample-exact."""

from __future__ import annotations

from fractions import Fraction

import ffmpeg

from renderer.graph.nodes import Graph, Stream
from renderer.steps import Read
from renderer.timebase import SAMPLE_RATE
from renderer.timeline import SoundMix, SoundPiece, SoundTrack

_EXACT = f"{SAMPLE_RATE}"
_FIXED_DECODERS = {"aac": "aac_fixed", "mp3": "mp3"}
_CURVE = "qsin"  # sine against cosine: equal power all the way
_LOOK_BACK = 3  # seconds decoded before a trim: more than any decoder's memory
_MOST_ROUNDS = 40  # of a loop that are read from the source one by one
_LEAD_SLOWER, _LEAD_FASTER = 896, 448
"""Samples by which the tempo filter is early, as measured: the middle of what was seen."""
_ATEMPO_MIN, _ATEMPO_MAX = Fraction(1, 2), Fraction(100)


def mixed(graph: Graph, mix: SoundMix, samples: int) -> Stream:
    """All tracks as one stream of exactly `samples` double samples, stereo."""
    end = mix.skip + samples
    legs = _ducked([_track(graph, track, end) for track in mix.tracks], mix.tracks)
    whole = legs[0]
    if len(legs) > 1:
        whole = ffmpeg.filter(legs, "amix", inputs=len(legs), normalize=0, duration="longest")
    if not mix.skip:
        return whole
    return whole.filter("atrim", start_sample=mix.skip, end_sample=end).filter("asetpts", "N/SR/TB")


def _track(graph: Graph, track: SoundTrack, samples: int) -> Stream:
    runs: list[Stream] = []
    at = 0
    for piece in track.pieces:
        leg = _piece(graph, piece)
        if piece.crossfade and runs:
            joined = runs[0] if len(runs) == 1 else ffmpeg.concat(*runs, v=0, a=1)
            leg = ffmpeg.filter(
                [joined, leg], "acrossfade", ns=piece.crossfade, c1=_CURVE, c2=_CURVE
            )
            runs = [leg]
        else:
            runs += [_silence(graph, piece.start - at)] if piece.start > at else []
            runs.append(leg)
        at = piece.end
    joined = runs[0] if len(runs) == 1 else ffmpeg.concat(*runs, v=0, a=1)
    if track.volume != 1000:
        joined = joined.filter("volume", f"{track.volume}/1000", precision="double")
    return joined.filter("apad", whole_len=samples).filter("atrim", end_sample=samples)


def _piece(graph: Graph, piece: SoundPiece) -> Stream:
    needed = piece.length * piece.speed / SAMPLE_RATE
    count = int(-(-needed // piece.period)) if piece.period else 1
    if count <= _MOST_ROUNDS:
        rounds = [_round(graph, piece) for _ in range(count)]
        leg = rounds[0] if count == 1 else ffmpeg.concat(*rounds, v=0, a=1)
    else:
        # One decoded round is kept and repeated; it is a small part of the whole.
        size = round(piece.period * SAMPLE_RATE)
        leg = _round(graph, piece).filter("apad", whole_len=size)
        leg = leg.filter("aloop", loop=-1, size=size)
    for factor in _tempos(piece.speed):
        leg = leg.filter("atempo", f"{float(factor):.9g}")
        leg = leg.filter("adelay", f"{_LEAD_SLOWER if factor < 1 else _LEAD_FASTER}S", all=1)
    leg = leg.filter("apad", whole_len=piece.length).filter("atrim", end_sample=piece.length)
    leg = leg.filter("asetpts", "N/SR/TB")
    if piece.volume != 1000:
        leg = leg.filter("volume", f"{piece.volume}/1000", precision="double")
    if piece.fade_in:
        leg = leg.filter("afade", type="in", ss=0, ns=piece.fade_in)
    if piece.fade_out:
        start = piece.length - piece.fade_out
        leg = leg.filter("afade", type="out", ss=start, ns=piece.fade_out)
    return leg


def _round(graph: Graph, piece: SoundPiece) -> Stream:
    """One go through the part of the source that is used, decoded from shortly before it."""
    facts = piece.media.audio
    if facts is None:
        raise TypeError(f"{piece.name} has no sound")
    options: dict[str, str | None] = {"f": piece.media.demuxer, "vn": None, "sn": None}
    if facts.codec in _FIXED_DECODERS:
        options["c:a"] = _FIXED_DECODERS[facts.codec]
    skipped = _skipped(piece)
    if skipped:
        options["ss"] = str(skipped)
    source = graph.read(Read(sha256=piece.sha256), **options)
    leg = source.audio.filter(
        "aresample", _EXACT, internal_sample_fmt="dblp", **{"async": 1, "first_pts": 0}
    ).filter("aformat", sample_fmts="dblp", sample_rates=_EXACT, channel_layouts="stereo")
    if facts.channels == 1:
        # FFmpeg makes a single channel 3 dB quieter; here volume 1 means unchanged.
        leg = leg.filter("volume", "sqrt(2)", precision="double")
    first = round((piece.from_ - skipped) * SAMPLE_RATE)
    end = {"end_sample": first + round(piece.period * SAMPLE_RATE)} if piece.period else {}
    if first or end:
        leg = leg.filter("atrim", start_sample=first, **end).filter("asetpts", "N/SR/TB")
    return leg


def _skipped(piece: SoundPiece) -> int:
    """Whole seconds at the start of the source that need not be decoded.

    Matroska counts in milliseconds, so that after a seek it would be some samples off.
    """
    if piece.media.demuxer == "matroska":
        return 0
    return max(0, int(piece.from_) - _LOOK_BACK)


def _silence(graph: Graph, samples: int) -> Stream:
    source = graph.generated(f"anullsrc=r={_EXACT}:cl=stereo")
    return source.filter("aformat", sample_fmts="dblp").filter("atrim", end_sample=samples)


def _tempos(speed: Fraction) -> list[Fraction]:
    """`speed` as factors that the tempo filter accepts."""
    factors: list[Fraction] = []
    while speed < _ATEMPO_MIN:
        factors.append(_ATEMPO_MIN)
        speed /= _ATEMPO_MIN
    return [*factors, speed] if speed != 1 else factors


def _ducked(legs: list[Stream], tracks: tuple[SoundTrack, ...]) -> list[Stream]:
    wanted = [track.duck_under for track in tracks]
    for voice in sorted({index for index in wanted if index >= 0}):
        listeners = [n for n, index in enumerate(wanted) if index == voice]
        copies = legs[voice].filter_multi_output("asplit", len(listeners) + 1)
        legs[voice] = copies[0]
        for place, number in enumerate(listeners, start=1):
            # Fixed frame sizes on both inputs: without them FFmpeg 7+ varies from run to run.
            music = legs[number].filter("asetnsamples", 1024, p=0)
            key = copies[place].filter("asetnsamples", 1024, p=0)
            legs[number] = ffmpeg.filter(
                [music, key], "sidechaincompress",
                threshold="0.02", ratio=8, attack=20, release=400,
            )  # fmt: skip
    return legs
