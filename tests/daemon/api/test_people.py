from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from daemon.api.access_settings import AccessSettings
from daemon.api.credentials import COOKIE
from daemon.logs import LogForm, set_up_logs
from daemon.service import Service
from tests.daemon.accounts_contract import PASSWORD
from tests.daemon.api.conftest import SPEC, context_of, listening
from tests.daemon.api.door import Door, problem_of, running_door
from tests.daemon.no_tls import NO_TLS

ADA = {"email": "ada@example.org", "password": PASSWORD}
BO = {"email": "bo@example.org", "password": PASSWORD}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with running_door(tmp_path) as door:
        yield door


@pytest.fixture
def browser(door: Door) -> Iterator[httpx.Client]:
    with door.client() as client:
        yield client


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    """The whole API, whose streams look often who listens."""
    with listening(context_of(service, ping_s=0.1)) as found:
        yield found


def log_in(browser: httpx.Client, who: dict[str, str] = ADA) -> str:
    """Sends the CSRF token with every request from then on; gives it too."""
    browser.headers.pop("X-CSRF-Token", None)
    answer = browser.post("/v1/sessions", json=who)
    assert answer.status_code == 201, answer.text
    token = answer.json()["csrf_token"]
    assert isinstance(token, str)
    browser.headers["X-CSRF-Token"] = token
    return token


def test_the_first_account_is_admin_and_shuts_the_door_behind_it(
    door: Door, browser: httpx.Client
) -> None:
    made = browser.post("/v1/accounts", json=ADA)
    assert made.status_code == 201
    assert made.json()["scopes"] == ["admin", "read", "render"]
    refused = browser.post("/v1/accounts", json=BO)
    assert (refused.status_code, problem_of(refused)) == (403, "registration-closed")
    log_in(browser)
    account = browser.post("/v1/accounts", json={**BO, "scopes": ["read"]})
    assert account.json()["scopes"] == ["read"]
    assert browser.post("/v1/accounts", json=BO).status_code == 409


def test_an_open_registration_takes_anybody_and_gives_no_more_than_render_and_read(
    tmp_path: Path,
) -> None:
    settings = AccessSettings(is_loopback=False, is_registering=True)
    with running_door(tmp_path, settings) as door, door.client() as browser:
        made = browser.post("/v1/accounts", json=ADA)
        assert (made.status_code, made.json()["scopes"]) == (201, ["read", "render"])
        greedy = browser.post("/v1/accounts", json={**BO, "scopes": ["admin"]})
        assert (greedy.status_code, problem_of(greedy)) == (403, "scope-missing")
        wrong_key = browser.post("/v1/accounts", json=BO, headers={"X-API-Key": "x"})
        assert wrong_key.status_code == 401


def test_a_session_from_login_to_logout(door: Door, browser: httpx.Client) -> None:
    account = browser.post("/v1/accounts", json=ADA).json()
    token = log_in(browser)
    (cookie,) = browser.cookies.jar
    assert (cookie.name, cookie.path, cookie.secure) == (COOKIE, "/", False)
    me = browser.get("/v1/me").json()
    assert (me["owner"], me["csrf_token"]) == (account["account_id"], token)
    assert me["account"] == account
    assert browser.get("/read").status_code == 200
    stolen = dict(browser.cookies)
    assert browser.delete("/v1/sessions").status_code == 204
    assert list(browser.cookies.jar) == []
    assert browser.get("/read").status_code == 401
    assert httpx.get(f"{door.url}/read", cookies=stolen).status_code == 401


def test_cookies_are_out_of_reach_of_scripts_other_sites_and_plain_http(tmp_path: Path) -> None:
    settings = AccessSettings(is_registering=True, is_loopback=False, secure_cookies=True)
    with running_door(tmp_path, settings) as door, door.client() as browser:
        browser.post("/v1/accounts", json=ADA)
        cookie = browser.post("/v1/sessions", json=ADA).headers["Set-Cookie"]
    words = {word.strip().partition("=")[0].casefold() for word in cookie.split(";")}
    assert {"httponly", "secure", "samesite", "path", "max-age"} <= words
    assert "samesite=strict" in cookie.casefold()


def test_a_session_ends_by_itself(tmp_path: Path) -> None:
    settings = AccessSettings(is_registering=True, session_s=50.0)
    with running_door(tmp_path, settings) as door, door.client() as browser:
        browser.post("/v1/accounts", json=ADA)
        log_in(browser)
        assert browser.get("/read").status_code == 200
        door.shift[0] = 51.0
        assert browser.get("/read").status_code == 401


def test_a_wrong_password_and_a_stranger_are_told_the_same(browser: httpx.Client) -> None:
    browser.post("/v1/accounts", json=ADA)
    answers = [
        browser.post("/v1/sessions", json={**ADA, "password": "x" * 12}),
        browser.post("/v1/sessions", json=BO),
        browser.get("/read"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert not any("Set-Cookie" in answer.headers for answer in answers)


def test_guessing_passwords_is_slowed_down(tmp_path: Path) -> None:
    settings = AccessSettings(logins_per_minute=2)
    with running_door(tmp_path, settings) as door, door.client() as browser:
        answers = [browser.post("/v1/sessions", json=BO) for _ in range(3)]
        answers.append(browser.post("/v1/sessions", json={**BO, "email": " BO@example.org"}))
        assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
        assert int(answers[2].headers["Retry-After"]) >= 1
        assert browser.post("/v1/sessions", json=ADA).status_code == 401


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ('{"email":"ada@example.org","password":"PASSWORD"}', "text/plain", 415),
        ("email=a&password=b", "application/x-www-form-urlencoded", 415),
        ("{", "application/json", 422),
        ("[]", "application/json", 422),
        ('{"email":"a@b"}', "application/json", 422),
        ('{"email":"a@b","password":"PASSWORD","x":1}', "application/json", 422),
        ('{"email":"a@b","password":["PASSWORD"]}', "application/json", 422),
        ('{"email":"a@b","password":"\\ud800PASSWORD"}', "application/json", 422),
        ('{"email":"no address","password":"PASSWORD1234"}', "application/json", 422),
        ('{"email":"a@b","password":"PASSWORD"}', "application/json", 422),
        ('"' + "x" * 20_000 + '"', "application/json", 413),
    ],
)
def test_other_bodies_are_refused_and_not_repeated(
    browser: httpx.Client, body: str, content_type: str, status: int
) -> None:
    answer = browser.post("/v1/accounts", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert "PASSWORD" not in answer.text


def test_people_make_see_and_revoke_keys_of_their_own(door: Door, browser: httpx.Client) -> None:
    browser.post("/v1/accounts", json=ADA)
    log_in(browser)
    browser.post("/v1/accounts", json=BO)
    log_in(browser, BO)
    asked = {"label": "ci", "scopes": ["read"], "world": "north", "per_minute": 60,
             "expires_at": "2099-01-01T00:00:00Z"}  # fmt: skip
    made = browser.post("/v1/keys", json=asked)
    assert made.status_code == 201
    key = made.json()
    with door.client() as program:
        answer = program.get("/v1/me", headers={"X-API-Key": key["key"]})
        assert answer.json() == {
            "owner": browser.get("/v1/me").json()["owner"], "scopes": ["read"], "account": None,
            "key_id": key["key_id"], "world": "north", "csrf_token": None,
        }  # fmt: skip
        for method, path in (("GET", "/v1/keys"), ("DELETE", f"/v1/keys/{key['key_id']}")):
            refused = program.request(method, path, headers={"X-API-Key": key["key"]})
            assert refused.status_code == 403
    (listed,) = browser.get("/v1/keys").json()["keys"]
    assert listed["last_four"] == key["key"][-4:]
    assert "key" not in listed
    assert key["key"].split("_")[2] not in browser.get("/v1/keys").text
    assert browser.delete(f"/v1/keys/{key['key_id']}").status_code == 204
    assert browser.get("/v1/keys").json()["keys"][0]["standing"] == "revoked"


def test_nobody_makes_a_key_with_more_rights_than_their_own(
    door: Door, browser: httpx.Client
) -> None:
    browser.post("/v1/accounts", json=ADA)
    log_in(browser)
    admins = browser.post("/v1/keys", json={"owner": "cy", "scopes": ["worker", "admin"]})
    assert (admins.status_code, admins.json()["owner"]) == (201, "cy")
    browser.post("/v1/accounts", json={**BO, "scopes": ["read"]})
    log_in(browser, BO)
    for asked in (
        {"scopes": ["render"]},
        {"scopes": ["admin"]},
        {"owner": "cy", "scopes": ["read"]},
    ):
        refused = browser.post("/v1/keys", json=asked)
        assert (refused.status_code, problem_of(refused)) == (403, "scope-missing")
    for unfit in ({"scopes": []}, {"scopes": ["all"]}, {"world": "a/b"}):
        assert browser.post("/v1/keys", json=unfit).status_code == 422
    unknown = browser.delete(f"/v1/keys/{'0' * 16}")
    strangers = browser.delete(f"/v1/keys/{admins.json()['key_id']}")
    assert (unknown.status_code, strangers.status_code) == (404, 404)
    assert browser.get("/v1/keys").json() == {"keys": []}


def test_no_secret_is_in_the_log_whatever_goes_wrong(
    door: Door, browser: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    stream = io.StringIO()
    set_up_logs(LogForm.JSON, level=logging.DEBUG, stream=stream)
    caplog.set_level(logging.WARNING, "httpcore")  # the browser's own log holds its cookies
    try:
        browser.post("/v1/accounts", json=ADA)
        log_in(browser)
        key = browser.post("/v1/keys", json={}).json()["key"]
        browser.get("/read", headers={"X-API-Key": key})
        browser.get("/worker", headers={"X-API-Key": key})
        browser.post("/v1/sessions", json={**ADA, "email": "x"})
        logging.getLogger("reelkiln").info("the log listens")
    finally:
        root = logging.getLogger()
        root.handlers = [h for h in root.handlers if not hasattr(h, "_reelkiln_log")]
    said = stream.getvalue()
    assert "the log listens" in said
    session = browser.cookies[COOKIE]
    for secret in (PASSWORD, key.split("_")[2], session.split("_")[2]):
        assert secret not in said
    for thing in (door.access, door.callers, door.accounts.keys.all_keys()):
        assert session.split("_")[2] not in repr(thing)


def test_an_admin_disables_an_account_and_none_their_own(
    service: Service, client: httpx.Client
) -> None:
    first = client.post("/v1/accounts", json=ADA).json()
    log_in(client)
    other = client.post("/v1/accounts", json=BO).json()
    own = client.patch(f"/v1/accounts/{first['account_id']}", json={"disabled": True})
    assert (own.status_code, problem_of(own)) == (409, "own-account")
    with httpx.Client(base_url=client.base_url, verify=NO_TLS) as browser:
        log_in(browser, BO)
        assert browser.get("/v1/accounts").status_code == 403
        key = browser.post("/v1/keys", json={"label": "mine"}).json()["key"]
        job = browser.post("/v1/jobs", json=SPEC).json()
        lines: list[str] = []
        with browser.stream("GET", job["links"]["events"]) as stream:
            told = client.patch(f"/v1/accounts/{other['account_id']}", json={"disabled": True})
            assert told.json()["disabled_at"] is not None
            lines += stream.iter_lines()  # it ends, although the job waits on
        assert "event: progress" in lines
        assert "event: done" not in lines
        assert browser.get("/v1/me").status_code == 401
        assert browser.post("/v1/jobs", json=SPEC).status_code == 401
        again = browser.post("/v1/sessions", json=BO)
        wrong = browser.post("/v1/sessions", json={**BO, "password": "not the right one"})
        assert (again.status_code, again.json()["detail"]) == (401, wrong.json()["detail"])
        with httpx.Client(
            base_url=client.base_url, headers={"X-API-Key": key}, verify=NO_TLS
        ) as program:
            assert program.get("/v1/jobs").status_code == 401
            client.patch(f"/v1/accounts/{other['account_id']}", json={"disabled": False})
            assert program.get("/v1/jobs").status_code == 200
        log_in(browser, BO)
    shown = client.get("/v1/accounts").json()["accounts"]
    assert [(one["email"], one["disabled_at"]) for one in shown] == [
        ("ada@example.org", None), ("bo@example.org", None),
    ]  # fmt: skip
    assert client.patch(f"/v1/accounts/{'Z' * 26}", json={"disabled": True}).status_code == 404
    confined = client.post("/v1/keys", json={"scopes": ["admin"], "world": "north"}).json()["key"]
    with httpx.Client(
        base_url=client.base_url, headers={"X-API-Key": confined}, verify=NO_TLS
    ) as program:
        told = program.patch(f"/v1/accounts/{first['account_id']}", json={"disabled": True})
        assert (told.status_code, problem_of(told)) == (403, "scope-missing")
