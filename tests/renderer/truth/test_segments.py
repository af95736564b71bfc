from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from renderer.segments import STILL_SECONDS
from renderer.steps import StepKind
from tests.renderer.truth.studio import Studio, lossless, one_track


@pytest.fixture(scope="module")
def still(studio: Studio) -> str:
    return studio.picture("plan.png", Image.effect_noise((40, 30), 50).convert("RGB"))


def keys(studio: Studio, tracks: list[dict[str, Any]], fps: Any = 25) -> list[str]:
    """The step of each segment, in order."""
    return list(
        studio.prepare({"output": lossless("64x48", fps), "tracks": tracks}).plan.segment_steps
    )


@pytest.mark.parametrize("fps", [25, 30, "24000/1001"])
def test_a_still_of_twenty_minutes_is_one_segment_repeated(
    studio: Studio, still: str, fps: Any
) -> None:
    length = 1200 if isinstance(fps, int) else f"{1200 * 24}f"
    steps = keys(studio, one_track({"image": still, "length": length}), fps)
    assert len(steps) == 1200 // STILL_SECONDS
    assert len(set(steps)) == 1


def test_words_over_a_still_are_a_few_segments(studio: Studio, still: str) -> None:
    tracks = [
        *one_track({"image": still, "length": 1200}),
        *one_track({"text": "Hi", "start": 600, "length": 8}),
    ]
    prepared = studio.prepare({"output": lossless("64x48"), "tracks": tracks})
    encoded = [s for s in prepared.plan.steps if s.kind == StepKind.ENCODE_SEGMENT]
    assert len(encoded) == 2


@pytest.mark.parametrize("extra", [{}, {"opacity": 0.5}, {"rotation": 10}, {"fit": "none"}])
def test_what_does_not_move_has_one_key_wherever_it_stands(
    studio: Studio, still: str, extra: dict[str, Any]
) -> None:
    found = set()
    for start in (0, 8, 16):
        over = {"image": still, "start": start, "length": 8, **extra}
        tracks = [*one_track({"colour": "red", "length": 24}), *one_track(over)]
        found.add(keys(studio, tracks)[start // 8])
    assert len(found) == 1


def test_a_fade_has_one_key_wherever_it_stands(studio: Studio, still: str) -> None:
    found = set()
    for start in (1, 5):
        over = {"image": still, "start": start, "length": 3, "enter": {"fade": 1, "slide": "left"}}
        tracks = [*one_track({"colour": "red", "length": 10}), *one_track(over)]
        found.add(keys(studio, tracks)[1])
    assert len(found) == 1


def test_a_part_of_a_video_has_one_key_wherever_it_stands(studio: Studio) -> None:
    film = studio.make("plan.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p",
                       inputs=["testsrc2=s=64x48:r=25:d=12"])  # fmt: skip
    clip = {"video": film, "trim": {"from": 2}}
    alone = keys(studio, one_track(clip))
    later = keys(studio, one_track({"colour": "red", "length": 3.2}, clip))
    assert later[1:] == alone


def test_a_plan_is_the_same_every_time(studio: Studio, still: str) -> None:
    tracks = [
        *one_track({"image": still, "length": 5, "motion": "pan-up"}),
        *one_track({"text": "Hi", "start": 1, "length": 2, "enter": {"fade": 0.5}}),
    ]
    document = {"output": lossless("64x48"), "tracks": tracks}
    one, two = (studio.prepare(document).plan for _ in range(2))
    assert one == two


@pytest.mark.parametrize("quality", ["draft", "standard", "high", "lossless"])
def test_all_segments_of_an_output_share_their_parameter_sets(
    studio: Studio, still: str, quality: str
) -> None:
    clips = [
        {"image": still, "length": "3f"},
        {"transition": "dissolve", "length": "2f"},
        {"colour": "red", "length": "9f"},
        {"gap": "1f"},
        {"image": still, "length": "30f", "motion": "zoom-in"},
        {"text": "x", "length": "1f"},
    ]
    output = {"size": "64x48", "fps": "30000/1001", "quality": quality}
    shot = studio.render({"output": output, "tracks": one_track(*clips)})
    lengths = {segment.span.length for segment in shot.prepared.plan.segments}
    assert {1, 2, 30} <= lengths
    assert len(shot.extradata) == 1
