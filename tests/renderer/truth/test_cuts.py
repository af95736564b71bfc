from __future__ import annotations

from typing import Any

import pytest

from renderer.segments import MOVING_SECONDS
from tests.renderer.truth.studio import Shot, Studio, lossless, one_track

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


@pytest.fixture(scope="module")
def moving(studio: Studio) -> str:
    """Five seconds at 30 fps, with B-frames and one keyframe per two seconds."""
    source = "testsrc2=s=80x60:r=30:d=5"
    x264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "60")
    return studio.make("moving.mp4", *x264, inputs=[source])


@pytest.fixture(scope="module")
def uneven(studio: Studio) -> str:
    """23.976 fps with every seventh frame missing: a variable frame rate."""
    drop = "testsrc2=s=80x60:r=24000/1001:d=9,select='mod(n,7)'"
    x264 = ("-c:v", "libx264", "-bf", "3", "-pix_fmt", "yuv420p", "-fps_mode", "vfr")
    return studio.make("uneven.mkv", *x264, inputs=[drop])


@pytest.fixture(scope="module")
def still(studio: Studio) -> str:
    return studio.make("still.png", "-frames:v", "1", inputs=["testsrc2=s=150x100"])


def both(studio: Studio, document: dict[str, Any], *, least: int) -> Shot:
    """The render in segments, after comparing it with the render in one piece."""
    cut, whole = studio.render(document), studio.render(document, whole=True)
    assert len(whole.prepared.plan.segments) == 1
    assert len(cut.prepared.plan.segments) >= least
    assert len(cut.extradata) == 1
    there, here = whole.frame_digests, cut.frame_digests
    assert len(here) == len(there) == cut.prepared.timeline.length
    different = [n for n, (a, b) in enumerate(zip(here, there, strict=True)) if a != b]
    assert different == [], f"cuts at {[s.span.start for s in cut.prepared.plan.segments]}"
    assert len(set(here)) > 5
    return cut


def test_a_video_is_cut_on_the_grid_without_a_trace(studio: Studio, uneven: str) -> None:
    document = {
        "output": lossless(fps=25),
        "tracks": one_track({"video": uneven, "fit": "contain", "trim": {"from": 0.4}}),
    }
    both(studio, document, least=2)


@pytest.mark.parametrize("fps", ["24000/1001", 29.97, 25, 60])
def test_speed_trim_and_overlays(studio: Studio, uneven: str, moving: str, fps: Any) -> None:
    document = {
        "output": lossless("64x48", fps),
        "tracks": [
            {"clips": [{"video": uneven, "speed": 1.13, "trim": {"from": "0.7s", "to": 8.3}}]},
            {
                "clips": [
                    {
                        "video": moving,
                        "start": 0.31,
                        "speed": 0.55,
                        "trim": {"from": 1.23},
                        "size": "40%x40%",
                        "anchor": "top-right",
                        "opacity": 0.6,
                    }
                ]
            },
            {"clips": [{"text": "Hi", "start": 2, "length": 2, "exit": {"fade": 0.5}}]},
        ],
    }
    both(studio, document, least=4)


def test_transitions_moves_rotation_and_passages(studio: Studio, still: str, moving: str) -> None:
    document = {
        "output": lossless("64x48", 24, background="navy"),
        "tracks": [
            {
                "clips": [
                    {"image": still, "length": 9, "motion": "zoom-in"},
                    {"transition": "wipeleft", "length": 1},
                    {"video": moving, "fit": "contain", "length": 3},
                    {"transition": "dissolve", "length": 0.5},
                    {"gradient": ["red", "blue"], "length": 2},
                    {"transition": "fade", "length": 1},
                    {"image": still, "fit": "contain-blur", "length": 2, "motion": "pan-left"},
                ]
            },
            {
                "clips": [
                    {
                        "image": still,
                        "size": "50%x50%",
                        "rotation": 15,
                        "opacity": 0.7,
                        "length": 10,
                        "start": 1,
                        "enter": {"fade": 0.5, "slide": "left"},
                        "exit": {"fade": 0.3, "slide": {"side": "bottom", "length": 1}},
                    }
                ]
            },
            {
                "clips": [
                    {"video": moving, "size": "30%x30%", "rotation": -30, "opacity": 0.5,
                     "anchor": "bottom-left", "start": 3, "length": 2}
                ]
            },
        ],
    }  # fmt: skip
    both(studio, document, least=10)


def test_a_looped_video_below_titles(studio: Studio, moving: str) -> None:
    document = {
        "output": lossless("64x48", 25),
        "tracks": [
            {"clips": [{"video": moving, "loop": True, "trim": {"from": 1, "to": 2.5},
                        "speed": 1.2, "length": 9}]},
            {"clips": [{"text": "A", "start": 0.5, "length": 3}, {"text": "B", "length": 2}]},
        ],
    }  # fmt: skip
    cut = both(studio, document, least=7)
    assert len(set(cut.prepared.plan.segment_steps)) < len(cut.prepared.plan.segments)


def test_long_moves_and_long_transitions_are_cut_on_the_grid(studio: Studio, still: str) -> None:
    seconds = MOVING_SECONDS
    document = {
        "output": lossless("64x48", 10),
        "tracks": [
            {
                "clips": [
                    {"image": still, "length": 3 * seconds, "motion": "pan-right"},
                    {"transition": "circleopen", "length": 2 * seconds},
                    {"image": still, "fit": "contain", "length": 4 * seconds, "motion": "zoom-out"},
                ]
            },
            {
                "clips": [
                    {"image": still, "size": "20%x20%", "length": 3 * seconds, "start": 1,
                     "enter": {"fade": 2 * seconds}, "exit": {"slide": "top"}}
                ]
            },
        ],
    }  # fmt: skip
    both(studio, document, least=6)
