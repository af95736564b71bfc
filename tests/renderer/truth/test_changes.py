from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image, ImageDraw

from renderer.spec.clips import MotionName, TransitionName
from tests.renderer.truth.studio import Pixels, Studio, lossless, one_track

NAMES = get_args(TransitionName)
HOLD, CHANGE = 2, 6


def test_every_transition_leads_from_one_picture_to_the_next(studio: Studio) -> None:
    pictures = [
        studio.picture(f"{name}.png", Image.effect_noise((48, 32), 90).convert("RGB"))
        for name in ("noise-a", "noise-b")
    ]
    clips: list[dict[str, Any]] = [{"image": pictures[0], "length": f"{HOLD + CHANGE}f"}]
    for number, name in enumerate(NAMES):
        clips.append({"transition": name, "length": f"{CHANGE}f"})
        length = HOLD + 2 * CHANGE if number < len(NAMES) - 1 else HOLD + CHANGE
        clips.append({"image": pictures[(number + 1) % 2], "length": f"{length}f"})
    shot = studio.render({"output": lossless("48x32"), "tracks": one_track(*clips)})
    frames = shot.luma().astype(int)
    assert len(frames) == len(NAMES) * (HOLD + CHANGE) + HOLD
    stills = [frames[0], frames[HOLD + CHANGE]]
    assert np.abs(stills[0] - stills[1]).mean() > 20
    for number, name in enumerate(NAMES):
        start = HOLD + number * (HOLD + CHANGE)
        before, after = stills[number % 2], stills[(number + 1) % 2]
        assert (frames[start - 1] == before).all(), name
        assert (frames[start + CHANGE] == after).all(), name
        halfway = frames[start + CHANGE // 2]
        assert np.abs(halfway - before).mean() > 1, name
        assert np.abs(halfway - after).mean() > 1, name


def test_a_crossfade_of_small_pictures_does_not_darken_them(studio: Studio) -> None:
    tall = studio.picture("tall-white.png", Image.new("RGB", (20, 64), "white"))
    wide = studio.picture("wide-white.png", Image.new("RGB", (96, 20), "white"))
    clips = [
        {"image": tall, "fit": "contain", "length": "10f"},
        {"transition": "fade", "length": "8f"},
        {"image": wide, "fit": "contain", "length": "10f"},
    ]
    white = {"output": lossless("96x64", background="white"), "tracks": one_track(*clips)}
    assert studio.render(white).rgb().min() >= 252
    black = {"output": lossless("96x64"), "tracks": one_track(*clips)}
    frames = studio.render(black).rgb().astype(int)
    for step in range(8):
        frame = frames[2 + step]
        assert abs(frame[32, 48, 1] - 255) <= 3  # in both
        assert abs(frame[5, 48, 1] - 255 * (1 - step / 8)) <= 3  # only in the tall one
        assert abs(frame[32, 5, 1] - 255 * step / 8) <= 3  # only in the wide one


def test_a_transition_over_another_track_leaves_it_alone(studio: Studio) -> None:
    picture = studio.picture("small-red.png", Image.new("RGB", (20, 20), "red"))
    clips = [
        {"image": picture, "fit": "none", "length": "8f"},
        {"transition": "slideleft", "length": "6f"},
        {"image": picture, "fit": "none", "length": "8f"},
    ]
    tracks = [*one_track({"colour": "#00c000", "length": "10f"}), *one_track(*clips)]
    frames = studio.render({"output": lossless("96x64"), "tracks": tracks}).rgb().astype(int)
    assert np.abs(frames[:, 5, :] - (0, 192, 0)).max() <= 3
    assert np.abs(frames[5, 32, 30] - (0, 192, 0)).max() <= 3
    assert np.abs(frames[5, 32, 4] - (255, 0, 0)).max() <= 3


def dots(size: tuple[int, int], *places: tuple[float, float]) -> Image.Image:
    """Soft white dots on dark grey, with a light frame round the edge."""
    large = Image.new("L", (size[0] * 4, size[1] * 4), 60)
    pen = ImageDraw.Draw(large)
    for x, y in places:
        pen.ellipse([4 * x - 16, 4 * y - 16, 4 * x + 16, 4 * y + 16], fill=255)
    return large.resize(size, Image.Resampling.LANCZOS).convert("RGB")


def centre(luma: Pixels) -> tuple[float, float]:
    """The middle of the light in a picture, in fractions of a pixel."""
    light = np.clip(luma.astype(float) - 90, 0, None)
    ys, xs = np.mgrid[: luma.shape[0], : luma.shape[1]]
    return float((light * xs).sum() / light.sum()), float((light * ys).sum() / light.sum())


PANS = {"pan-left": (1, 0), "pan-right": (-1, 0), "pan-up": (0, 1), "pan-down": (0, -1)}


@pytest.mark.parametrize("move", PANS)
@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_pan_is_even_to_a_fraction_of_a_pixel(studio: Studio, move: str, kind: str) -> None:
    picture = studio.picture("dot.png", dots((160, 96), (80, 48)))
    source = picture
    if kind == "video":
        source = studio.make(
            "dot.mp4", "-loop", "1", "-t", "2", "-i", str(studio.media / picture), "-vf",
            "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,setparams=colorspace=bt709",
            "-c:v", "libx264", "-qp", "0",
        )  # fmt: skip
    clip = {kind: source, "length": "41f", "motion": {"move": move, "amount": 0.2}}
    shot = studio.render({"output": lossless("160x96"), "tracks": one_track(clip)})
    places = np.array([centre(frame) for frame in shot.luma()])
    travel = np.array([160, 96]) * 0.2 * PANS[move]
    share = np.linspace(-0.5, 0.5, 41)[:, None]
    expected = np.array([79.5, 47.5]) + share * travel
    assert np.abs(places - expected).max() < 0.25
    steps = np.diff(places, axis=0)
    assert np.abs(steps - travel / 40).max() < 0.12


@pytest.mark.parametrize("move", ["zoom-in", "zoom-out"])
def test_a_zoom_grows_evenly_about_the_middle(studio: Studio, move: str) -> None:
    picture = studio.picture("two-dots.png", dots((160, 96), (50, 48), (110, 48)))
    clip = {"image": picture, "length": "41f", "motion": {"move": move, "amount": 0.3}}
    shot = studio.render({"output": lossless("160x96"), "tracks": one_track(clip)})
    frames = shot.luma()
    middles = np.array([centre(frame) for frame in frames])
    assert np.abs(middles - (79.5, 47.5)).max() < 0.2
    apart = np.array([centre(f[:, 80:])[0] + 80 - centre(f[:, :80])[0] for f in frames])
    growth = np.linspace(1, 1.3, 41)
    expected = 60 * (growth if move == "zoom-in" else growth[::-1])
    assert np.abs(apart - expected).max() < 0.25
    assert np.abs(np.diff(apart, 2)).max() < 0.15  # no jitter


@pytest.mark.parametrize("move", get_args(MotionName))
def test_a_camera_move_shows_no_edge(studio: Studio, move: str) -> None:
    picture = studio.picture("white-50.png", Image.new("RGB", (50, 40), "white"))
    clip = {
        "image": picture,
        "fit": "contain-blur",
        "length": "7f",
        "motion": {"move": move, "amount": 0.5},
    }
    shot = studio.render({"output": lossless("64x36"), "tracks": one_track(clip)})
    assert shot.rgb().min() >= 250


def test_a_move_of_a_turned_picture_keeps_its_shape(studio: Studio) -> None:
    picture = studio.picture("white-40.png", Image.new("RGB", (40, 30), "white"))
    clip = {"image": picture, "fit": "none", "length": "5f", "rotation": 30, "opacity": 0.5,
            "motion": "zoom-in"}  # fmt: skip
    frames = studio.render({"output": lossless("96x64"), "tracks": one_track(clip)}).rgb()
    for frame in frames:
        assert abs(int(frame[32, 48, 1]) - 128) <= 2
        assert abs((frame[:, :, 1] > 64).sum() - 40 * 30) < 60


@pytest.mark.parametrize("kind", ["colour", "image"])
def test_a_fade_rises_and_falls_evenly(studio: Studio, kind: str) -> None:
    picture = studio.picture("white-40.png", Image.new("RGB", (40, 30), "white"))
    clips: dict[str, dict[str, Any]] = {
        "colour": {"colour": "white"},
        "image": {"image": picture},
    }
    clip = {**clips[kind], "length": "24f", "enter": {"fade": "8f"}, "exit": {"fade": "8f"}}
    shot = studio.render({"output": lossless("64x36"), "tracks": one_track(clip)})
    levels = shot.rgb()[:, 18, 32, 1].astype(int)
    rising = [255 * n / 8 for n in range(8)]
    expected = [*rising, *[255] * 8, *[255 - level for level in rising]]
    assert np.abs(levels - expected).max() <= 3


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_slide_comes_from_its_side_and_leaves_there(studio: Studio, side: str) -> None:
    slide = {"slide": {"side": side, "length": "10f"}}
    clip = {"colour": "white", "size": "20x20", "length": "30f", "enter": slide, "exit": slide}
    frames = studio.render({"output": lossless("96x64"), "tracks": one_track(clip)}).luma()
    axis = 0 if side in ("top", "bottom") else 1
    places: list[float] = []
    for frame in frames[1:]:
        lit = np.nonzero(frame.max(axis=1 - axis) > 128)[0]
        places.append(float(lit[-1] if side in ("left", "top") else lit[0]) if len(lit) else -1)
    assert frames[0].max() <= 17  # outside at first
    resting = {"left": 57, "right": 38, "top": 41, "bottom": 22}[side]
    assert all(abs(place - resting) <= 1 for place in places[10:18])
    moves = np.diff(places[:10]) * (1 if side in ("left", "top") else -1)
    assert (moves >= 0).all()
    assert moves[0] > moves[-1]  # slows down towards its place
    away = np.diff([p for p in places[19:] if p >= 0]) * (1 if side in ("left", "top") else -1)
    assert (away <= 0).all()
