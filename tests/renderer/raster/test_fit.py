from __future__ import annotations

import hashlib
import io
import math
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from renderer import raster
from renderer.errors import RenderFailed, SourceRefused

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture
def quarters(tmp_path: Path) -> Path:
    """40x20: red, green above blue, white."""
    picture = Image.new("RGB", (40, 20))
    for place, colour in {(0, 0): RED, (20, 0): GREEN, (0, 10): BLUE, (20, 10): WHITE}.items():
        picture.paste(colour, (*place, place[0] + 20, place[1] + 10))
    return saved(picture, tmp_path / "quarters.png")


def saved(picture: Image.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def drawn(source: Path, **params: Any) -> Image.Image:
    out = source.with_name("out.png")
    with Image.open(source) as opened:
        params.setdefault("scale_to", list(opened.size))
    raster.draw_image(params, source, out)
    with Image.open(out) as picture:
        assert not picture.info  # nothing of the source but its pixels
        return picture.copy()


def gradient_of(folder: Path, **params: Any) -> Image.Image:
    raster.draw_gradient({"kind": "linear", "angle": 90, **params}, folder / "gradient.png")
    with Image.open(folder / "gradient.png") as picture:
        return picture.copy()


def pixel(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = picture.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


def pixels(picture: Image.Image) -> list[tuple[int, ...]]:
    return [pixel(picture, x, y) for y in range(picture.height) for x in range(picture.width)]


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    right, bottom = picture.width - 1, picture.height - 1
    return [pixel(picture, *at) for at in ((0, 0), (right, 0), (0, bottom), (right, bottom))]


def test_a_picture_at_its_own_size_keeps_every_pixel(quarters: Path) -> None:
    picture = drawn(quarters)
    assert (picture.mode, corners(picture)) == ("RGB", [RED, GREEN, BLUE, WHITE])
    with Image.open(quarters) as source:
        assert picture.tobytes() == source.tobytes()


def test_crop_is_taken_before_scaling_and_cut_after(quarters: Path) -> None:
    assert corners(drawn(quarters, crop=[20, 0, 20, 20], scale_to=[10, 10]))[::2] == [GREEN, WHITE]
    cut = drawn(quarters, scale_to=[80, 40], cut=[60, 30, 10, 8])
    assert (cut.size, corners(cut)) == ((10, 8), [WHITE] * 4)


def test_a_cut_that_rounding_put_past_the_edge_shows_no_empty_line(quarters: Path) -> None:
    cut = drawn(quarters, scale_to=[40, 20], cut=[22, 12, 20, 10])
    assert (cut.size, corners(cut)) == ((20, 10), [WHITE] * 4)


def test_padding_is_clear(quarters: Path) -> None:
    picture = drawn(quarters, pad_to=[60, 20], pad_at=[10, 0])
    assert picture.mode == "RGBA"
    assert pixel(picture, 5, 5) == (0, 0, 0, 0)
    assert pixel(picture, 9, 5) == (*RED, 0)
    assert pixel(picture, 10, 5) == (*RED, 255)


def test_clear_pixels_beside_an_edge_have_its_colour(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (30, 20))
    picture.paste((*RED, 255), (11, 7, 20, 14))
    bled = drawn(saved(picture, tmp_path / "sharp.png"))
    assert bled.getchannel("A").tobytes() == picture.getchannel("A").tobytes()
    assert {pixel(bled, *at) for at in ((10, 9), (9, 6), (20, 14))} == {(*RED, 0)}
    assert pixel(bled, 4, 4) == (0, 0, 0, 0)


def test_flatten_puts_a_colour_behind_clear_parts(quarters: Path) -> None:
    picture = drawn(quarters, pad_to=[60, 20], pad_at=[10, 0], flatten=[10, 20, 30])
    assert (picture.mode, pixel(picture, 0, 0)) == ("RGB", (10, 20, 30))


def test_blur_behind_fills_the_box_with_the_pictures_own_colours(quarters: Path) -> None:
    picture = drawn(quarters, pad_to=[40, 80], pad_at=[0, 30], blur_behind=True)
    assert picture.mode == "RGB"
    assert pixel(picture, 5, 35) == RED
    red, green, blue = pixel(picture, 2, 2)
    assert red > 150 > green + blue
    edge = [pixel(picture, x, 10) for x in range(40)]
    steps = [max(abs(a - b) for a, b in zip(p, q, strict=True)) for p, q in pairwise(edge)]
    assert max(steps) < 120  # the hard edge of 255 is gone


def test_half_opacity_halves_alpha_and_keeps_colour(quarters: Path) -> None:
    assert pixel(drawn(quarters, opacity=500), 0, 0) == (255, 0, 0, 128)


def test_a_quarter_turn_is_exact_and_clockwise(quarters: Path) -> None:
    turned = drawn(quarters, rotation_mdeg=90_000)
    assert (turned.size, corners(turned)) == ((20, 40), [BLUE, RED, WHITE, GREEN])
    back = drawn(quarters, rotation_mdeg=-180_000)
    assert corners(back) == [WHITE, BLUE, GREEN, RED]


def test_a_slanted_picture_grows_and_has_clear_corners_and_smooth_edges(quarters: Path) -> None:
    turned = drawn(quarters, scale_to=[80, 40], rotation_mdeg=30_000)
    assert turned.size == (90, 76)  # even, above 89.3 x 74.6
    assert [corner[3] for corner in corners(turned)] == [0] * 4
    assert len(set(turned.getchannel("A").tobytes())) > 10
    assert pixel(turned, 23, 14)[:3] == RED  # clockwise: red stays at the left, higher up


def test_the_edge_of_a_slanted_picture_has_no_dark_fringe(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (40, 20), RED), tmp_path / "red.png")
    seen = {p[:3] for p in pixels(drawn(path, rotation_mdeg=20_500)) if p[3] > 8}
    assert seen == {RED}


def test_scaling_lends_no_colour_from_clear_pixels(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (64, 64), (0, 255, 0, 0))  # clear, but green underneath
    picture.paste((255, 0, 0, 255), (16, 16, 48, 48))
    small = drawn(saved(picture, tmp_path / "a.png"), scale_to=[20, 20])
    assert {p[1] for p in pixels(small) if p[3] > 0} == {0}


@pytest.mark.parametrize("turn", range(1, 9))
def test_every_exif_orientation_comes_out_upright(turn: int, quarters: Path) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    with Image.open(quarters) as source:
        stored = source.transpose(Image.Transpose(undo[turn])) if turn > 1 else source.copy()
    exif = Image.Exif()
    exif[0x0112] = turn
    path = saved(stored, quarters.with_name("turned.png"), exif=exif)
    assert corners(drawn(path, scale_to=[40, 20])) == [RED, GREEN, BLUE, WHITE]


def test_a_photograph_held_upright_is_not_squeezed_by_the_fast_decoder(tmp_path: Path) -> None:
    upright = Image.new("RGB", (400, 800), RED)
    upright.paste(BLUE, (0, 400, 400, 800))
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    path = saved(stored, tmp_path / "photo.jpg", exif=exif, quality=95)
    picture = drawn(path, scale_to=[40, 80])
    assert pixel(picture, 20, 10)[0] > 250
    assert pixel(picture, 20, 70)[2] > 250


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    path = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), tmp_path / "ink.jpg", quality=100)
    red, green, blue = pixel(drawn(path), 8, 8)
    assert red > 250
    assert max(green, blue) < 5


def test_a_palette_keeps_its_clear_colour(tmp_path: Path) -> None:
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(1, (4, 0, 8, 8))
    path = saved(picture, tmp_path / "p.png", transparency=0)
    left, right = corners(drawn(path))[:2]
    assert (left[3], right) == (0, (0, 0, 255, 255))


@pytest.mark.parametrize(
    ("level", "expected"), [(0, 0), (128, 0), (129, 1), (32896, 128), (65535, 255)]
)
def test_sixteen_bit_grey_is_rounded_to_eight(level: int, expected: int, tmp_path: Path) -> None:
    path = saved(Image.new("I;16", (4, 4), level), tmp_path / "deep.png")
    assert pixel(drawn(path), 0, 0) == (expected,) * 3


@pytest.mark.parametrize(
    ("mode", "fill", "expected"),
    [
        ("1", 1, WHITE),
        ("L", 77, (77, 77, 77)),
        ("LA", (77, 128), (77, 77, 77, 128)),
        ("RGBA", (1, 2, 3, 128), (1, 2, 3, 128)),
        ("F", 0.5, (128, 128, 128)),
        ("I", 65535, WHITE),
        ("YCbCr", (255, 128, 128), WHITE),
    ],
)
def test_every_mode_of_pixels_is_read(mode: str, fill: Any, expected: Any, tmp_path: Path) -> None:
    form = "png" if mode in ("1", "L", "LA", "RGBA") else "tif"
    path = saved(Image.new(mode, (8, 8), fill), tmp_path / f"a.{form}")
    seen = pixel(drawn(path), 3, 3)
    assert len(seen) == len(expected)
    assert all(abs(a - b) <= 1 for a, b in zip(seen, expected, strict=True))


def test_grey_with_a_clear_level_keeps_it(tmp_path: Path) -> None:
    path = saved(Image.new("L", (8, 8), 9), tmp_path / "a.png", transparency=9)
    assert pixel(drawn(path), 0, 0)[3] == 0


@pytest.mark.parametrize("form", ["gif", "webp", "png"])
def test_of_an_animation_the_first_frame_is_shown(form: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    options: dict[str, Any] = {"lossless": True} if form == "webp" else {}
    path = tmp_path / f"a.{form}"
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    assert pixel(drawn(path), 4, 4)[:3] == RED


def profile_with_red_and_green_swapped() -> bytes:
    data = srgb_profile().replace("sRGB".encode("utf-16-be"), "Mine".encode("utf-16-be"))
    swapped = data.replace(b"rXYZ", b"----").replace(b"gXYZ", b"rXYZ")
    return swapped.replace(b"----", b"gXYZ")


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_a_colour_profile_is_carried_out(tmp_path: Path) -> None:
    foreign = profile_with_red_and_green_swapped()
    for mode, fill, expected in [
        ("RGB", (200, 10, 10), (10, 200, 10)),
        ("RGBA", (200, 10, 10, 90), (10, 200, 10, 90)),
    ]:
        picture = Image.new(mode, (8, 8), fill)
        plain = drawn(saved(picture, tmp_path / "s.png", icc_profile=srgb_profile()))
        assert pixel(plain, 0, 0) == fill
        mapped = drawn(saved(picture, tmp_path / "x.png", icc_profile=foreign))
        assert all(abs(a - b) < 4 for a, b in zip(pixel(mapped, 0, 0), expected, strict=True))


@pytest.mark.parametrize("profile", [b"", b"nonsense", b"\0" * 200])
def test_a_broken_colour_profile_is_ignored(profile: bytes, tmp_path: Path) -> None:
    picture = Image.new("RGB", (8, 8), (100, 110, 120))
    path = saved(picture, tmp_path / "s.png", icc_profile=profile)
    assert pixel(drawn(path), 0, 0) == (100, 110, 120)


def test_a_picture_cut_short_is_refused(tmp_path: Path) -> None:
    for form in ("png", "jpg", "webp"):
        buffer = io.BytesIO()
        Image.effect_mandelbrot((64, 64), (-2, -1, 1, 1), 50).convert("RGB").save(
            buffer, "JPEG" if form == "jpg" else form
        )
        path = tmp_path / f"short.{form}"
        path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) * 2 // 3])
        with pytest.raises(SourceRefused, match="cannot be read"):
            raster.draw_image({"scale_to": [8, 8]}, path, tmp_path / "out.png")


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.png"
    path.write_text("not a picture")
    with pytest.raises(SourceRefused, match="none of PNG, JPEG") as caught:
        raster.draw_image({"scale_to": [8, 8]}, path, tmp_path / "out.png")
    assert str(tmp_path) not in caught.value.message


def test_a_picture_with_too_many_pixels_is_refused(tmp_path: Path) -> None:
    path = saved(Image.new("1", (300, 300)), tmp_path / "wide.png")
    with pytest.raises(SourceRefused, match="300x300 has more than 89999 pixels"):
        drawn(path, max_pixels=89_999)
    assert drawn(path, max_pixels=90_000).size == (300, 300)


def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    for side in (10_001, 60_000):  # Pillow warns of the first and stops at the second
        header = struct.pack(">4sIIBBBBB", b"IHDR", side, side, 1, 0, 0, 0, 0)
        check = struct.pack(">I", zlib.crc32(header))
        data = struct.pack(">I4s", 100, b"IDAT")
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + check + data)
        with pytest.raises(SourceRefused, match=r"too large|more than"):
            raster.draw_image({"scale_to": [8, 8]}, path, tmp_path / "out.png")


@pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore:.*:RuntimeWarning")
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_damaged_files_are_drawn_or_refused_but_never_crash(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"]))
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((24, 24)).save(buffer, form)
    damaged = bytearray(buffer.getvalue())
    places = st.tuples(st.integers(0, len(damaged) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(places, min_size=1, max_size=8)):
        damaged[place] = value
    folder = Path("/tmp") / f"raster-{hashlib.sha256(damaged).hexdigest()[:16]}"
    folder.mkdir(exist_ok=True)
    try:
        (folder / "in").write_bytes(damaged)
        with suppress(SourceRefused):
            params = {"scale_to": [8, 8], "max_pixels": 10_000}
            raster.draw_image(params, folder / "in", folder / "o")
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def test_text_keeps_its_alpha_even_when_solid(tmp_path: Path) -> None:
    out = tmp_path / "text.png"
    raster.finish_text(Image.new("RGBA", (8, 8), (*RED, 255)), {"scale_to": [4, 4]}, out)
    with Image.open(out) as picture:
        assert (picture.mode, picture.size) == ("RGBA", (4, 4))


@pytest.mark.parametrize(
    ("angle", "expected"),
    [
        (0, [1, 1, 0, 0]),
        (90, [0, 1, 0, 1]),
        (180, [0, 0, 1, 1]),
        (270, [1, 0, 1, 0]),
        (-90, [1, 0, 1, 0]),
    ],
)
def test_angles_run_as_in_css(angle: int, expected: list[int], tmp_path: Path) -> None:
    picture = gradient_of(
        tmp_path, size=[640, 360], angle=angle, colours=[[*RED, 255], [*BLUE, 255]]
    )
    assert picture.mode == "RGB"
    assert corners(picture) == [BLUE if end else RED for end in expected]


def test_a_slanted_gradient_reaches_its_ends_in_the_corners(tmp_path: Path) -> None:
    picture = gradient_of(tmp_path, size=[640, 360], angle=135, colours=[[*RED, 255], [*BLUE, 255]])
    first, _, _, last = corners(picture)
    assert (first, last) == (RED, BLUE)
    red, _, blue = pixel(picture, 320, 180)
    assert abs(red - blue) <= 2


def test_a_gradient_of_four_pixels_has_the_colours_of_their_middles(tmp_path: Path) -> None:
    picture = gradient_of(tmp_path, size=[4, 1], colours=[[0, 0, 0, 255], [*WHITE, 255]])
    assert [p[0] for p in pixels(picture)] == [32, 96, 159, 223]


def test_no_step_of_a_gradient_is_larger_than_its_slope(tmp_path: Path) -> None:
    for kind in ("linear", "radial"):
        picture = gradient_of(
            tmp_path,
            size=[1200, 16],
            kind=kind,
            colours=[[0, 0, 0, 255], [*WHITE, 255], [0, 0, 0, 255]],
        )
        row = [pixel(picture, x, 8)[0] for x in range(1200)]
        assert max(abs(a - b) for a, b in pairwise(row)) <= 1
        assert max(row) == 255


def test_stops_move_the_colours_and_may_be_hard(tmp_path: Path) -> None:
    colours = [[*RED, 255], [*RED, 255], [*BLUE, 255], [*BLUE, 255]]
    picture = gradient_of(tmp_path, size=[100, 4], colours=colours, stops=[0, 300, 300, 1000])
    assert [pixel(picture, x, 0) for x in (0, 29, 30, 99)] == [RED, RED, BLUE, BLUE]


def test_stops_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    for stops in ([0], [500, 100]):
        with pytest.raises(RenderFailed, match="one stop for each colour"):
            gradient_of(tmp_path, size=[8, 8], colours=[[*RED, 255], [*BLUE, 255]], stops=stops)
    with pytest.raises(RenderFailed, match="'spiral' is not a kind"):
        gradient_of(tmp_path, size=[8, 8], kind="spiral", colours=[[*RED, 255], [*BLUE, 255]])


def test_a_clear_end_lends_no_tint(tmp_path: Path) -> None:
    picture = gradient_of(tmp_path, size=[100, 2], colours=[[*RED, 255], [0, 0, 0, 0]])
    assert {p[:3] for p in pixels(picture) if p[3]} == {RED}
    assert pixel(picture, 50, 0)[3] in (126, 127, 128)


@pytest.mark.parametrize("size", [[81, 41], [80, 40], [1, 1], [2, 3]])
def test_a_radial_gradient_is_symmetric_and_follows_the_distance(
    size: list[int], tmp_path: Path
) -> None:
    picture = gradient_of(
        tmp_path, size=size, kind="radial", colours=[[0, 0, 0, 255], [*WHITE, 255]]
    )
    assert picture.tobytes() == picture.transpose(Image.Transpose.ROTATE_180).tobytes()
    for x, y in ((0, 0), (size[0] // 2, size[1] // 2), (size[0] // 3, 0)):
        across, down = (2 * x + 1) / size[0] - 1, (2 * y + 1) / size[1] - 1
        expected = 255 * math.hypot(across, down) / math.sqrt(2)
        assert abs(pixel(picture, x, y)[0] - expected) <= 0.6


def test_one_colour_is_filled_exactly(tmp_path: Path) -> None:
    picture = gradient_of(tmp_path, size=[8, 8], colours=[[1, 2, 3, 255]] * 2)
    assert set(pixels(picture)) == {(1, 2, 3)}
    clear = gradient_of(tmp_path, size=[8, 8], colours=[[1, 2, 3, 100]] * 2, opacity=500)
    assert set(pixels(clear)) == {(1, 2, 3, 50)}


_ALL = """
import sys, hashlib; from pathlib import Path; from renderer import raster
source, out = Path(sys.argv[1]), Path(sys.argv[2])
fit = {"crop": [3, 3, 190, 150], "scale_to": [90, 70], "pad_to": [90, 120], "pad_at": [0, 24],
       "blur_behind": True, "rotation_mdeg": 12345, "opacity": 777}
raster.draw_image(fit, source, out); print(hashlib.sha256(out.read_bytes()).hexdigest())
fill = {"size": [97, 61], "kind": "radial", "colours": [[1, 2, 3, 4], [250, 9, 80, 255]]}
raster.draw_gradient(fill, out); print(hashlib.sha256(out.read_bytes()).hexdigest())
"""


def test_another_process_draws_the_same_bytes(tmp_path: Path) -> None:
    picture = Image.linear_gradient("L").convert("RGB")
    ImageDraw.Draw(picture).ellipse((30, 60, 200, 180), fill=(200, 40, 10))
    profile = profile_with_red_and_green_swapped()
    source = saved(picture, tmp_path / "a.jpg", icc_profile=profile)
    runs = [
        subprocess.run(
            [sys.executable, "-c", _ALL, source, tmp_path / f"{seed}.png"],
            env={"PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1]
    assert len(set(runs[0].split())) == 2
