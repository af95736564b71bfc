"""The preview as its users run it: a process, and a real Chromium that looks at its page.

REELKILN_TEST_CHROMIUM names a browser; else one is looked for on PATH.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("REELKILN_TEST_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium: install one or set REELKILN_TEST_CHROMIUM"
)
RUN = ("-c", "from daemon.entry import main; main()")


@contextmanager
def previewing(spec: Path, environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """The address of the page of `reelkiln preview SPEC`."""
    environment = {**environ, "REELKILN_STORE": str(spec.parent / "store")}
    command = [sys.executable, *RUN, "preview", str(spec)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=spec.parent
    ) as child:
        assert child.stdout
        try:
            yield child.stdout.readline().strip()
        finally:
            child.terminate()
            assert child.wait(30) == 143


@contextmanager
def chromium(**wishes: Any) -> Iterator[Any]:
    """A page in a browser of its own; `wishes` are those of Playwright's `new_page`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield browser.new_page(**wishes)
        browser.close()


def until(page: Any, script: str, seconds: float = 60) -> None:
    """Wait for what a script says; the page's policy forbids Playwright's own way."""
    began = time.monotonic()
    while not page.evaluate(script):
        assert time.monotonic() - began < seconds, f"never: {script}"
        time.sleep(0.02)
