"""Every example is rendered and compared with what `examples/expected.json` and a picture say."""

import re
import subprocess
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageChops

from examples.make_media import make_media
from examples.make_references import (
    EXAMPLES,
    LARGEST_BYTES,
    REFERENCES,
    expected,
    frame_of,
    likeness,
    picture_of,
    prepared,
    reference,
    reference_of,
    rendered,
    renderer_in,
    worst_patch,
)
from renderer.bundle import Bundle, verify
from renderer.pipeline import Renderer

ALIKE = 0.97
"""A faithful frame has 0.978 or more beside its JPEG; the nearest other example 0.9."""
PATCH = 16
"""A faithful frame is within 6 of its JPEG, in every patch of 8x8 pixels."""
NAMES = sorted(expected())
FILMS = [name for name in NAMES if "frames" in expected()[name]]


@pytest.fixture(scope="session")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    make_media()
    return renderer_in(tmp_path_factory.mktemp("examples-store"))


@pytest.fixture(scope="session")
def bundles(renderer: Renderer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    """Bundles by example, filled in as the tests render them."""
    return {}


def the_bundle(name: str, renderer: Renderer, bundles: dict[str, Bundle], base: Path) -> Bundle:
    if name not in bundles:
        bundles[name] = rendered(name, renderer, base / "outbox")
    return bundles[name]


@pytest.mark.parametrize("name", FILMS)
def test_an_example_has_its_exact_length_and_size_and_looks_like_its_picture(
    name: str,
    renderer: Renderer,
    bundles: dict[str, Bundle],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    base = tmp_path_factory.getbasetemp()
    bundle, wanted = the_bundle(name, renderer, bundles, base), expected()[name]
    verify(bundle.path)
    assert picture_facts(bundle.path / "video.mp4") == {
        key: wanted[key] for key in ("size", "fps", "frames")
    }
    timeline = prepared(name, renderer).timeline
    assert (timeline.samples if timeline.sound.tracks else 0) == wanted["samples"]
    heard = samples_of(bundle.path / "video.mp4", renderer)
    assert 0 <= heard - wanted["samples"] < 1024  # AAC comes in frames of 1024
    picture = frame_of(bundle.path / "video.mp4", wanted["still"], renderer.toolchain.ffmpeg)
    assert list(picture.size) == wanted["size"]
    assert likeness(picture, reference(name), renderer.toolchain.ffmpeg) >= ALIKE
    assert worst_patch(picture, reference(name)) <= PATCH


def test_the_pictures_of_an_example_have_their_size_and_look_like_the_one_that_is_kept(
    renderer: Renderer, tmp_path: Path
) -> None:
    for name in set(NAMES) - set(FILMS):
        bundle, wanted = rendered(name, renderer, tmp_path), expected()[name]
        verify(bundle.path)
        for file in wanted["pictures"]:
            with Image.open(bundle.path / file) as picture:
                assert list(picture.size) == wanted["size"]
        kept = reference(name)
        picture = picture_of(bundle, wanted, renderer.toolchain.ffmpeg)
        assert likeness(picture, kept, renderer.toolchain.ffmpeg) >= ALIKE
        assert worst_patch(picture, kept) <= PATCH


@pytest.mark.long
def test_the_upright_cut_of_a_topic_lies_in_its_folder(
    renderer: Renderer, bundles: dict[str, Bundle], tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle = the_bundle("topic.yaml", renderer, bundles, tmp_path_factory.getbasetemp())
    assert picture_facts(bundle.path / "story" / "video.mp4")["size"] == [108, 192]


def picture_facts(video: Path) -> dict[str, Any]:
    """What a player gets, found by decoding and not by believing the manifest."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        times = [frame.pts * frame.time_base for frame in container.decode(stream)]
        size = [stream.codec_context.width, stream.codec_context.height]
    rate = (len(times) - 1) / (times[-1] - times[0])
    fps = f"{rate.numerator}/{rate.denominator}"
    return {"size": size, "fps": fps, "frames": len(times)}


def samples_of(video: Path, renderer: Renderer) -> int:
    """How many samples of each channel a player gets; 0 where there is no sound."""
    command = [
        renderer.toolchain.ffmpeg, "-nostdin", "-v", "error", "-i", video, "-map", "0:a?",
        "-f", "s16le", "-ac", "1", "pipe:1",
    ]  # fmt: skip
    with av.open(str(video)) as container:
        if not container.streams.audio:
            return 0
    done = subprocess.run(command, check=True, capture_output=True)
    return len(done.stdout) // 2


def test_the_picture_of_another_example_is_not_taken_for_the_right_one(renderer: Renderer) -> None:
    names = [name for name in NAMES if name != "film-cut.json"]
    for one, other in zip(names, [*names[1:], names[0]], strict=True):
        alike = likeness(reference(one), reference(other), renderer.toolchain.ffmpeg)
        assert alike < ALIKE - 0.05, (one, other)


@pytest.mark.parametrize("name", ["collage.yaml", "lower-thirds.yaml", "scripts.yaml"])
def test_a_picture_shifted_by_two_pixels_is_noticed(name: str, renderer: Renderer) -> None:
    kept = reference(name)
    moved = ImageChops.offset(kept, 2, 0)
    assert likeness(moved, kept, renderer.toolchain.ffmpeg) < ALIKE
    assert worst_patch(moved, kept) > PATCH


def test_a_lost_logo_is_noticed(
    renderer: Renderer, bundles: dict[str, Bundle], tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle = the_bundle("watermark.yaml", renderer, bundles, tmp_path_factory.getbasetemp())
    still = expected()["watermark.yaml"]["still"]
    frame = frame_of(bundle.path / "video.mp4", still, renderer.toolchain.ffmpeg)
    width, height = frame.size
    corner = (width * 3 // 4, height * 3 // 4)
    patch = frame.crop((width // 2, corner[1], width * 3 // 4, height))
    frame.paste(patch, corner)
    assert worst_patch(frame, reference("watermark.yaml")) > PATCH


def test_the_json_twin_is_the_same_document_and_plans_the_same_segments(renderer: Renderer) -> None:
    yaml, twin = (prepared(f"film-cut.{kind}", renderer) for kind in ("yaml", "json"))
    assert yaml.loaded.digest == twin.loaded.digest
    assert yaml.plan.segment_steps == twin.plan.segment_steps


def test_the_ducked_mix_has_the_loudness_it_asks_for(
    renderer: Renderer, bundles: dict[str, Bundle], tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle = the_bundle("ducking.yaml", renderer, bundles, tmp_path_factory.getbasetemp())
    command = [renderer.toolchain.ffmpeg, "-nostdin", "-i", bundle.path / "audio.m4a",
               "-af", "ebur128", "-f", "null", "-"]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured = float(re.findall(r"I:\s+(-[0-9.]+) LUFS", done.stderr)[-1])
    assert abs(measured + 18) <= 0.5


def test_every_spec_is_expected_and_pictured_and_named_in_the_readme() -> None:
    specs = {path.name for kind in ("*.yaml", "*.json") for path in EXAMPLES.glob(kind)}
    assert specs - {"expected.json"} == set(NAMES)
    assert {path.name for path in REFERENCES.iterdir()} == {reference_of(n).name for n in NAMES}
    assert all(path.stat().st_size <= LARGEST_BYTES for path in REFERENCES.iterdir())
    readme = (EXAMPLES / "README.md").read_text()
    assert [name for name in NAMES if f"]({name})" not in readme] == []
    assert [n for n in NAMES if f"](reference/{reference_of(n).name})" not in readme] == []
