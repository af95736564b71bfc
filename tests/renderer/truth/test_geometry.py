from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.renderer.truth.studio import Pixels, Studio, lossless, one_track

RED, BLUE, YELLOW, WHITE, GREEN = (
    (255, 0, 0), (90, 90, 255), (255, 255, 0), (255, 255, 255), (0, 160, 0),
)  # fmt: skip
CANVAS = (96, 64)
Box = tuple[int, int, int, int]
"""Left, top, right, bottom (the first pixel after)."""


def marker(size: tuple[int, int]) -> Image.Image:
    """Green, with a quarter of each side red, blue, yellow, white in its corners."""
    width, height = size
    picture = Image.new("RGB", size, GREEN)
    w, h = width // 4, height // 4
    picture.paste(RED, (0, 0, w, h))
    picture.paste(BLUE, (width - w, 0, width, h))
    picture.paste(YELLOW, (0, height - h, w, height))
    picture.paste(WHITE, (width - w, height - h, width, height))
    return picture


@pytest.fixture(scope="module")
def image(studio: Studio) -> str:
    return studio.picture("marker.png", marker((40, 30)))


@pytest.fixture(scope="module")
def film(studio: Studio, image: str) -> str:
    return filmed(studio, "marker.mp4", image)


def filmed(studio: Studio, name: str, image: str, *options: str, pixels: str = "yuv444p") -> str:
    source = ["-loop", "1", "-t", "0.4", "-i", str(studio.media / image)]
    scale = f"scale=out_color_matrix=bt709:out_range=tv,format={pixels},setparams=colorspace=bt709"
    return studio.make(name, *source, "-vf", scale, "-c:v", "libx264", "-qp", "0", *options)


def shown(studio: Studio, *clips: dict[str, Any], background: str = "black") -> Pixels:
    """The second frame of each clip on a track of its own, over the background."""
    tracks = [{"clips": [{"length": "4f", **clip}]} for clip in clips]
    document = {"output": lossless("96x64", background=background), "tracks": tracks}
    return studio.render(document).rgb()[1]


def near(frame: Pixels, colour: tuple[int, ...], tolerance: int = 60) -> Any:
    return np.abs(frame.astype(int) - colour).max(axis=2) <= tolerance


def extent(frame: Pixels, colour: tuple[int, ...]) -> Box:
    """The smallest box round all pixels of about a colour."""
    ys, xs = np.nonzero(near(frame, colour))
    assert len(xs), f"{colour} is nowhere"
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def lit(frame: Pixels) -> Box:
    """The smallest box round all that is not dark (beside an odd edge colour may bleed)."""
    luma = frame @ np.array([0.2126, 0.7152, 0.0722])
    ys, xs = np.nonzero(luma > 40)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def assert_close(seen: Box, expected: tuple[float, ...], tolerance: float = 2) -> None:
    assert max(abs(a - b) for a, b in zip(seen, expected, strict=True)) <= tolerance, (
        seen, expected,
    )  # fmt: skip


def assert_corners(frame: Pixels, box: tuple[float, ...], colours: Any = None) -> None:
    """The four corners of the picture lie in the corners of `box`."""
    left, top, right, bottom = (round(side) for side in box)
    places = ((left + 3, top + 3), (right - 4, top + 3), (left + 3, bottom - 4),
              (right - 4, bottom - 4))  # fmt: skip
    for (x, y), colour in zip(places, colours or (RED, BLUE, YELLOW, WHITE), strict=True):
        seen = frame[y, x].astype(int)
        assert np.abs(seen - colour).max() <= 40, ((x, y), seen, colour)


FITS = {
    "cover": (0, 0, 96, 64),
    "contain": (5, 0, 91, 64),
    "stretch": (0, 0, 96, 64),
    "none": (28, 17, 68, 47),
}


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_picture_is_fitted(studio: Studio, image: str, film: str, fit: str, kind: str) -> None:
    frame = shown(studio, {kind: film if kind == "video" else image, "fit": fit})
    assert_close(lit(frame), FITS[fit], 1)
    assert_corners(frame, FITS[fit])
    if fit == "cover":  # 96x72, of which 4 rows are cut off above and below
        assert_close(extent(frame, RED), (0, 0, 24, 13), 1)


@pytest.mark.parametrize("kind", ["image", "video"])
def test_contain_blur_shows_all_over_its_own_colours(
    studio: Studio, image: str, film: str, kind: str
) -> None:
    picture = studio.picture("tall.png", marker((20, 40)))
    tall = filmed(studio, "tall.mp4", picture)
    frame = shown(studio, {kind: tall if kind == "video" else picture, "fit": "contain-blur"})
    assert_corners(frame, (32, 0, 64, 64))
    assert frame.max(axis=2).min() > 60  # no black anywhere
    sides = frame[:, :28]
    assert near(sides, GREEN, 100).mean() > 0.3


@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_large_picture_is_made_small(studio: Studio, kind: str) -> None:
    picture = studio.picture("large.png", marker((400, 300)))
    large = filmed(studio, "large.mp4", picture)
    source = large if kind == "video" else picture
    frame = shown(studio, {kind: source, "fit": "contain", "size": "40x30", "anchor": "top-left"})
    assert_close(lit(frame), (0, 0, 40, 30), 1)
    assert_corners(frame, (0, 0, 40, 30))
    frame = shown(studio, {kind: source, "fit": "none"})
    assert_close(lit(frame), (0, 0, 96, 64), 0)
    assert near(frame, GREEN).mean() > 0.95


@pytest.mark.parametrize("size", [(41, 31), (33, 47)])
@pytest.mark.parametrize("fit", ["contain", "cover", "none"])
def test_odd_sizes(studio: Studio, size: tuple[int, int], fit: str) -> None:
    name = f"odd-{size[0]}x{size[1]}"
    picture = studio.picture(f"{name}.png", marker(size))
    film = filmed(studio, f"{name}.mp4", picture)
    frames = [shown(studio, {kind: name, "fit": fit}) for kind, name in
              (("image", picture), ("video", film))]  # fmt: skip
    for frame in frames:
        box = lit(frame)
        if fit == "none":
            assert (box[2] - box[0], box[3] - box[1]) == size
            assert_close(box, ((96 - size[0]) / 2, (64 - size[1]) / 2, (96 + size[0]) / 2,
                               (64 + size[1]) / 2), 1.5)  # fmt: skip
        if fit != "cover":
            assert_corners(frame, box)
    assert np.abs(frames[0].astype(int) - frames[1]).mean() < 4


@pytest.mark.parametrize(
    ("fit", "scale", "size"), [("none", 2, (80, 60)), ("none", 0.5, (20, 15)),
                               ("contain", 0.5, (43, 32)), ("stretch", 0.5, (48, 32))]
)  # fmt: skip
@pytest.mark.parametrize("kind", ["image", "video"])
def test_scale_is_a_factor_of_what_was_fitted(
    studio: Studio, image: str, film: str, kind: str, fit: str, scale: float, size: tuple[int, int]
) -> None:
    source = film if kind == "video" else image
    frame = shown(studio, {kind: source, "fit": fit, "scale": scale})
    half = (size[0] / 2, size[1] / 2)
    assert_close(lit(frame), (48 - half[0], 32 - half[1], 48 + half[0], 32 + half[1]), 1.5)


ANCHORS = {
    "center": (38, 27), "top": (38, 0), "bottom": (38, 54), "left": (0, 27), "right": (76, 27),
    "top-left": (0, 0), "top-right": (76, 0), "bottom-left": (0, 54), "bottom-right": (76, 54),
}  # fmt: skip


@pytest.mark.parametrize("anchor", ANCHORS)
def test_every_anchor(studio: Studio, anchor: str) -> None:
    clip = {"colour": "white", "size": "20x10", "anchor": anchor}
    x, y = ANCHORS[anchor]
    assert_close(lit(shown(studio, clip)), (x, y, x + 20, y + 10), 1)


@pytest.mark.parametrize("anchor", ["center", "top-left", "bottom-right"])
@pytest.mark.parametrize("share", [False, True])
def test_an_offset_goes_right_and_down(studio: Studio, anchor: str, share: bool) -> None:
    x, y = ANCHORS[anchor]
    dx, dy = (8 if x < 70 else -8), (6 if y < 50 else -6)
    offset = {"x": f"{dx / 0.96:.3f}%", "y": f"{dy / 0.64:.3f}%"} if share else {"x": dx, "y": dy}
    clip = {"colour": "white", "size": "20x10", "anchor": anchor, "offset": offset}
    box = (x + dx, y + dy, x + dx + 20, y + dy + 10)
    assert_close(lit(shown(studio, clip)), box, 1)


@pytest.mark.parametrize("kind", ["image", "video"])
def test_crop_cuts_off_the_edges_of_the_source(
    studio: Studio, image: str, film: str, kind: str
) -> None:
    source = film if kind == "video" else image
    crop = {"left": "50%", "bottom": 15}
    frame = shown(studio, {kind: source, "crop": crop, "fit": "contain", "size": "64x48"})
    assert_close(lit(frame), (16, 8, 80, 56), 1)
    assert_close(extent(frame, BLUE), (48, 8, 80, 30), 2)
    assert not near(frame, RED).any()


@pytest.mark.parametrize("kind", ["image", "video", "moving"])
@pytest.mark.parametrize(
    ("degrees", "colours"),
    [
        (90, (YELLOW, RED, WHITE, BLUE)),
        (180, (WHITE, YELLOW, BLUE, RED)),
        (-90, (BLUE, WHITE, RED, YELLOW)),
        (450, (YELLOW, RED, WHITE, BLUE)),
    ],
)
def test_rotation_is_clockwise(
    studio: Studio, image: str, film: str, kind: str, degrees: int, colours: Any
) -> None:
    clip: dict[str, Any] = {"video": film} if kind == "video" else {"image": image}
    if kind == "moving":
        clip["motion"] = {"move": "zoom-in", "amount": 0.01}
    frame = shown(studio, {**clip, "rotation": degrees, "fit": "none"})
    size = (30, 40) if degrees % 180 else (40, 30)
    half = (size[0] / 2, size[1] / 2)
    box = (48 - half[0], 32 - half[1], 48 + half[0], 32 + half[1])
    assert_close(lit(frame), box, 2)
    assert_corners(frame, box, colours)


@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_slanted_picture_keeps_its_middle_and_its_size(
    studio: Studio, image: str, film: str, kind: str
) -> None:
    source = film if kind == "video" else image
    frame = shown(studio, {kind: source, "fit": "none", "rotation": 30})
    width, height = 40 * 0.866 + 30 * 0.5, 40 * 0.5 + 30 * 0.866
    box = (48 - width / 2, 32 - height / 2, 48 + width / 2, 32 + height / 2)
    assert_close(lit(frame), box, 2)
    # Turned clockwise, the top left corner goes up and to the right.
    for corner, colour in (((-17, -12), RED), ((17, 12), WHITE)):
        x = 48 + corner[0] * 0.866 - corner[1] * 0.5
        y = 32 + corner[0] * 0.5 + corner[1] * 0.866
        assert np.abs(frame[round(y), round(x)].astype(int) - colour).max() < 60
    area = (frame.max(axis=2) > 60).sum()
    assert abs(area - 40 * 30) < 60


@pytest.mark.parametrize("kind", ["image", "video"])
def test_the_edges_of_a_slanted_picture_are_not_fringed(studio: Studio, kind: str) -> None:
    picture = studio.picture("blank.png", Image.new("RGB", (50, 40), "#80c0ff"))
    source = picture if kind == "image" else filmed(studio, "blank.mp4", picture)
    clip = {kind: source, "fit": "none", "rotation": 25}
    frame = shown(studio, clip, background="#80c0ff")
    assert np.abs(frame.astype(int) - (128, 192, 255)).max() <= 3


def test_pictures_with_oblong_pixels_are_widened(studio: Studio, image: str) -> None:
    wide = filmed(studio, "oblong.mp4", image, "-aspect", "8:3")  # 40x30, two to one
    frame = shown(studio, {"video": wide, "fit": "contain"})
    assert_close(lit(frame), (0, 14, 96, 50), 1)
    assert_corners(frame, (0, 14, 96, 50))
    frame = shown(studio, {"video": wide, "fit": "contain", "crop": {"left": "50%"}})
    assert_close(extent(frame, BLUE), (47, 0, 90, 16), 3)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_telephone_video_stands_upright(studio: Studio, image: str, turn: int) -> None:
    plain = filmed(studio, "plain.mp4", image, pixels="yuv420p")
    turned = studio.make(
        f"turned-{turn}.mp4", "-display_rotation", str(-turn), "-i", str(studio.media / plain),
        "-c", "copy",
    )  # fmt: skip
    frame = shown(studio, {"video": turned, "fit": "contain"})
    size = (48, 64) if turn % 180 else (86, 64)
    box = (48 - size[0] / 2, 0, 48 + size[0] / 2, 64)
    assert_close(lit(frame), box, 2)
    colours = {
        90: (YELLOW, RED, WHITE, BLUE),
        180: (WHITE, YELLOW, BLUE, RED),
        270: (BLUE, WHITE, RED, YELLOW),
    }
    assert_corners(frame, box, colours[turn])


def test_layers_lie_over_each_other_in_the_order_of_tracks(studio: Studio) -> None:
    frame = shown(
        studio,
        {"colour": "red", "size": "40x40"},
        {"colour": "#5a5aff", "size": "20x20"},
        {"colour": "white", "size": "10x10", "anchor": "top-left"},
    )
    assert np.abs(frame[32, 48].astype(int) - BLUE).max() <= 3
    assert np.abs(frame[32, 33].astype(int) - RED).max() <= 2
    assert np.abs(frame[4, 4].astype(int) - WHITE).max() <= 2


def test_the_size_of_a_box_may_be_a_share_of_the_canvas(studio: Studio) -> None:
    clip = {"colour": "white", "size": "50%x25%", "anchor": "bottom-right"}
    assert_close(lit(shown(studio, clip)), (48, 48, 96, 64), 0)


def test_one_track_at_a_time_is_shown(studio: Studio) -> None:
    tracks = one_track({"colour": "red", "length": "3f"}, {"gap": "2f"},
                       {"colour": "blue", "length": "3f"})  # fmt: skip
    frames = studio.render({"output": lossless("96x64"), "tracks": tracks}).rgb()
    seen = [tuple(int(v > 128) for v in frame[30, 40]) for frame in frames]
    assert seen == [(1, 0, 0)] * 3 + [(0, 0, 0)] * 2 + [(0, 0, 1)] * 3
