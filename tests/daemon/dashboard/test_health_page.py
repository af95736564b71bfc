"""The page of health: the same reasons as the API, and for admins the rest."""

from __future__ import annotations

import pytest

from tests.daemon.accounts_contract import PASSWORD
from tests.daemon.api.conftest import made_service
from tests.daemon.dashboard.conftest import Site, pages_of, registered, sent, text_of


def test_what_pauses_the_daemon_is_told(site: Site) -> None:
    ada = registered(site, "ada")
    assert "Jobs can be taken and run." in text_of(ada.get("/ui/health").text)
    assert site.context.conditions
    site.context.conditions.begin("disk-full", "no room in /secret/place")
    said = text_of(ada.get("/ui/health").text)
    assert "disk-full" in said
    site.context.draining.set()
    assert "cannot be taken or run" in text_of(ada.get("/ui/health").text)


def test_what_is_everybodys_is_for_admins_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    service = made_service(tmp_path_factory.mktemp("health") / "root")
    service.owners.beat()
    with pages_of(service) as site:
        admin = registered(site, "root")
        sent(admin, "/ui/register", "/ui/register", email="bo@example.org", password=PASSWORD)
        bo = site.browser()
        bo.post("/ui/login", data={"email": "bo@example.org", "password": PASSWORD})
        assert site.context.conditions
        site.context.conditions.begin("inbox-gone", "no room in /secret/place")
        seen, hidden = (text_of(one.get("/ui/health").text) for one in (admin, bo))
    for words in (service.owners.me, "queued", "free", "/secret/place"):
        assert (words in seen, words in hidden.replace("GiB free", "")) == (True, False), words
    service.index.close()
    service.assets.catalog.close()
