"""Keys in pages: one is made, its secret is seen once, and it is shut."""

from __future__ import annotations

import re

import httpx

from tests.daemon.dashboard.conftest import Site, registered, sent, text_of


def secret_in(html: str) -> str:
    found = re.search(r'id="secret" readonly value="([^"]+)"', html)
    assert found, html
    return found[1]


def opens(site: Site, secret: str) -> int:
    return httpx.get(
        f"{site.url}/v1/jobs", headers={"Authorization": f"Bearer {secret}"}
    ).status_code


def test_a_key_is_shown_once_and_works_until_it_is_shut(site: Site) -> None:
    ada = registered(site, "ada")
    made = sent(
        ada, "/ui/keys", "/ui/keys", label="press", scope_read="on", expires_on="2099-01-31"
    )
    secret = secret_in(made.text)
    assert made.headers["Cache-Control"] == "no-store"
    assert opens(site, secret) == 200
    later = ada.get("/ui/keys")
    assert secret not in later.text
    said = text_of(later.text)
    for words in (f"…{secret[-4:]}", "press", "2099-01-31", "read", "live"):
        assert words in said, words
    action = re.search(r'action="(/ui/keys/[^"]+/revoke)"', later.text)
    assert action
    shut = sent(ada, "/ui/keys", action[1])
    assert (shut.url.path, "revoked" in text_of(shut.text)) == ("/ui/keys", True)
    assert opens(site, secret) == 401


def test_a_key_has_the_scopes_that_were_ticked_and_no_more_than_its_maker(site: Site) -> None:
    registered(site, "root")
    ada = registered(site, "ada")
    assert 'name="scope_admin"' not in ada.get("/ui/keys").text
    asked = sent(ada, "/ui/keys", "/ui/keys", scope_admin="on")
    assert (asked.status_code, "no more scopes" in text_of(asked.text)) == (403, True)
    secret = secret_in(sent(ada, "/ui/keys", "/ui/keys", scope_read="on").text)
    denied = httpx.post(f"{site.url}/v1/jobs", json={}, headers={"X-API-Key": secret})
    assert denied.status_code == 403


def test_a_key_that_cannot_be_made_is_told_on_the_page(site: Site) -> None:
    ada = registered(site, "ada")
    for wrong in ({"world": "no blanks"}, {"expires_on": "soon"}, {"per_minute": "0"}):
        told = sent(ada, "/ui/keys", "/ui/keys", scope_read="on", **wrong)
        assert (told.status_code, 'role="alert"' in told.text) == (422, True), wrong
    nothing = sent(ada, "/ui/keys", "/ui/keys", label="idle")
    assert (nothing.status_code, "would open nothing" in text_of(nothing.text)) == (422, True)
    assert "There are no keys yet" in text_of(ada.get("/ui/keys").text)


def test_a_label_stays_text(site: Site) -> None:
    ada = registered(site, "ada")
    made = sent(ada, "/ui/keys", "/ui/keys", label="<img src=x onerror=alert(1)>", scope_read="on")
    assert "<img src=x" not in made.text
    assert "&lt;img src=x onerror=alert(1)&gt;" in made.text


def test_nobody_shuts_the_key_of_another(site: Site) -> None:
    registered(site, "root")
    ada, bo = registered(site, "ada"), registered(site, "bo")
    secret = secret_in(sent(ada, "/ui/keys", "/ui/keys", scope_read="on").text)
    action = re.search(r'action="(/ui/keys/[^"]+/revoke)"', ada.get("/ui/keys").text)
    assert action
    assert sent(bo, "/ui/keys", action[1]).status_code == 404
    assert opens(site, secret) == 200
