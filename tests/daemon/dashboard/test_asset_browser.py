"""Assets, keys and health in a real Chromium; axe looks at every page there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from daemon.dashboard.page_routes import PAGES
from tests.daemon.accounts_contract import PASSWORD
from tests.daemon.browser import faults_of, needs_chromium, until, watched
from tests.daemon.dashboard.conftest import Site, registered
from tests.daemon.dashboard.test_asset_pages import handed_in, picture
from tests.daemon.dashboard.test_strangers import handed

pytestmark = needs_chromium
NOT_PAGES = ("picture", "static", "file", "events", "chart", "svg", "progress", "piece", "rest")


@contextmanager
def logged_in(browser: Any, site: Site, name: str, **wishes: Any) -> Iterator[Any]:
    """Somebody's browser; its console stays empty, and no other host is asked."""
    with watched(browser, viewport={"width": 1100, "height": 800}, **wishes) as seen:
        page = seen.page
        page.goto(f"{site.url}/ui/login")
        page.fill("#email", f"{name}@example.org")
        page.fill("#password", PASSWORD)
        page.click("main button")
        page.wait_for_url("**/ui/jobs")
        yield page
    assert seen.troubles == []
    assert [url for url in seen.asked if not url.startswith((site.url, "data:", "blob:"))] == []


def test_a_key_is_made_copied_and_shut(browser: Any, site: Site) -> None:
    registered(site, "ada")
    with logged_in(browser, site, "ada") as page:
        page.click("nav >> text=Keys")
        page.fill("#label", "press")
        page.click("text=Make the key")
        secret = page.input_value("#secret")
        assert len(secret) > 30
        page.goto(f"{site.url}/ui/keys")
        assert page.locator("#secret").count() == 0
        assert f"…{secret[-4:]}" in page.inner_text("table")
        page.click("summary:has-text('Revoke')")
        page.click("text=Shut it for ever")
        page.locator(".state.revoked").wait_for()


def test_files_are_sent_seen_and_deleted(browser: Any, site: Site) -> None:
    registered(site, "ada")
    files = [
        {"name": f"{name}.png", "mimeType": "image/png", "buffer": picture(name)}
        for name in ("teal", "orange")
    ]
    with logged_in(browser, site, "ada") as page:
        page.click("nav >> text=Assets")
        page.click("summary:has-text('Send files')")
        page.set_input_files("#files", files)
        page.click("#upload button")
        page.locator(".card img").nth(1).wait_for()
        until(page, "Array.from(document.images).every(i => i.complete && i.naturalWidth)")
        # What is over the limit goes by a signed request.
        page.click("summary:has-text('Send files')")
        page.evaluate("document.getElementById('upload').dataset.most = 10")
        page.check("#public")
        page.set_input_files("#files", [{**files[0], "name": "large.png"}])
        page.click("#upload button")
        page.locator(".card:has-text('large.png') .tag:has-text('public')").wait_for()
        page.click("text=orange.png")
        page.click("summary:has-text('Delete it')")
        page.click("text=Delete the content")
        page.wait_for_url("**/ui/assets")
        names = page.locator(".card .name").all_inner_texts()
    assert sorted(names) == ["large.png", "teal.png"]


def test_a_file_that_is_refused_is_told_beside_its_name(browser: Any, site: Site) -> None:
    ada = registered(site, "ada")
    handed_in(ada)
    broken = {"name": "<b>bold</b>.png", "mimeType": "image/png", "buffer": b"no picture at all"}
    refused: list[int] = []
    with watched(browser) as seen:
        page = seen.page
        page.on("response", lambda response: refused.append(response.status))
        page.goto(f"{site.url}/ui/login?next=/ui/assets")
        page.fill("#email", "ada@example.org")
        page.fill("#password", PASSWORD)
        page.click("main button")
        page.click("summary:has-text('Send files')")
        page.set_input_files("#files", [broken])
        page.click("#upload button")
        page.locator("#sent li.bad").wait_for()
        said = page.inner_text("#sent")
    assert "<b>bold</b>.png" in said
    assert "claimed to be image/png" in said
    assert 422 in refused


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_nothing_on_any_page_shuts_people_out(browser: Any, running: Site, colours: str) -> None:
    name = f"reader-{colours}"
    reader = registered(running, name)
    asset_id = handed_in(reader, tags="blue", label=f"{colours}.png")
    clip = {"colour": "#336699", "length": "0.2s"}
    job_id = handed(reader, {"reelkiln": 1, "id": "seen", "tracks": [{"clips": [clip]}],
                             "output": {"size": "64x36", "fps": 10}})  # fmt: skip
    failed = handed(reader, {"reelkiln": 1, "tracks": [{"clips": [{"image": "none.png"}]}]})
    found = {}
    with logged_in(browser, running, name, color_scheme=colours) as page:
        for path in sorted(pages_to_see(job_id, failed, asset_id)):
            page.goto(f"{running.url}{path}")
            found[path] = faults_of(page)
            page.set_viewport_size({"width": 390, "height": 800})
            found[f"{path} on a phone"] = faults_of(page) + what_sticks_out(page)
            page.set_viewport_size({"width": 1100, "height": 800})
    assert {path: faults for path, faults in found.items() if faults} == {}


def pages_to_see(job_id: str, failed: str, asset_id: str) -> set[str]:
    seen = set()
    for page in PAGES:
        if page.method == "GET" and not any(word in page.path for word in NOT_PAGES):
            for job in (job_id, failed):
                ids = {"job_id": job, "asset_id": asset_id}
                seen.add(
                    re.sub(r"\{(\w+)(:[^}]*)?\}", lambda found, ids=ids: ids[found[1]], page.path)
                )
    return seen


def what_sticks_out(page: Any) -> list[str]:
    """Whether the page is wider than the screen."""
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return [f"{wide} pixels too wide"] if wide > 0 else []
