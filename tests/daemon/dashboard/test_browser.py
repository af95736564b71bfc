"""The pages of jobs in a real Chromium, from the login to the last click."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from typing import Any

from renderer.bundle.verifying import verify
from tests.daemon.accounts_contract import PASSWORD
from tests.daemon.browser import faults_of, needs_chromium, until, watched
from tests.daemon.dashboard.conftest import Site, registered

SPEC = """\
reelkiln: 1
id: hello
output: {size: 320x180, fps: 25}
tracks:
  - id: picture
    clips:
      - {colour: "#204a4f", length: 2s}
      - {image: a.png, length: 2s, fit: cover, motion: zoom-in}
  - id: titles
    clips:
      - {text: "<img src=x onerror=alert(1)>", length: 4s, style: headline, enter: {fade: 0.5s}}
"""
LONG = SPEC.replace("320x180", "1920x1080").replace("2s", "60s").replace("4s", "120s")

DROP = """() => {
  const dropped = new DataTransfer();
  dropped.items.add(new File(["reelkiln: 1\\ntrakcs: []\\n"], "a.yaml"));
  document.getElementById("document").dispatchEvent(
    new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: dropped }));
}"""


def serious(page: Any) -> list[str]:
    """What axe finds that keeps people out, in light and in dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {fault}" for fault in faults_of(page)]
    return found


def wrote(page: Any, text: str) -> None:
    """A spec is pasted, and found to be good."""
    page.goto(page.url.partition("/ui/")[0] + "/ui/submit")
    page.fill("#document", text)
    until(page, "document.querySelector('#verdict .good') !== null")


@needs_chromium
def test_from_login_over_a_film_that_is_played_to_one_that_is_cancelled(
    browser: Any, running: Site, tmp_path: Path
) -> None:
    registered(running, "ada")
    with watched(browser) as seen_by:
        page = seen_by.page
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"{running.url}/ui/submit")
        assert serious(page) == []
        page.fill("#email", "ada@example.org")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/ui/submit")

        page.fill("#document", SPEC.replace("clips:", "clipps:", 1))
        until(page, "document.querySelector('#verdict .faults') !== null")
        words = page.inner_text("#verdict")
        assert "line 6, column 5" in words
        assert "^" in words
        assert serious(page) == []
        page.click("#verdict button[data-line='6']")
        at = page.evaluate("document.getElementById('document').selectionStart")
        assert page.evaluate("document.getElementById('document').value")[at:].startswith("clipps")

        (tmp_path / "film.yaml").write_text(SPEC)
        page.set_input_files("#file", tmp_path / "film.yaml")
        until(page, "document.querySelector('#verdict .good') !== null")
        page.evaluate(DROP)
        until(page, "document.getElementById('verdict').innerText.includes('line 2, column 1')")

        wrote(page, SPEC)
        page.click("text=Render")
        page.wait_for_url("**/ui/jobs/*")
        seen = set()
        began = time.perf_counter()
        while page.locator("#player").count() == 0:
            seen.add(page.inner_text("#state").split("\n")[0])
            assert time.perf_counter() - began < 60, page.inner_text("main")
            time.sleep(0.02)
        assert "succeeded" in page.inner_text("#state")
        assert any("running" in words for words in seen), seen
        until(page, "document.querySelector('.chart').naturalWidth > 0")

        page.evaluate("document.getElementById('player').muted = true")
        page.evaluate("document.getElementById('player').play()")
        until(page, "document.getElementById('player').readyState >= 3")
        until(page, "document.getElementById('player').currentTime > 0.5")
        page.evaluate("document.getElementById('player').currentTime = 3")
        until(page, "document.getElementById('player').currentTime > 3.2")

        assert serious(page) == []
        with page.expect_download() as download:
            page.click("text=Download (zip)")
        with zipfile.ZipFile(download.value.path()) as archive:
            archive.extractall(tmp_path)
        verify(tmp_path / Path(archive.namelist()[0]).parts[0])

        watching = page.context.new_page()
        watching.goto(f"{running.url}/ui/jobs")
        assert serious(watching) == []
        wrote(page, LONG)
        page.click("text=Render")
        page.wait_for_url("**/ui/jobs/*")
        until(watching, "document.querySelectorAll('#jobs tbody tr').length === 2")
        until(watching, "document.querySelector('tr .state').textContent === 'running'")
        page.click("text=Cancel")
        until(page, "document.querySelector('#state .state').textContent === 'cancelled'")
        until(watching, "document.querySelector('tr .state').textContent === 'cancelled'")
        assert watching.title() == "Jobs · Reelkiln"
        page.goto(f"{running.url}/ui/me")
        assert serious(page) == []
    assert seen_by.troubles == []
    assert {url.split("/")[2] for url in seen_by.asked} == {running.url.removeprefix("http://")}
