from __future__ import annotations

from itertools import product
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.renderer.truth.studio import Pixels, Studio, lossless, one_track

BARS = [
    tuple(255 * on // 255 * level // 255 for on in bits)
    for level in (255, 191)
    for bits in product((0, 255), repeat=3)
]  # fmt: skip
"""Black, primaries, secondaries and white, full and at three quarters."""
SIZE = (128, 64)  # 8 x 2 patches of 16 x 32


def chart() -> Image.Image:
    picture = Image.new("RGB", SIZE)
    for number, colour in enumerate(BARS):
        x, y = number % 8 * 16, number // 8 * 32
        picture.paste(colour, (x, y, x + 16, y + 32))
    return picture


def middles(frame: Pixels) -> list[Pixels]:
    return [frame[n // 8 * 32 + 16, n % 8 * 16 + 8] for n in range(16)]


def assert_is_chart(frame: Pixels, tolerance: int = 2) -> None:
    for seen, expected in zip(middles(frame), BARS, strict=True):
        assert np.abs(seen.astype(int) - expected).max() <= tolerance, (seen, expected)


def filmed(studio: Studio, name: str, matrix: str, levels: str, pixels: str, *codec: str) -> str:
    """The chart as a video of one second, converted by zscale, tagged."""
    studio.picture("chart.png", chart())
    names = {"bt709": "709", "smpte170m": "170m", "bt470bg": "470bg", "bt2020nc": "2020_ncl"}
    convert = (
        f"zscale=m={names[matrix]}:r={'full' if levels == 'pc' else 'limited'},format={pixels}"
    )
    tags = f"setparams=colorspace={matrix}:range={levels}"
    source = ["-loop", "1", "-framerate", "25", "-t", "0.4", "-i", str(studio.media / "chart.png")]
    return studio.make(
        name, *source, "-vf", f"format=gbrp,{convert},{tags}", *(codec or ("-c:v", "libx264")),
        *(("-qp", "0") if not codec else ()), "-colorspace", matrix, "-color_range", levels,
    )  # fmt: skip


def rendered(studio: Studio, clip: dict[str, Any], quality: str = "lossless") -> Pixels:
    output = lossless("128x64") | {"quality": quality}
    shot = studio.render({"output": output, "tracks": one_track({"length": "4f", **clip})})
    return shot.rgb()[1]


@pytest.mark.parametrize("quality", ["high", "lossless"])
def test_bars_in_a_png(studio: Studio, quality: str) -> None:
    image = studio.picture("chart.png", chart())
    assert_is_chart(rendered(studio, {"image": image}, quality))


def test_bars_in_a_jpeg(studio: Studio) -> None:
    image = studio.picture("chart.jpg", chart(), quality=98, subsampling=0)
    assert_is_chart(rendered(studio, {"image": image}), tolerance=3)


@pytest.mark.parametrize(
    ("matrix", "levels", "pixels"),
    [
        ("bt709", "tv", "yuv420p"),
        ("bt709", "tv", "yuv444p10le"),
        ("bt709", "pc", "yuv420p"),
        ("smpte170m", "tv", "yuv420p"),
        ("bt470bg", "tv", "yuv422p"),
        ("smpte170m", "pc", "yuvj420p"),
        ("bt2020nc", "tv", "yuv420p10le"),
    ],
)
@pytest.mark.parametrize("quality", ["high", "lossless"])
def test_bars_in_a_tagged_video(
    studio: Studio, matrix: str, levels: str, pixels: str, quality: str
) -> None:
    video = filmed(studio, f"chart-{matrix}-{levels}-{pixels}.mp4", matrix, levels, pixels)
    assert_is_chart(rendered(studio, {"video": video}, quality))


def test_an_untagged_small_video_is_taken_for_standard_definition(studio: Studio) -> None:
    tagged = filmed(studio, "sd.mp4", "smpte170m", "tv", "yuv420p")
    plain = studio.make(
        "untagged.mkv", "-i", str(studio.media / tagged), "-c", "copy", "-bsf:v",
        "h264_metadata=matrix_coefficients=2:colour_primaries=2:transfer_characteristics=2",
        "-colorspace", "2",
    )  # fmt: skip
    assert_is_chart(rendered(studio, {"video": plain}))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("rgb.mkv", ("-c:v", "libx264rgb", "-qp", "0")),
        ("rgb.mov", ("-c:v", "png")),
        ("ffv1.mkv", ("-c:v", "ffv1", "-pix_fmt", "gbrp")),
    ],
)
def test_bars_in_an_rgb_video(studio: Studio, name: str, codec: tuple[str, ...]) -> None:
    studio.picture("chart.png", chart())
    source = ["-loop", "1", "-framerate", "25", "-t", "0.4", "-i", str(studio.media / "chart.png")]
    video = studio.make(name, *source, *codec)
    assert_is_chart(rendered(studio, {"video": video}))


def test_bars_in_an_animation(studio: Studio) -> None:
    # Two frames that differ: Pillow writes two equal ones as a still.
    frames = [chart().quantize(32), Image.new("L", chart().size).quantize(32)]
    video = studio.picture("chart.gif", frames[0], save_all=True, append_images=frames[1:],
                           duration=200)  # fmt: skip
    assert_is_chart(rendered(studio, {"video": video}))


def test_plain_colours_are_exact(studio: Studio) -> None:
    for colour in ("#ff0000", "#1e90ff", "#808080", "#ffffff", "#000001"):
        wanted = [int(colour[n : n + 2], 16) for n in (1, 3, 5)]
        frame = rendered(studio, {"colour": colour})
        assert np.abs(frame.astype(int) - wanted).max() <= 2


def test_the_background_is_exact(studio: Studio) -> None:
    output = lossless("64x36", background="#1e90ff")
    clip = {"colour": "red", "size": "10x10", "length": "2f"}
    frame = studio.render({"output": output, "tracks": one_track(clip)}).rgb()[0]
    assert np.abs(frame[2, 2].astype(int) - (0x1E, 0x90, 0xFF)).max() <= 2


def test_the_output_says_what_its_colours_mean(studio: Studio) -> None:
    video = filmed(studio, "chart-smpte170m-tv-yuv420p.mp4", "smpte170m", "tv", "yuv420p")
    tracks = one_track({"video": video}, {"colour": "red", "length": "4f"})
    shot = studio.render({"output": lossless("128x64"), "tracks": tracks})
    with av.open(str(shot.video)) as container:
        for frame in container.decode(video=0):
            tags = (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)
            assert [int(tag) for tag in tags] == [1, 1, 1, 1]
            assert frame.format.name == "yuv420p"


@pytest.mark.parametrize("opacity", [0.25, 0.5])
def test_white_over_black_is_as_bright_as_its_opacity(studio: Studio, opacity: float) -> None:
    white = studio.picture("white.png", Image.new("RGB", (64, 36), "white"))
    film = studio.make(
        "white.mp4", "-vf", "scale=out_range=tv,format=yuv420p", inputs=["color=white:s=64x36:d=1"]
    )
    clips = [{"colour": "white"}, {"image": white}, {"video": film}]
    for clip in clips:
        over = {"opacity": opacity, "length": "3f", **clip}
        tracks = [*one_track({"colour": "black", "length": "3f"}), *one_track(over)]
        frame = studio.render({"output": lossless("64x36"), "tracks": tracks}).rgb()[1]
        assert np.abs(frame.astype(int) - 255 * opacity).max() <= 2, clip


def test_half_clear_pixels_of_a_picture_blend_with_what_is_below(studio: Studio) -> None:
    picture = studio.picture("half.png", Image.new("RGBA", (64, 36), (255, 0, 0, 128)))
    tracks = [
        *one_track({"colour": "blue", "length": "2f"}),
        *one_track({"image": picture, "length": "2f"}),
    ]
    frame = studio.render({"output": lossless("64x36"), "tracks": tracks}).rgb()[1]
    assert np.abs(frame.astype(int) - (128, 0, 127)).max() <= 3


def test_a_gradient_passes_through_its_colours(studio: Studio) -> None:
    fill = {"kind": "linear", "angle": 90, "colours": ["#000000", "#ffffff"]}
    frame = rendered(studio, {"gradient": fill})
    row = frame[32, :, 1].astype(int)
    assert np.all(np.diff(row) >= 0)
    assert abs(row[64] - 128) <= 4
    assert row[0] <= 4
    assert row[-1] >= 251


def test_the_edges_of_a_clear_picture_are_not_fringed(studio: Studio) -> None:
    drawing = Image.new("RGBA", (64, 36))
    drawing.paste((255, 0, 0, 255), (21, 11, 44, 24))
    drawing.paste((0, 200, 0, 255), (3, 5, 8, 30))
    ground = Image.new("RGBA", (64, 36), "#c0c0c0")
    solid = Image.alpha_composite(ground, drawing).convert("RGB")
    clips = [
        {"image": studio.picture("drawing.png", drawing), "length": "2f"},
        {"image": studio.picture("solid.png", solid), "length": "2f"},
    ]
    over, flat = (
        studio.render(
            {"output": lossless("64x36", background="#c0c0c0"), "tracks": one_track(clip)}
        ).rgb()[0].astype(int)
        for clip in clips
    )  # fmt: skip
    assert np.abs(over - flat).max() <= 40
    assert np.abs(over - flat).mean() <= 0.6


def pq(nits: float) -> float:
    y = (nits / 10_000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375)


def hdr(studio: Studio, name: str, transfer: str, codes: list[tuple[float, float, float]]) -> str:
    """Patches of R'G'B' (0 to 1) in BT.2020, side by side, as 10-bit HDR video."""
    width, rows = 32 * len(codes), []
    for r, g, b in codes:
        y = 0.2627 * r + 0.678 * g + 0.0593 * b
        rows.append((64 + 876 * y, 512 + 896 * (b - y) / 1.8814, 512 + 896 * (r - y) / 1.4746))
    planes = np.round(np.array(rows)).astype("<u2").T
    raw = b"".join(np.tile(np.repeat(plane, 32), 32).tobytes() for plane in planes)
    (studio.media / "hdr.raw").write_bytes(raw)
    return studio.make(
        name, "-f", "rawvideo", "-pix_fmt", "yuv444p10le", "-s", f"{width}x32", "-r", "25",
        "-i", str(studio.media / "hdr.raw"), "-c:v", "ffv1", "-vf",
        f"setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=tv",
    )  # fmt: skip


def test_pq_is_tone_mapped_to_an_ordinary_screen(studio: Studio) -> None:
    to_2020 = np.array(
        [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.088, 0.8956]]
    )
    greys = [0.0, 20.0, 60.0, 100.0, 203.0, 600.0, 1000.0, 4000.0]
    reds = to_2020 @ np.array([100.0, 0, 0])
    codes = [(pq(g), pq(g), pq(g)) for g in greys] + [tuple(pq(n) for n in reds)]
    video = hdr(studio, "pq.mkv", "smpte2084", codes)  # type: ignore[arg-type]
    tracks = one_track({"video": video})
    before = len(studio.warnings)
    frame = studio.render({"output": lossless("288x32"), "tracks": tracks}).rgb()[0]
    assert len(studio.warnings) == before + 1
    seen = [frame[16, 32 * n + 16].astype(int) for n in range(len(codes))]
    assert all(np.ptp(grey) <= 2 for grey in seen[:8])
    levels = [int(grey[1]) for grey in seen[:8]]
    for nits, level in zip(greys[:4], levels, strict=False):
        assert abs(level - 255 * (nits / 203) ** (1 / 2.4)) <= 3
    assert levels == sorted(levels)
    assert 215 <= levels[4] <= 240
    assert levels[6] == levels[7] == 255
    red = seen[8]
    assert abs(red[0] - levels[3]) <= 6
    assert max(red[1], red[2]) <= 30


def test_hlg_is_tone_mapped_to_an_ordinary_screen(studio: Studio) -> None:
    codes = [(c, c, c) for c in (0.0, 0.25, 0.5, 0.75, 1.0)]
    video = hdr(studio, "hlg.mkv", "arib-std-b67", codes)
    frame = studio.render({"output": lossless("160x32"), "tracks": one_track({"video": video})})
    levels = [int(frame.rgb()[0][16, 32 * n + 16][1]) for n in range(5)]
    assert levels == sorted(levels)
    assert levels[0] <= 2
    assert 210 <= levels[3] <= 240  # graphics white
    assert levels[4] >= 253
