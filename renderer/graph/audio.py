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
_ATEMPO_MIN, _ATEMPO_MAX = Fraction(1, 2), Fraction(100)


def mixed(graph: Graph, mix: SoundMix, samples: int) -> Stream:
    """All tracks as one stream of exactly `samples` double samples, stereo."""
    legs = [_track(graph, track, samples) for track in mix.tracks]
    legs = _ducked(legs, mix.tracks)
    if len(legs) == 1:
        return legs[0]
    return ffmpeg.filter(legs, "amix", inputs=len(legs), normalize=0, duration="longest")


def _track(graph: Graph, track: SoundTrack, samples: int) -> Stream:
    runs: list[Stream] = []
    at = 0
    for piece in track.pieces:
        leg = _piece(graph, piece)
        if piece.crossfade and runs:
            joined = runs[0] if len(runs) == 1 else ffmpeg.concat(*runs, v=0, a=1)
            leg = ffmpeg.filter([joined, leg], "acrossfade", ns=piece.crossfade, c1="tri", c2="tri")
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
    rounds = [_round(graph, piece, piece.from_)]
    if piece.period:
        needed = piece.length * piece.speed / SAMPLE_RATE
        count = min(1000, int(-(-needed // piece.period)))
        rounds = [_round(graph, piece, piece.from_, piece.period) for _ in range(count)]
    leg = rounds[0] if len(rounds) == 1 else ffmpeg.concat(*rounds, v=0, a=1)
    for factor in _tempos(piece.speed):
        leg = leg.filter("atempo", f"{float(factor):.9g}")
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


def _round(
    graph: Graph, piece: SoundPiece, from_: Fraction, period: Fraction = Fraction(0)
) -> Stream:
    facts = piece.media.audio
    if facts is None:
        raise TypeError(f"{piece.name} has no sound")
    options: dict[str, str | None] = {"f": piece.media.demuxer, "vn": None, "sn": None}
    if facts.codec in _FIXED_DECODERS:
        options["c:a"] = _FIXED_DECODERS[facts.codec]
    source = graph.read(Read(sha256=piece.sha256), **options)
    leg = source.audio.filter(
        "aresample", _EXACT, internal_sample_fmt="dblp", **{"async": 1, "first_pts": 0}
    ).filter("aformat", sample_fmts="dblp", sample_rates=_EXACT, channel_layouts="stereo")
    first = round(from_ * SAMPLE_RATE)
    end = {"end_sample": first + round(period * SAMPLE_RATE)} if period else {}
    if first or end:
        leg = leg.filter("atrim", start_sample=first, **end).filter("asetpts", "N/SR/TB")
    return leg


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
