"""The pages on a real server; browsers without scripts are clients that keep their cookies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

import httpx
import pytest

from daemon.api import ApiContext, ApiServer
from daemon.dashboard import furnish
from daemon.service import Service
from tests.daemon.accounts_contract import PASSWORD
from tests.daemon.api.conftest import context_of, made_service
from tests.daemon.no_tls import NO_TLS
from tests.daemon.running import at_work

Browser = Callable[[], httpx.Client]


@dataclass(frozen=True)
class Site:
    """A server with the pages; `browser` makes one that nobody has logged in with."""

    url: str
    context: ApiContext
    service: Service
    browser: Browser


@contextmanager
def pages_of(service: Service, **access: Any) -> Iterator[Site]:
    made = context_of(service)
    settings = replace(made.access.settings, **access)
    context = replace(made, access=replace(made.access, settings=settings))
    server = ApiServer(context, furnish)
    server.start()
    browsers: list[httpx.Client] = []

    def browser() -> httpx.Client:
        browsers.append(
            httpx.Client(base_url=server.url, timeout=30, follow_redirects=True, verify=NO_TLS)
        )
        return browsers[-1]

    try:
        yield Site(server.url, context, service, browser)
    finally:
        for one in browsers:
            one.close()
        server.stop()
        context.access.accounts.close()


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A daemon that does not run; anybody may register."""
    service = made_service(tmp_path_factory.mktemp("site") / "root")
    with pages_of(service, is_registering=True, logins_per_minute=1000) as made:
        yield made
    service.index.close()
    service.assets.catalog.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A daemon that runs; one for the tests of a file."""
    service = made_service(tmp_path_factory.mktemp("running") / "root")
    with at_work(service), pages_of(service, is_registering=True, logins_per_minute=1000) as made:
        yield made


def token_in(html: str) -> str:
    """The token of the forms of a page."""
    found = re.search(r'name="csrf" value="([0-9a-f]*)"', html)
    assert found, html
    return found[1]


def sent(browser: httpx.Client, page: str, action: str, **fields: str) -> httpx.Response:
    """A form of a page, filled in and sent as browsers do."""
    token = token_in(browser.get(page).text)
    return browser.post(action, data={"csrf": token, **fields})


def registered(site: Site, name: str) -> httpx.Client:
    """The browser of somebody who made an account."""
    browser = site.browser()
    answer = sent(browser, "/ui/register", "/ui/register",
                  email=f"{name}@example.org", password=PASSWORD)  # fmt: skip
    assert answer.status_code == 200, answer.text
    return browser


def text_of(html: str) -> str:
    """What a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
