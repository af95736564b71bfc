"""Captions beside a film: WebVTT and SubRip, the same words at the same times. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from renderer.timebase import round_half_up
from renderer.timeline import Caption

VTT, SRT = "captions.vtt", "captions.srt"


def caption_files(captions: Sequence[Caption], fps: Fraction) -> Mapping[str, bytes]:
    """Both files by name; none where there are no captions."""
    if not captions:
        return {}
    cues = [(_times(caption, fps, "."), _escaped(_lines(caption))) for caption in captions]
    vtt = "WEBVTT\n\n" + "\n".join(f"{times}\n{words}\n" for times, words in cues)
    numbered = enumerate(captions, start=1)
    srt = "\n".join(f"{n}\n{_times(c, fps, ',')}\n{_lines(c)}\n" for n, c in numbered)
    return {VTT: vtt.encode(), SRT: srt.encode()}


def _lines(caption: Caption) -> str:
    """A cue ends at an empty line, so it holds none."""
    lines = (line.strip() for line in caption.text.splitlines())
    return "\n".join(line for line in lines if line) or "…"


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _times(caption: Caption, fps: Fraction, point: str) -> str:
    start, end = (_clock(frame / fps, point) for frame in (caption.span.start, caption.span.end))
    return f"{start} --> {end}"


def _clock(seconds: Fraction, point: str) -> str:
    ms = round_half_up(seconds * 1000)
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"
