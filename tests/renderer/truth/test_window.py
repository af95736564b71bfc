"""`output.range`: a part of a video is that part of the whole video."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from renderer.errors import SpecInvalid, UsageError
from renderer.spec.loading import load
from tests.renderer.truth.studio import Studio, lossless


def document(studio: Studio, fps: Any, **output: Any) -> dict[str, Any]:
    film = studio.make("film.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-shortest",
                       inputs=["testsrc2=s=96x64:r=25:d=3", "sine=440:d=3"])  # fmt: skip
    below = [
        {"video": film, "length": "20f", "speed": 1.2},
        {"transition": "fade", "length": "6f"},
        {"gradient": ["navy", "teal"], "length": "25f"},
    ]
    above = [{"text": "Range", "start": "8f", "length": "20f", "enter": {"fade": "5f"}}]
    heard = [{"audio": film, "length": "30f", "fade_in": "10f", "fade_out": "12f"}]
    tracks = [{"clips": clips} for clips in (below, above, heard)]
    return {"output": lossless("96x64", fps, **output), "tracks": tracks}


@pytest.mark.parametrize("fps", [25, "30000/1001"])
@pytest.mark.parametrize(("first", "end"), [(0, 10), (9, 17), (15, 39), (30, None)])
def test_a_part_is_that_part_of_the_whole(
    studio: Studio, fps: Any, first: int, end: int | None
) -> None:
    whole = studio.render(document(studio, fps))
    part = studio.render(
        document(studio, fps, range={"from": f"{first}f", **({"to": f"{end}f"} if end else {})})
    )
    assert part.frame_digests == whole.frame_digests[first:end]
    all_heard, heard = studio.mix(document(studio, fps)), studio.mix(
        document(studio, fps, range={"from": f"{first}f", **({"to": f"{end}f"} if end else {})})
    )  # fmt: skip
    start = round(first * 48_000 * (1 if fps == 25 else 1001) / (25 if fps == 25 else 30_000))
    assert np.array_equal(heard, all_heard[start : start + len(heard)])


def test_segments_inside_the_part_are_those_of_the_whole(studio: Studio) -> None:
    whole = studio.prepare(document(studio, 25)).plan
    part = studio.prepare(document(studio, 25, range={"from": "8f", "to": "28f"})).plan
    assert set(part.segment_steps) < set(whole.segment_steps)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [({"from": "1s", "to": "0.5s"}, "range-empty"), ({"from": 0, "to": "9s"}, "range-outside"),
     ({"from": "9s"}, "range-outside")],
)  # fmt: skip
def test_a_range_outside_the_video_is_told(studio: Studio, wanted: Any, code: str) -> None:
    with pytest.raises(SpecInvalid) as caught:
        studio.prepare(document(studio, 25, range=wanted))
    (fault,) = caught.value.faults
    assert (fault.code, fault.path) == (code, ("output", "range"))


def test_a_range_on_the_command_line_is_the_range_of_the_spec() -> None:
    loaded = load(b"{reelkiln: 1, tracks: [{clips: [{colour: red}]}]}", name="a.yaml")
    written = load(
        b"{reelkiln: 1, output: {range: {from: 1s, to: 48f}}, tracks: [{clips: [{colour: red}]}]}",
        name="a.yaml",
    )
    assert loaded.limited_to("1s..48f").digest == written.digest
    for wrong in ("1s", "a..b", "1s..2x"):
        with pytest.raises(UsageError, match="not a range"):
            loaded.limited_to(wrong)
