"""The page in a real Chromium: what is seen, said and asked for."""

import io
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from daemon.demo import make_demo
from renderer.fonts import text_engine_fingerprint
from renderer.toolchain import find_toolchain
from tests.daemon.browser import faults_of, needs_chromium, until, watched
from tests.daemon.preview.process import previewing
from tests.daemon.preview.stage import SPEC, make_spec

SCREEN = {"width": 1000, "height": 800}


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    spec = make_spec(tmp_path)
    with previewing(spec) as url:
        yield url, spec


def stage_of(page: Any) -> Image.Image:
    """What is seen, without the round corners."""
    picture = Image.open(io.BytesIO(page.locator("#stage").screenshot())).convert("L")
    return picture.crop((20, 20, picture.width - 20, picture.height - 20))


def white_pixels(page: Any) -> int:
    return sum(stage_of(page).histogram()[230:])


@needs_chromium
def test_a_title_that_is_edited_is_seen_and_faults_stand_in_place(
    browser: Any, preview: tuple[str, Path]
) -> None:
    url, spec = preview
    with watched(browser, viewport=SCREEN) as seen:
        page = seen.page
        page.goto(url)
        until(page, "film.readyState >= 3 && still.hidden")
        page.keyboard.press(" ")
        until(page, "frame > 10")
        page.keyboard.press(" ")
        before, shown = page.evaluate("frame"), white_pixels(page)
        page.keyboard.press(".")
        assert page.evaluate("frame") == before + 1
        spec.write_text(SPEC.replace("TITLE", "."))
        until(page, "performance.getEntriesByName('still').some(m => m.detail.number === 2)")
        assert white_pixels(page) < 0.5 * shown
        spec.write_text(SPEC.replace("style:", "stile:"))
        until(page, "!at('faults').hidden")
        words = page.locator("#faults").inner_text()
        with page.expect_download() as download:
            page.keyboard.press("e")
        with Image.open(download.value.path()) as kept:
            assert kept.size == (160, 90)
    assert "line 9" in words
    assert "^" in words
    assert seen.troubles == []
    assert all(name.startswith((url, "blob:", "data:")) for name in seen.asked)


@pytest.mark.long
@needs_chromium
def test_the_demo_is_seen_and_its_title_changes_while_it_is_written(
    browser: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toolchain = find_toolchain(os.environ, text_engine=text_engine_fingerprint())
    spec = make_demo(tmp_path, toolchain).spec
    text, waited = spec.read_text(), []
    with previewing(spec) as url, watched(browser, viewport=SCREEN) as watching:
        page = watching.page
        began = time.time()
        page.goto(url)
        first = shown_at(page, 1) - began
        page.evaluate("goTo(75)")  # where the first title stands
        until(page, "film.readyState >= 3 && still.hidden")
        seen = [stage_of(page)]
        for number, words in enumerate(("The loud lake", "The last lake", "No lake"), 2):
            began = time.time()
            spec.write_text(text.replace("The quiet lake", words))
            waited.append(shown_at(page, number) - began)
            seen.append(stage_of(page))
        until(page, "film.readyState >= 3 && still.hidden")
        film = page.evaluate("performance.getEntriesByName('film').at(-1).startTime")
        film += page.evaluate("performance.timeOrigin")
    with capsys.disabled():
        edits = ", ".join(f"{seconds:.2f}" for seconds in waited)
        print(f"\ndemo: first picture {first:.2f} s after the address was entered; an edit "
              f"of a title on screen after {edits} s, the last as film after "
              f"{film / 1000 - began:.2f} s; load {os.getloadavg()[0]:.1f}")  # fmt: skip
    assert all(one.tobytes() != other.tobytes() for one, other in pairwise(seen))


def shown_at(page: Any, number: int) -> float:
    """When the first picture of a scene was painted, in seconds as `time.time` counts them."""
    marks = f"performance.getEntriesByName('still').filter(m => m.detail.number === {number})"
    until(page, f"{marks}.length > 0")
    return float(page.evaluate(f"performance.timeOrigin + {marks}[0].startTime")) / 1000


@needs_chromium
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_nothing_on_the_page_shuts_people_out(
    browser: Any, preview: tuple[str, Path], colours: str
) -> None:
    url, spec = preview
    with watched(browser, viewport=SCREEN, color_scheme=colours) as seen:
        page = seen.page
        page.goto(url)
        until(page, "at('chart').firstChild && still.hidden && !at('status').textContent")
        assert faults_of(page) == []
        spec.write_text(SPEC.replace("style:", "stile:"))
        until(page, "!at('faults').hidden")
        assert faults_of(page) == []
        page.set_viewport_size({"width": 390, "height": 800})
        assert faults_of(page) == []


def test_only_who_asks_for_this_machine_by_name_is_answered(preview: tuple[str, Path]) -> None:
    url, _ = preview
    with urllib.request.urlopen(url) as reply:
        policy = reply.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    foreign = urllib.request.Request(url, headers={"Host": "evil.example:80"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(foreign)
    assert refused.value.code == 403
    refused.value.close()
