"""A real Chromium to look at our pages, and axe to judge them.

REELKILN_TEST_CHROMIUM names a browser; else one is looked for on PATH.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = os.environ.get("REELKILN_TEST_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium: install one or set REELKILN_TEST_CHROMIUM"
)


@contextmanager
def chromium(**wishes: Any) -> Iterator[Any]:
    """A page in a browser of its own; `wishes` are those of Playwright's `new_page`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield browser.new_page(**wishes)
        browser.close()


def until(page: Any, script: str, seconds: float = 60) -> None:
    """Wait for what a script says; the page's policy forbids Playwright's own way."""
    began = time.monotonic()
    while not page.evaluate(script):
        assert time.monotonic() - began < seconds, f"never: {script}"
        time.sleep(0.02)


def faults_of(page: Any) -> list[str]:
    """What axe finds that keeps people from using the page: serious and critical faults."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['target']} {node['html'][:120]}: {node['failureSummary']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
