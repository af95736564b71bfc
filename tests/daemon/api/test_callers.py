from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from daemon.accounts.keys import KeyWish
from daemon.accounts.store import open_accounts
from daemon.accounts.tokens import csrf_of
from daemon.accounts.types import RENDER_AND_READ, Scope
from daemon.api.access_settings import AccessSettings, access_settings
from daemon.api.callers import is_loopback, refuse_open_elsewhere
from daemon.api.credentials import COOKIE
from daemon.api.known_callers import KnownCallers
from renderer.errors import UsageError
from tests.daemon.accounts_contract import PASSWORD
from tests.daemon.api.door import Door, problem_of, running_door

SHARED = "one-key-for-all-of-us"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with running_door(tmp_path) as door:
        yield door


def key_of(door: Door, *scopes: Scope, **more: object) -> str:
    wish = KeyWish(scopes=frozenset(scopes), owner="ada")
    return door.accounts.keys.create(replace(wish, **more), now=time.time()).secret  # type: ignore[arg-type]


def session_of(door: Door, *scopes: Scope) -> str:
    people = door.accounts.people
    people.register("ada@example.org", PASSWORD, now=time.time(), scopes=frozenset(scopes))
    begun = people.log_in("ada@example.org", PASSWORD, now=time.time(), lasting=600)
    assert begun
    return begun.secret


def ask(
    door: Door, path: str = "/read", method: str = "GET", **headers: str | bytes
) -> httpx.Response:
    with door.client() as client:
        return client.request(method, path, headers=list(headers.items()))  # type: ignore[arg-type]


ADMIN = frozenset({Scope.ADMIN, Scope.RENDER, Scope.READ})
ROLES = {
    "nobody": frozenset[Scope](),
    "stranger": frozenset[Scope](),
    "revoked": frozenset[Scope](),
    "expired": frozenset[Scope](),
    "render": frozenset({Scope.RENDER}),
    "read": frozenset({Scope.READ}),
    "worker": frozenset({Scope.WORKER}),
    "admin": ADMIN,
    "account": RENDER_AND_READ,
}
"""What each role may do, by hand: every scope that is not here is refused."""


def headers_of(door: Door) -> dict[str, dict[str, str]]:
    revoked = key_of(door, *Scope)
    door.accounts.keys.revoke(revoked.split("_")[1], now=0.0)
    session = session_of(door, *RENDER_AND_READ)
    keys = {
        "stranger": f"rk_{'0' * 16}_{'0' * 64}",
        "revoked": revoked,
        "expired": key_of(door, *Scope, expires_at=1.0),
        "render": key_of(door, Scope.RENDER),
        "read": key_of(door, Scope.READ),
        "worker": key_of(door, Scope.WORKER),
        "admin": key_of(door, Scope.ADMIN),
    }
    return {
        "nobody": {},
        "account": {"Cookie": f"{COOKIE}={session}", "X-CSRF-Token": csrf_of(session)},
        **{role: {"Authorization": f"Bearer {key}"} for role, key in keys.items()},
    }


def test_each_role_does_what_its_scopes_say_and_nothing_else(door: Door) -> None:
    for role, headers in headers_of(door).items():
        known = bool(ROLES[role])
        for scope in Scope:
            for method in ("GET", "POST", "PATCH", "DELETE"):
                status = ask(door, f"/{scope}", method, **headers).status_code
                expected = 200 if scope in ROLES[role] else 403 if known else 401
                assert (role, scope, method, status) == (role, scope, method, expected)


def test_a_key_is_taken_from_either_header_and_says_who_calls(door: Door) -> None:
    key = key_of(door, Scope.READ, world="north")
    for headers in (
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"bearer  {key}"},
        {"X-API-Key": key},
        {"X-API-Key": key, "Authorization": f"Bearer {key}"},
        {"X-API-Key": key, "Authorization": "Basic YTpi"},
    ):
        assert ask(door, **headers).status_code == 200
        caller = door.callers[-1]
        assert (caller.owner, caller.world, caller.key_id) == ("ada", "north", key.split("_")[1])


def test_every_401_is_the_same(door: Door) -> None:
    key = key_of(door, Scope.READ)
    other = key_of(door, Scope.READ)
    headers = headers_of(door)
    flipped = key[:-1] + ("1" if key[-1] == "0" else "0")
    shown: list[dict[str, Any]] = [
        *(headers[role] for role in ("nobody", "stranger", "revoked", "expired")),
        {"X-API-Key": flipped},
        {"X-API-Key": ""},
        {"X-API-Key": "k" * 5000},
        {"X-API-Key": "é".encode()},
        {"X-API-Key": key, "Authorization": f"Bearer {other}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Token {key}"},
        {"Cookie": f"{COOKIE}={key}"},
        {"Cookie": f"{COOKIE}=rs_{'0' * 16}_{'0' * 64}"},
        {"Authorization": headers["account"]["Cookie"].replace(f"{COOKIE}=", "Bearer ")},
    ]
    answers = [ask(door, **one) for one in shown]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'Bearer realm="reelkiln"'}


def test_a_cookie_opens_unsafe_methods_with_the_token_of_its_session_alone(door: Door) -> None:
    session = session_of(door, *RENDER_AND_READ)
    cookie = {"Cookie": f"{COOKIE}={session}"}
    assert ask(door, **cookie).status_code == 200
    for token in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": csrf_of("rs_x")}):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            refused = ask(door, "/render", method, **cookie, **token)
            assert (refused.status_code, problem_of(refused)) == (403, "csrf-refused")
    right = {"X-CSRF-Token": csrf_of(session)}
    assert ask(door, "/render", "POST", **cookie, **right).status_code == 200
    assert door.callers[-1].owner == door.callers[-1].account_id != ""


def test_flipping_any_character_of_a_csrf_token_is_refused(door: Door) -> None:
    session = session_of(door, *RENDER_AND_READ)
    token = csrf_of(session)
    with door.client() as client:
        for place in range(len(token)):
            other = "1" if token[place] == "0" else "0"
            changed = token[:place] + other + token[place + 1 :]
            headers = {"X-CSRF-Token": changed, "Cookie": f"{COOKIE}={session}"}
            assert client.post("/render", headers=headers).status_code == 403


def test_a_key_beats_the_cookie_that_comes_along(door: Door) -> None:
    cookie = {"Cookie": f"{COOKIE}={session_of(door, *RENDER_AND_READ)}"}
    key = key_of(door, Scope.RENDER)
    assert ask(door, "/render", "POST", **cookie, **{"X-API-Key": key}).status_code == 200
    assert ask(door, **cookie, **{"X-API-Key": key + "0"}).status_code == 401


def test_without_keys_loopback_is_open_to_all_but_workers_until_the_first_key(door: Door) -> None:
    statuses = {scope: ask(door, f"/{scope}", "POST").status_code for scope in Scope}
    assert statuses == {
        Scope.RENDER: 200, Scope.READ: 200, Scope.ADMIN: 200, Scope.WORKER: 403,
    }  # fmt: skip
    assert ask(door, **{"X-API-Key": "anything"}).status_code == 401
    assert ask(door, Cookie=f"{COOKIE}=left-over").status_code == 200
    key = key_of(door, Scope.READ)  # by another process, of which this one hears within a moment
    door.shift[0] += KnownCallers.FOR_S
    assert ask(door).status_code == 401
    door.accounts.keys.revoke(key.split("_")[1], now=0.0)
    assert ask(door).status_code == 401


@pytest.mark.parametrize(
    ("path", "wish"),
    [
        ("/v1/keys", {"scopes": ["read"]}),
        ("/v1/accounts", {"email": "ada@example.org", "password": PASSWORD}),
    ],
)
def test_an_open_door_is_shut_at_once_by_the_first_key_or_account_made_here(
    door: Door, path: str, wish: dict[str, Any]
) -> None:
    assert ask(door).status_code == 200
    with door.client() as client:
        assert client.post(path, json=wish).status_code == 201
    assert ask(door, "/render", "POST").status_code == 401
    assert ask(door).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8080"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
    ],
)
def test_open_is_not_open_to_other_sites_and_proxies(door: Door, headers: dict[str, str]) -> None:
    refused = ask(door, "/render", "POST", **headers)
    assert (refused.status_code, problem_of(refused)) == (403, "origin-refused")
    key = key_of(door, Scope.RENDER)
    assert ask(door, "/render", "POST", **headers, **{"X-API-Key": key}).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "[::1]:8080", "[::1]", "127.0.0.9"])
def test_open_answers_to_every_name_of_loopback(door: Door, host: str) -> None:
    assert ask(door, Host=host, Origin=f"http://{host}").status_code == 200


def test_elsewhere_nothing_is_open(tmp_path: Path) -> None:
    with running_door(tmp_path, AccessSettings(is_loopback=False)) as door:
        assert ask(door).status_code == 401


def test_the_shared_key_renders_and_reads(tmp_path: Path) -> None:
    with running_door(tmp_path, REELKILN_API_KEY=SHARED) as door:
        assert ask(door).status_code == 401
        assert ask(door, **{"X-API-Key": SHARED[:-1]}).status_code == 401
        headers = {"Authorization": f"Bearer {SHARED}"}
        statuses = [ask(door, f"/{scope}", "POST", **headers).status_code for scope in Scope]
        assert statuses == [200, 200, 403, 403]
        assert door.callers[-1].owner == ""
        key = key_of(door, Scope.ADMIN)  # beside it, others
        assert ask(door, "/admin", **{"X-API-Key": key}).status_code == 200


def test_a_key_past_its_rate_is_told_when_to_come_back(door: Door) -> None:
    slow, quick = key_of(door, Scope.READ, per_minute=3), key_of(door, Scope.READ, per_minute=9)
    answers = [ask(door, **{"X-API-Key": slow}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 20
    assert ask(door, **{"X-API-Key": quick}).status_code == 200


def test_an_open_api_is_not_served_where_others_reach_it(tmp_path: Path) -> None:
    accounts = open_accounts(tmp_path, {})
    settings = AccessSettings(is_loopback=False)
    with pytest.raises(UsageError, match=r"0\.0\.0\.0") as refused:
        refuse_open_elsewhere("0.0.0.0", accounts, settings)
    assert "keys create" in refused.value.hint
    refuse_open_elsewhere("::1", accounts, settings)
    refuse_open_elsewhere("0.0.0.0", accounts, replace(settings, shared_key=SHARED))
    accounts.keys.create(KeyWish(scopes=RENDER_AND_READ), now=0.0)
    refuse_open_elsewhere("0.0.0.0", accounts, settings)
    accounts.close()


@pytest.mark.parametrize(
    ("host", "is_it"),
    [("127.0.0.1", True), ("LOCALHOST", True), ("::1", True), ("0.0.0.0", False), ("::", False),
     ("example.org", False), ("", False), ("10.0.0.1", False)],
)  # fmt: skip
def test_loopback_is_known(host: str, is_it: bool) -> None:
    assert is_loopback(host) is is_it


@pytest.mark.parametrize(
    "environment",
    [
        {"REELKILN_API_KEY": "short"},
        {"REELKILN_API_KEY": "é" * 20},
        {"REELKILN_REGISTRATION": "yes"},
        {"REELKILN_COOKIES": "no"},
        {"REELKILN_SESSION_DAYS": "0"},
        {"REELKILN_MAX_QUEUED": "many"},
    ],
)
def test_senseless_settings_are_refused_without_repeating_a_key(
    environment: dict[str, str],
) -> None:
    ((name, value),) = environment.items()
    with pytest.raises(UsageError, match=name) as refused:
        access_settings(environment, is_loopback=True)
    if name == "REELKILN_API_KEY":
        assert value not in refused.value.message
    assert SHARED not in repr(access_settings({"REELKILN_API_KEY": SHARED}, is_loopback=True))
