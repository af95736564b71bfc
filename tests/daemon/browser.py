"""A real Chromium to look at our pages, and axe to judge them.

REELKILN_TEST_CHROMIUM names a browser; else one is looked for on PATH. To start one takes seconds,
so the tests of a file share it (the fixture `browser`), each with cookies and a cache of its own.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

CHROMIUM = os.environ.get("REELKILN_TEST_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium: install one or set REELKILN_TEST_CHROMIUM"
)


@dataclass
class Watched:
    """A page, what it and those opened beside it complained of, and what they asked for."""

    page: Any
    troubles: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def listen(self, page: Any) -> None:
        page.on("console", lambda said: self.troubles.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))


@contextmanager
def running_chromium() -> Iterator[Any]:
    """A browser that nobody has used yet."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def watched(browser: Any, **wishes: Any) -> Iterator[Watched]:
    """A page that knows nothing of others; `wishes` are those of Playwright's `new_context`."""
    context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **wishes})
    found = Watched(None)
    context.on("page", found.listen)
    found.page = context.new_page()
    try:
        yield found
    finally:
        context.close()


def until(page: Any, script: str, seconds: float = 60) -> None:
    """Wait for what a script says; the page's policy forbids Playwright's own way."""
    began = time.monotonic()
    while not page.evaluate(script):
        assert time.monotonic() - began < seconds, f"never: {script}\n{page.inner_text('body')}"
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
