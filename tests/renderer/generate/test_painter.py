import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from renderer.errors import BadProviderRequest
from renderer.generate.contract import ImageRequest, request_for
from renderer.generate.painter import OfflinePainter, paint
from renderer.generate.painter.canvas import Canvas
from renderer.generate.painter.chance import Chance
from renderer.generate.painter.offline import SCENES, scene_for
from renderer.generate.painter.palettes import PALETTES, brand_palette, palette_for
from renderer.prompts.asset_types import AssetType
from renderer.prompts.filling import fill
from renderer.template_files import find_template

SMALL = (128, 72)
SEA = ImageRequest(prompt="x", subject="Lighthouses of the northern sea", size=SMALL)
HEX = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def pixels(picture: Image.Image) -> str:
    return sha256(picture.mode.encode() + picture.tobytes()).hexdigest()


def every_scene() -> str:
    """One digest of a small picture of each scene and of an overlay."""
    digest = sha256()
    for name, scene in sorted(SCENES.items()):
        canvas = Canvas(SMALL)
        scene(canvas, PALETTES["night"], Chance(name))
        digest.update(canvas.finished(Chance("grain")).tobytes())
    digest.update(paint(replace(SEA, transparent=True)).tobytes())
    return digest.hexdigest()


KNOWN = "1525d4d80ff0cd74fc5665ff9b7762228d9efe0a078193aff460f50b174cb6cc"
"""Of the pixels of painter-1: when it must change, the painter's model gets another number."""


def test_the_pixels_are_those_of_this_painter_on_every_machine() -> None:
    assert every_scene() == KNOWN


@pytest.mark.parametrize("features", ["AVX512F AVX512CD AVX512_SKX AVX2 FMA3", ""])
def test_a_poorer_processor_paints_the_same(features: str) -> None:
    code = "from tests.renderer.generate.test_painter import every_scene; print(every_scene())"
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": features}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == KNOWN


def test_workers_do_not_disturb_each_other() -> None:
    requests = [replace(SEA, seed=seed) for seed in range(6)]
    alone = [pixels(paint(request)) for request in requests]
    with ThreadPoolExecutor(4) as pool:
        assert [pixels(picture) for picture in pool.map(paint, requests)] == alone
    assert len(set(alone)) == 6


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(max_size=40),
    st.integers(1, 90),
    st.integers(1, 90),
    st.booleans(),
    st.lists(HEX, max_size=4).map(tuple),
)
def test_any_words_in_any_size_and_colours_give_a_picture_of_that_size(
    words: str, width: int, height: int, transparent: bool, palette: tuple[str, ...]
) -> None:
    request = ImageRequest(
        prompt="x", subject=words, size=(width, height), transparent=transparent, palette=palette
    )
    picture = paint(request)
    assert picture.size == (width, height)
    assert picture.mode == ("RGBA" if transparent else "RGB")


@pytest.mark.parametrize("asset_type", list(AssetType))
def test_every_type_is_painted_in_its_size_with_something_to_see(asset_type: AssetType) -> None:
    request = request_for(fill(find_template(asset_type.value), {"subject": "winter"}))
    picture = paint(request)
    assert picture.size == asset_type.size
    assert max(ImageStat.Stat(picture.convert("RGB")).stddev) > 20
    if asset_type.is_transparent:
        alpha = picture.getchannel("A")
        middle = alpha.crop((480, 300, 1440, 640))
        assert middle.getextrema() == (0, 0)
        assert alpha.getextrema()[1] == 240


def test_the_words_choose_scene_and_colours() -> None:
    assert scene_for(SEA) == "sea"
    assert palette_for(SEA.subject, (), Chance("x")) is PALETTES["ocean"]
    assert scene_for(replace(SEA, subject="Tokyo street")) == "city"
    assert palette_for("volcanoes", (), Chance("x")) is PALETTES["fire"]


def test_other_words_and_other_seeds_give_other_pictures() -> None:
    subjects = ["a", "b", "c"]
    found = {pixels(paint(replace(SEA, subject=subject))) for subject in subjects}
    found |= {pixels(paint(replace(SEA, subject="a", seed=seed))) for seed in (1, 2)}
    assert len(found) == 5


@settings(max_examples=100, deadline=None)
@given(st.lists(HEX, min_size=1, max_size=4))
def test_a_brand_palette_runs_from_dark_to_light(colours: list[str]) -> None:
    palette = brand_palette(tuple(colours))
    weights = [sum(c) for c in (palette.dark, palette.deep, palette.mid, palette.glow)]
    assert weights == sorted(weights)


def test_a_brand_wins_over_the_words() -> None:
    red = paint(replace(SEA, subject="forest", palette=("#d01020", "#d06070")))
    green = paint(replace(SEA, subject="forest"))
    assert ImageStat.Stat(red).mean[0] > ImageStat.Stat(red).mean[1] + 30
    assert ImageStat.Stat(green).mean[1] > ImageStat.Stat(green).mean[0]


def test_the_provider_gives_the_painting_as_png() -> None:
    result = OfflinePainter().generate(SEA)
    assert (result.provider, result.model) == ("offline", "painter-1")
    assert result.response_id == SEA.digest[:16]
    assert result.facts == {"scene": "sea"}
    assert result.data == OfflinePainter().generate(SEA).data
    with Image.open(BytesIO(result.data)) as opened:
        assert ImageChops.difference(opened, paint(SEA)).getbbox() is None


def test_a_canvas_of_absurd_size_is_refused() -> None:
    with pytest.raises(BadProviderRequest):
        OfflinePainter().generate(replace(SEA, size=(100_000, 2)))
