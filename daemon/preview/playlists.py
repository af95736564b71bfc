"""HLS playlists of a timeline that is not drawn yet: all that they say follows from the plan."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from daemon.preview.fragments import sound_fragments
from renderer.pipeline import Prepared
from renderer.timebase import SAMPLE_RATE, seconds_text


def master_playlist(prepared: Prepared) -> str:
    """Which streams there are: the picture, and the sound where something is heard."""
    width, height = prepared.timeline.canvas.size
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    heard = bool(prepared.plan.audio)
    if heard:
        lines.append(
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="mix",DEFAULT=YES,AUTOSELECT=YES,'
            'CHANNELS="2",URI="sound.m3u8"'
        )
    sound = ',AUDIO="sound"' if heard else ""
    lines.append(f"#EXT-X-STREAM-INF:BANDWIDTH=4000000,RESOLUTION={width}x{height}{sound}")
    lines.append("picture.m3u8")
    return "\n".join(lines) + "\n"


def picture_playlist(prepared: Prepared) -> str:
    """A fragment for each segment of the plan."""
    fps = prepared.timeline.canvas.fps
    return _playlist("picture", (s.span.length / fps for s in prepared.plan.segments))


def sound_playlist(prepared: Prepared) -> str:
    """Fragments of the mix."""
    counts = sound_fragments(prepared.timeline.samples)
    return _playlist("sound", (Fraction(count, SAMPLE_RATE) for count in counts))


def _playlist(name: str, durations: Iterable[Fraction]) -> str:
    lengths = list(durations)
    longest = max(lengths)
    lines = [
        "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXT-X-TARGETDURATION:{-(-longest.numerator // longest.denominator)}",
        f'#EXT-X-MAP:URI="{name}/head.mp4"',
    ]  # fmt: skip
    for number, length in enumerate(lengths):
        lines += [f"#EXTINF:{seconds_text(length)},", f"{name}/{number}.m4s"]
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"
