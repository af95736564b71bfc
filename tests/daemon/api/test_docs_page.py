"""The page of the API in a real Chromium: whole, quiet, and from this server alone."""

from __future__ import annotations

from typing import Any

import httpx

from daemon.api.routes import ROUTES
from tests.daemon.browser import needs_chromium, watched


@needs_chromium
def test_the_page_shows_every_operation_and_asks_nobody_else(
    client: httpx.Client, browser: Any
) -> None:
    here = str(client.base_url).rstrip("/")
    with watched(browser) as seen:
        page = seen.page
        answer = page.goto(f"{here}/docs")
        policy = dict(part.strip().split(" ", 1) for part in
                      answer.headers["content-security-policy"].split(";"))  # fmt: skip
        page.locator(".opblock").first.wait_for()
        shown = page.locator(".opblock").count()
        tags = page.locator(".opblock-tag").count()
        page.locator("#operations-jobs-createJob .opblock-summary").click()
        page.locator("#operations-jobs-createJob .responses-table").wait_for()
        told = page.locator("#operations-jobs-createJob").inner_text()
        page.locator("#operations-health-livez .opblock-summary").click()
        page.locator("#operations-health-livez .try-out__btn").click()
        page.locator("#operations-health-livez .execute").click()
        page.locator("#operations-health-livez .live-responses-table").wait_for()
        tried = page.locator("#operations-health-livez .live-responses-table").inner_text()
    assert shown == len(ROUTES)
    assert tags == len({route.tag for route in ROUTES})
    assert '"status": "ok"' in tried
    assert "202" in told
    assert "Idempotency-Key" in told
    assert seen.troubles == []
    assert all(name.startswith((here, "data:")) for name in seen.asked), seen.asked
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
