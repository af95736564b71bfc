"""The page in a real Chromium. REELKILN_TEST_CHROMIUM names one; else it is looked for on PATH."""

import io
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.daemon.preview.stage import SPEC, make_spec

CHROMIUM = os.environ.get("REELKILN_TEST_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    spec = make_spec(tmp_path)
    environment = {**os.environ, "REELKILN_STORE": str(tmp_path / "store")}
    command = [sys.executable, "-c", "from daemon.entry import main; main()", "preview", str(spec)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout
        try:
            yield child.stdout.readline().strip(), spec
        finally:
            child.terminate()
            assert child.wait(30) == 143


def until(page: Any, script: str, seconds: float = 40) -> float:
    """Wait for what a script says; the page's policy forbids Playwright's own way."""
    began = time.perf_counter()
    while not page.evaluate(script):
        assert time.perf_counter() - began < seconds, f"never: {script}"
        time.sleep(0.02)
    return time.perf_counter() - began


def white_pixels(page: Any) -> int:
    picture = Image.open(io.BytesIO(page.locator("#stage").screenshot())).convert("L")
    inside = picture.crop((20, 20, picture.width - 20, picture.height - 20))  # corners are round
    return sum(inside.histogram()[230:])


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium: install one or set REELKILN_TEST_CHROMIUM")
def test_a_title_that_is_edited_is_seen_and_faults_stand_in_place(
    preview: tuple[str, Path],
) -> None:
    from playwright.sync_api import sync_playwright

    url, spec = preview
    troubles: list[str] = []
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.on("console", lambda said: troubles.append(said.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        first = until(page, "performance.getEntriesByName('still').length > 0")
        until(page, "film.readyState >= 3 && still.hidden")
        page.keyboard.press(" ")
        until(page, "frame > 10")
        page.keyboard.press(" ")
        before, shown = page.evaluate("frame"), white_pixels(page)
        page.keyboard.press(".")
        assert page.evaluate("frame") == before + 1
        spec.write_text(SPEC.replace("TITLE", "."))
        edited = until(
            page, "performance.getEntriesByName('still').some(m => m.detail.number === 2)"
        )
        assert white_pixels(page) < 0.5 * shown
        spec.write_text(SPEC.replace("style:", "stile:"))
        until(page, "!at('faults').hidden")
        words = page.locator("#faults").inner_text()
        with page.expect_download() as download:
            page.keyboard.press("e")
        with Image.open(download.value.path()) as kept:
            assert kept.size == (160, 90)
        browser.close()
    print(f"first picture {first:.2f} s, an edit on screen {edited:.2f} s")
    assert "line 9" in words
    assert "^" in words
    assert troubles == []
    assert all(name.startswith((url, "blob:", "data:")) for name in asked)


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
