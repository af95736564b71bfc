from __future__ import annotations

import re

import httpx
import pytest

from daemon.api.credentials import COOKIE
from daemon.dashboard.drawing import FOLDER
from daemon.dashboard.page_routes import PAGES
from tests.daemon.accounts_contract import PASSWORD
from tests.daemon.api.conftest import made_service
from tests.daemon.dashboard.conftest import Site, pages_of, registered, sent, text_of, token_in

ADA = {"email": "ada@example.org", "password": PASSWORD}


def test_whoever_made_an_account_is_logged_in_until_they_log_out(site: Site) -> None:
    ada = registered(site, "ada")
    me = ada.get("/ui/me")
    assert "ada@example.org" in text_of(me.text)
    (cookie,) = [one for one in ada.cookies.jar if one.name == COOKIE]
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Strict"
    out = sent(ada, "/ui/me", "/ui/logout")
    assert "You are logged out" in text_of(out.text)
    assert ada.get("/ui/me").url.path == "/ui/login"
    back = ada.post("/ui/login", data={**ADA, "next": "/ui/me"})
    assert (back.status_code, back.url.path) == (200, "/ui/me")


def test_a_wrong_password_is_told_like_a_wrong_address(site: Site) -> None:
    registered(site, "ada")
    stranger = site.browser()
    told = [
        stranger.post("/ui/login", data=who)
        for who in ({**ADA, "password": "x" * 12}, {**ADA, "email": "nobody@example.org"})
    ]
    assert [answer.status_code for answer in told] == [401, 401]
    assert len({text_of(answer.text) for answer in told}) == 1


@pytest.mark.parametrize(
    "next_",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/ui/..//evil", "", "/v1/me"],
)
def test_after_the_login_nobody_is_led_off_the_site(site: Site, next_: str) -> None:
    registered(site, "ada")
    answer = site.browser().post("/ui/login", data={**ADA, "next": next_}, follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/ui/jobs")


def test_a_form_without_the_token_of_its_session_is_refused(site: Site) -> None:
    ada, bo = registered(site, "ada"), registered(site, "bo")
    theirs = token_in(bo.get("/ui/me").text)
    for page in PAGES:
        if page.method != "POST" or page.asks_nobody:
            continue
        path = re.sub(r"\{\w+\}", "0" * 26, page.path)
        for fields in ({"any": "thing"}, {"csrf": ""}, {"csrf": theirs}):
            answer = ada.post(path, data=fields)
            assert answer.status_code == 403, (path, answer.text)
            assert "csrf-refused" in answer.text
    assert ada.get("/ui/me").url.path == "/ui/me"


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
     {"Origin": "https://evil.example"}, {"Origin": "null"}],
)  # fmt: skip
def test_a_form_that_another_site_sent_is_refused(site: Site, headers: dict[str, str]) -> None:
    registered(site, "ada")
    answer = site.browser().post("/ui/login", data=ADA, headers=headers)
    assert (answer.status_code, "origin-refused" in answer.text) == (403, True)


def test_every_page_has_the_strict_policy_and_is_kept_nowhere(site: Site) -> None:
    ada = registered(site, "ada")
    for page in PAGES:
        if page.method != "GET" or "{" in page.path or page.path.endswith("/events"):
            continue
        answer = ada.get(page.path, follow_redirects=False)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'"), page
        assert "unsafe" not in policy
        assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} <= set(
            policy.split("; ")
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    for path in ("/ui", "/ui/", "/ui/nothing", "/ui/check"):
        assert (ada.get(path).status_code, "no such page" in ada.get(path).text) == (404, True)
    missing = ada.get("/ui/static/nothing.js")
    assert (missing.status_code, missing.headers["content-type"]) == (
        404,
        "text/html; charset=utf-8",
    )


def test_no_template_holds_a_script_a_style_or_another_host() -> None:
    for template in sorted((FOLDER / "templates").glob("*.html")):
        text = template.read_text()
        for bad in ("<style", " style=", " onclick", " onload", "hx-on", "javascript:", "|safe",
                    "http://", "https://"):  # fmt: skip
            assert bad not in text, (template.name, bad)
        assert text.count("<script") == text.count('<script src="{{ file_url(')


def test_every_script_and_style_is_there_with_its_licence(site: Site) -> None:
    anybody = site.browser()
    html = anybody.get("/ui/login").text
    found = [part.partition('"')[0] for part in html.split('="/ui/static/')[1:]]
    assert len(found) >= 4
    for name in found:
        answer = anybody.get(f"/ui/static/{name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
    for name in ("htmx", "htmx-sse"):
        assert (FOLDER / "static" / f"{name}.LICENSE").is_file()


def test_without_keys_and_accounts_whoever_is_on_this_machine_is_let_in(site: Site) -> None:
    anybody = site.browser()
    assert anybody.get("/").url.path == "/ui/jobs"
    assert "open to whoever uses this machine" in text_of(anybody.get("/ui/me").text)
    foreign = anybody.get("/ui/me", headers={"Host": "evil.example"})
    assert (foreign.status_code, "origin-refused" in foreign.text) == (403, True)
    registered(site, "ada")
    assert anybody.get("/ui/me").url.path == "/ui/login"


def test_registration_is_closed_unless_it_was_opened(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    service = made_service(tmp_path_factory.mktemp("shut") / "root")
    with pages_of(service) as shut:
        first = registered(shut, "root")
        assert "admin" in text_of(first.get("/ui/me").text)
        stranger = shut.browser()
        assert "ask one of them" in text_of(stranger.get("/ui/login").text)
        assert stranger.get("/ui/register").status_code == 403
        assert stranger.post("/ui/register", data=ADA).status_code == 403
        made = sent(first, "/ui/register", "/ui/register", **ADA)
        assert "account of ada@example.org now" in text_of(made.text)
        assert "root@example.org" in text_of(first.get("/ui/me").text)
    service.index.close()
    service.assets.catalog.close()


def test_another_password_ends_every_session(site: Site) -> None:
    ada = registered(site, "ada")
    wrong = sent(ada, "/ui/me", "/ui/me/password", old="x" * 12, new="another long password")
    assert (wrong.status_code, "is not this one" in text_of(wrong.text)) == (403, True)
    changed = sent(ada, "/ui/me", "/ui/me/password", old=PASSWORD, new="another long password")
    assert "Log in with it" in text_of(changed.text)
    assert ada.post("/ui/login", data=ADA).status_code == 401
    assert (
        ada.post("/ui/login", data={**ADA, "password": "another long password"}).status_code == 200
    )


def test_what_people_type_into_forms_stays_text(site: Site) -> None:
    evil = "<script>alert(1)</script>@example.org"
    answer: httpx.Response = site.browser().post("/ui/login", data={"email": evil, "password": "x"})
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
