"""Two accounts see nothing of each other on any page, and what people write is text on all."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx
import pytest

from daemon.dashboard.page_route import PageRoute
from daemon.dashboard.page_routes import PAGES
from tests.daemon.dashboard.conftest import Site, registered, sent, token_in
from tests.daemon.dashboard.test_asset_pages import handed_in

EVIL = "<script>alert('pwned')</script><img src=x onerror=alert(1)>\"'><svg onload=alert(2)>"
MARK = "lighthouse7"
"""Stands in everything that is Ada's."""


@dataclass(frozen=True)
class Folk:
    """Ada, who has one of everything, and Bo, who has nothing; `ids` by the names of paths."""

    ada: httpx.Client
    bo: httpx.Client
    ids: dict[str, str]


def handed(browser: httpx.Client, document: dict[str, object]) -> str:
    """The id of a job that has ended."""
    headers = {"X-CSRF-Token": token_in(browser.get("/ui/me").text)}
    answer = browser.post("/v1/jobs", json=document, headers=headers)
    assert answer.status_code == 202, answer.text
    job_id = str(answer.json()["job_id"])
    for _ in range(600):
        if browser.get(f"/v1/jobs/{job_id}").json()["status"] in ("failed", "succeeded"):
            return job_id
        time.sleep(0.05)
    raise AssertionError(f"job {job_id} never ended")


def key_of(browser: httpx.Client, label: str) -> str:
    page = sent(browser, "/ui/keys", "/ui/keys", label=label, scope_read="on")
    found = re.search(r'action="/ui/keys/([^"]+)/revoke"', page.text)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def folk(running: Site) -> Folk:
    registered(running, "root")
    ada, bo = registered(running, MARK), registered(running, "bo")
    asset_id = handed_in(ada, label=f"{MARK} {EVIL}.png", tags=f"{MARK}{EVIL}".replace(",", ""),
                         asset_type=f"{MARK}{EVIL}"[:60])  # fmt: skip
    clip = {"text": f"{MARK} {EVIL}", "length": "0.2s"}
    good = handed(ada, {
        "reelkiln": 1, "id": MARK, "title": f"{MARK} {EVIL}",
        "output": {"size": "64x36", "fps": 10}, "tracks": [{"clips": [clip]}],
    })  # fmt: skip
    bad = handed(ada, {
        "reelkiln": 1, "id": f"{MARK}-bad", "title": f"{MARK} {EVIL}",
        "tracks": [{"clips": [{"image": f"{MARK} {EVIL}.png", "length": "1s"}]}],
    })  # fmt: skip
    return Folk(ada, bo, {
        "job_id": good, "failed": bad, "asset_id": asset_id,
        "key_id": key_of(ada, f"{MARK} {EVIL}"), "path": "manifest.json", "name": "dashboard.css",
        "rest": "/nowhere",
    })  # fmt: skip


def paths(page: PageRoute, ids: dict[str, str]) -> set[str]:
    """The page as Ada reaches it: of both jobs, where it is one of jobs."""

    def filled(ids: dict[str, str]) -> str:
        return re.sub(r"\{(\w+)(:[^}]*)?\}", lambda found: ids[found[1]], page.path)

    return {filled(ids), filled({**ids, "job_id": ids["failed"]})}


def elements_of(html: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    """The elements that a browser makes of a page, with their attributes."""
    found: list[tuple[str, list[tuple[str, str | None]]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, attributes))  # type: ignore[method-assign]
    parser.feed(html)
    return found


def got(browser: httpx.Client, path: str) -> httpx.Response:
    """A page; of what never ends its beginning."""
    if not path.endswith("/ui/jobs/events"):
        return browser.get(path)
    said = b""
    with browser.stream("GET", path, timeout=1.5) as answer, suppress(httpx.ReadTimeout):
        for piece in answer.iter_raw():
            said += piece
    return httpx.Response(answer.status_code, headers=answer.headers, content=said)


GETS = [page for page in PAGES if page.method == "GET"]
POSTS = [page for page in PAGES if page.method == "POST" and "{" in page.path]


@pytest.mark.parametrize("page", GETS, ids=lambda page: page.path)
def test_nothing_of_one_account_is_on_a_page_of_another(folk: Folk, page: PageRoute) -> None:
    for path in sorted(paths(page, folk.ids)):
        answer = got(folk.bo, path)
        assert MARK not in answer.text, path
        hers = [value for name, value in folk.ids.items() if name not in ("path", "name", "rest")]
        said = answer.text.replace(path, "")  # an error names what was asked for
        assert not [value for value in hers if value in said], path
        if "{" in page.path and "{name}" not in page.path:
            assert answer.status_code == 404, path


@pytest.mark.parametrize("page", POSTS, ids=lambda page: page.path)
def test_nothing_of_one_account_is_changed_by_another(folk: Folk, page: PageRoute) -> None:
    for path in sorted(paths(page, folk.ids)):
        token = token_in(folk.bo.get("/ui/me").text)
        answer = folk.bo.post(path, data={"csrf": token, "visibility": "public"},
                              headers={"X-CSRF-Token": token})  # fmt: skip
        assert answer.status_code == 404, (path, answer.text)


@pytest.mark.parametrize("page", GETS, ids=lambda page: page.path)
def test_what_people_write_is_text_on_every_page(folk: Folk, page: PageRoute) -> None:
    for path in sorted(paths(page, folk.ids)):
        answer = got(folk.ada, path)
        kind = answer.headers.get("Content-Type", "")
        if not re.search("html|svg|event-stream", kind):
            continue
        for tag, attributes in elements_of(answer.text):
            assert not [name for name, _ in attributes if name.startswith("on")], (path, tag)
            source = dict(attributes).get("src") or ""
            assert tag != "script" or source.startswith("/ui/static/"), (path, source)
            assert tag != "svg" or "svg" in kind, path
            assert source != "x", path


def test_ada_sees_what_is_hers(folk: Folk) -> None:
    for path in ("/ui/assets", f"/ui/assets/{folk.ids['asset_id']}", "/ui/keys", "/ui/me"):
        assert MARK in folk.ada.get(path).text, path
