"""Where the tests of pages find a browser, and how they listen to what it says and asks for."""

from __future__ import annotations

import os
import shutil
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
    """A page, what it complained of, and the addresses that it asked for."""

    page: Any
    troubles: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def watched_page(width: int = 1200, height: int = 900) -> Iterator[Watched]:
    """A page in a fresh Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": height})
        watched = Watched(page)
        page.on("console", lambda said: watched.troubles.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: watched.troubles.append(str(error)))
        page.on("request", lambda request: watched.asked.append(request.url))
        try:
            yield watched
        finally:
            browser.close()
