"""Flash and beep: when light and sound of a source leave the finished mp4 together."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.renderer.truth.studio import Shot, Studio, lossless, one_track, packet_times

AAC_FRAME = Fraction(1024, 48_000)
FLASH = "lt(mod(t,1),0.2)"  # every second


@pytest.fixture(scope="module")
def clapper(studio: Studio) -> str:
    """Five flashes and beeps at 25 fps, H.264 with B-frames and AAC."""
    picture = f"color=black:s=64x48:r=25:d=5,drawbox=c=white:t=fill:enable='{FLASH}'"
    sound = f"aevalsrc='0.7*sin(2*PI*880*t)*{FLASH}':s=44100:d=5"
    codecs = ("-c:v", "libx264", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac")
    return studio.make("clapper.mp4", *codecs, inputs=[picture, sound])


def flashes(shot: Shot) -> list[Fraction]:
    bright = shot.luma().mean(axis=(1, 2)) > 120
    times = packet_times(shot.video)
    return [times[n] for n in np.nonzero(bright & ~np.roll(bright, 1))[0] if n]


def beeps(shot: Shot) -> list[Fraction]:
    loud = np.abs(shot.sound()[:, 0].astype(int)) > 2500
    onsets = []
    quiet_since = -10_000
    for at in np.nonzero(loud)[0]:
        if at - quiet_since > 4000:
            onsets.append(Fraction(int(at), 48_000))
        quiet_since = int(at)
    return [onset for onset in onsets if onset > Fraction(1, 50)]


def offsets(shot: Shot, expected: int) -> list[Fraction]:
    light, sound = flashes(shot), beeps(shot)
    assert len(light) == len(sound) == expected
    return [b - a for a, b in zip(light, sound, strict=True)]


@pytest.mark.parametrize("speed", [0.5, 1, 1.25, 2])
@pytest.mark.parametrize("start", [0.6, 1.4])
def test_light_and_sound_stay_together(
    studio: Studio, clapper: str, speed: float, start: float
) -> None:
    clip = {"video": clapper, "speed": speed, "trim": {"from": start, "to": 3.8}}
    shot = studio.render({"output": lossless("64x48", 25), "tracks": one_track(clip)})
    found = offsets(shot, expected=3 - int(start))
    assert max(abs(offset) for offset in found) <= AAC_FRAME


@pytest.mark.parametrize("fps", [25, 29.97, "24000/1001", 60])
def test_transitions_and_sequences_keep_them_together(
    studio: Studio, clapper: str, fps: Any
) -> None:
    clips = [
        {"video": clapper, "trim": {"from": 0.52, "to": 1.92}},
        {"transition": "wipeleft", "length": "0.28s"},
        {"video": clapper, "trim": {"from": 1.32, "to": 3.8}, "fit": "contain"},
        {"gap": 0.4},
        {"video": clapper, "trim": {"from": 0.6, "to": 2.6}, "speed": 2},
    ]
    shot = studio.render({"output": lossless("64x48", fps), "tracks": one_track(*clips)})
    assert len(shot.prepared.plan.segments) >= 5
    rate = shot.prepared.timeline.canvas.fps
    # A flash waits for the next frame of the output where the grids differ.
    slack = 0 if fps == 25 else 1 / rate
    found = offsets(shot, expected=5)
    assert min(found) >= -AAC_FRAME - slack
    assert max(found) <= AAC_FRAME + Fraction(1, 5) / rate


def test_the_picture_and_the_sound_begin_at_zero(studio: Studio, clapper: str) -> None:
    shot = studio.render({"output": lossless("64x48", 25), "tracks": one_track({"video": clapper})})
    times = packet_times(shot.video)
    assert times[0] == 0
    assert {b - a for a, b in itertools.pairwise(times)} == {Fraction(1, 25)}
    assert np.abs(shot.sound()[:2400, 0].astype(int)).max() > 15_000
