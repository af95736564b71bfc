from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from renderer.errors import OutputRejected
from renderer.steps import Read, Step, StepKind, make_step
from tests.renderer.executors.conftest import Bench
from tests.renderer.executors.tiny import segment

COLOURS = {"red": (254, 0, 0), "lime": (0, 255, 1), "blue": (0, 0, 254)}
TAGGED = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,"


def colour(name: str) -> Step:
    step = segment("", source=f"color={name}:s=64x48", before=TAGGED)
    return replace(step)


def stills(part: Step, *frames: int) -> Step:
    wanted = {f"{frame}.png": frame for frame in frames}
    return make_step(
        StepKind.GRAB_STILLS,
        "the stills",
        toolchain="test",
        reads=(Read(step=part.key, output="segment.mp4"),),
        params={"stills": wanted},
        outputs=tuple(wanted),
    )


def near(picture: Image.Image, at: tuple[int, int], wanted: tuple[int, ...]) -> bool:
    pixel = picture.convert("RGB").getpixel(at)
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= 4 for a, b in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize("name", COLOURS)
def test_colours_are_converted_by_bt709(bench: Bench, name: str) -> None:
    part = colour(name)
    step = stills(part, 3)
    with Image.open(bench.output(bench.run(part, step), step, "3.png")) as picture:
        assert picture.size == (64, 48)
        assert near(picture, (32, 24), COLOURS[name])


def test_the_frame_asked_for_is_the_frame_saved(bench: Bench) -> None:
    ramp = "color=black:s=64x48"
    part = segment("", source=ramp, before="geq=lum='16+20*N':cb=128:cr=128,")
    step = stills(part, 7, 0, 3)
    results = bench.run(part, step)
    for n in (0, 3, 7):
        with Image.open(bench.output(results, step, f"{n}.png")) as picture:
            level = round(20 * n * 255 / 219)
            assert near(picture, (32, 24), (level, level, level))


def test_a_contact_sheet_shows_its_frames_in_reading_order(bench: Bench) -> None:
    parts = [colour(name) for name in COLOURS]
    grabs = [stills(part, 1) for part in parts]
    step = make_step(
        StepKind.ARRANGE_STILLS,
        "the sheet",
        toolchain="test",
        reads=tuple(Read(step=grab.key, output="1.png") for grab in grabs),
        params={
            "thumbnail": 2,
            "contact_sheet": {"columns": 2, "cell": [64, 32], "cells": [0, 1, 2, 0]},
        },
        outputs=("thumbnail.jpg", "contact-sheet.jpg"),
    )
    results = bench.run(*parts, *grabs, step)
    with Image.open(bench.output(results, step, "contact-sheet.jpg")) as picture:
        assert picture.size == (8 + 2 * 72, 8 + 2 * 40)
        centres = [(40, 24), (112, 24), (40, 64), (112, 64)]
        for centre, name in zip(centres, ["red", "lime", "blue", "red"], strict=True):
            assert near(picture, centre, COLOURS[name])
        assert near(picture, (10, 24), (18, 18, 20))  # a 4:3 picture leaves paper in a 2:1 cell
    with Image.open(bench.output(results, step, "thumbnail.jpg")) as picture:
        assert picture.size == (64, 48)
        assert near(picture, (32, 24), COLOURS["blue"])


@pytest.mark.parametrize("flags", ["0", "sse4.2", "avx2"])
def test_stills_do_not_depend_on_the_class_of_cpu(bench: Bench, tmp_path: Path, flags: str) -> None:
    part = segment("a", source="testsrc2=s=98x66")
    step = stills(part, 3)
    other = Bench(tmp_path / "other", replace(bench.toolchain, cpuflags=flags))
    assert bench.run(part, step)[step.key].outputs == other.run(part, step)[step.key].outputs


def test_a_frame_that_is_not_there_is_named(bench: Bench) -> None:
    part = segment("a")
    with pytest.raises(OutputRejected, match="there is no frame 10"):
        bench.run(part, stills(part, 3, 10))
    assert bench.leftovers() == []
