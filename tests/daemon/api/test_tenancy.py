"""Two owners behind one API: neither learns that the other's jobs exist."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from daemon.api.callers import Scope
from daemon.api.routes import ROUTES
from tests.daemon.api.conftest import SPEC, until

_USUAL = ["render", "read"]
KNOWN = {
    "root": {"owner": "root", "scopes": [*_USUAL, "admin"]},  # first: it makes the others
    "ada": {"owner": "ada", "scopes": _USUAL},
    "bob": {"owner": "bob", "scopes": _USUAL},
    "reader": {"owner": "ada", "scopes": ["read"]},
}
KEYS: dict[str, str] = {}


@pytest.fixture(autouse=True, scope="module")
def named(working: httpx.Client) -> None:
    """Each has a key of its own."""
    KEYS.clear()
    for who, wish in KNOWN.items():
        headers = {"X-API-Key": KEYS["root"]} if KEYS else {}
        key = working.post("/v1/keys", json=wish, headers=headers)
        KEYS[who] = key.json()["key"]


def asked(client: httpx.Client, who: str, method: str, path: str, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEYS[who]}"}
    return client.request(method, path, headers=headers, **more)


def test_nobody_and_whoever_may_not(working: httpx.Client) -> None:
    for route in ROUTES:
        if route.scope is None:
            continue
        answer = working.request(route.method, _path(route.path, "0" * 26))
        assert (answer.status_code, answer.json()["code"]) == (401, "key-missing")
        assert answer.headers["www-authenticate"] == 'Bearer realm="reelkiln"'
        if route.scope is not Scope.READ:
            answer = asked(working, "reader", route.method, _path(route.path, "0" * 26))
            assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")


def test_a_stranger_learns_nothing_and_an_admin_sees_all(working: httpx.Client) -> None:
    job = asked(working, "ada", "POST", "/v1/jobs", json=SPEC).json()
    assert job["owner"] == "ada"

    def done() -> dict[str, Any] | None:
        told: dict[str, Any] = asked(working, "ada", "GET", job["links"]["self"]).json()
        return told if told["finished_at"] else None

    until(done)
    about = [
        route
        for route in ROUTES
        if "job_id" in route.parameters and route.scope is not Scope.WORKER
    ]
    assert len(about) >= 6
    for route in about:
        own = asked(working, "ada", route.method, _path(route.path, job["job_id"]))
        assert own.status_code in (200, 409), route.operation
        theirs = asked(working, "bob", route.method, _path(route.path, job["job_id"]))
        nobodys = asked(working, "bob", route.method, _path(route.path, "0" * 26))
        assert theirs.status_code == nobodys.status_code == 404, route.operation
        assert _telling(theirs) == _telling(nobodys), route.operation
        seen = asked(working, "root", route.method, _path(route.path, job["job_id"]))
        assert seen.status_code == own.status_code
    lists = {who: asked(working, who, "GET", "/v1/jobs").json()["jobs"] for who in KNOWN}
    shown = {who: {one["owner"] for one in jobs} for who, jobs in lists.items()}
    assert shown == {"ada": {"ada"}, "bob": set(), "reader": {"ada"}, "root": {"ada"}}
    assert asked(working, "bob", "GET", "/v1/jobs?owner=ada").status_code == 403
    assert len(asked(working, "root", "GET", "/v1/jobs?owner=ada").json()["jobs"]) == 1


def _path(pattern: str, job_id: str) -> str:
    named = pattern.replace("{job_id}", job_id).replace("{path:.+}", "video.mp4")
    named = named.replace("{asset_id}", "0" * 26).replace("{world}", "north")
    return re.sub(r"{\w+}", job_id, named)


def _telling(answer: httpx.Response) -> dict[str, Any]:
    volatile = ("request_id", "instance")
    return {key: value for key, value in answer.json().items() if key not in volatile}
