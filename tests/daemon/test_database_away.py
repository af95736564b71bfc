"""`serve` while its PostgreSQL is away: it says so, goes on by folders, and catches up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from daemon.accounts.keys import KeyWish
from daemon.accounts.store import open_accounts
from daemon.accounts.types import RENDER_AND_READ
from daemon.webhooks.signatures import new_secret
from tests.daemon.postgres import Postgres, stopped_postgres
from tests.daemon.test_service import drop, serving, until
from tests.renderer import web as w
from tests.renderer.web import Web
from tests.renderer.web import serving as serving_web

SECRET = new_secret()
SPEC = """\
reelkiln: 1
callback: "%s"
output: {size: 64x36, fps: 10, quality: draft}
tracks: [{clips: [{colour: "#123456", length: 1s}]}]
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """A PostgreSQL that does not run yet."""
    monkeypatch.setenv("REELKILN_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("REELKILN_ALLOW_NETWORKS", "127.0.0.1")
    with stopped_postgres() as server:
        monkeypatch.setenv("REELKILN_DATABASE_URL", server.address)
        yield server


@pytest.fixture
def web() -> Iterator[Web]:
    with serving_web(Web()) as web:
        web.answers["/hook"] = w.body(b"")
        yield web


def address_of(root: Path) -> str | None:
    lines = (root / "serve.log").read_text().splitlines()
    return next((line for line in lines if line.startswith("http://")), None)


def unready(client: httpx.Client) -> set[str]:
    told = client.get("/readyz")
    return {one["check"] for one in told.json()["reasons"] if not one["ready"]} - {"disk"}


def test_a_daemon_begins_without_its_database_and_catches_up(
    tmp_path: Path, server: Postgres, web: Web
) -> None:
    (tmp_path / "inbox").mkdir()
    with serving(tmp_path) as child:

        def wait(found: Callable[[], Any]) -> Any:
            return until(found, child, tmp_path)

        with httpx.Client(base_url=wait(lambda: address_of(tmp_path)), timeout=30) as client:
            assert client.get("/livez").status_code == 200
            assert unready(client) == {"index", "catalog"}
            nobody_comes_in(client)
            drop(tmp_path, "film.yaml", SPEC % web.url("/hook"))
            receipts = tmp_path / "outbox" / "receipts"
            wait(lambda: receipts.exists() and list(receipts.glob("*.json")))
            assert unready(client) == {"index", "catalog"}
            server.start()
            try:
                wait(lambda: not unready(client))
                (job,) = wait(lambda: client.get("/v1/jobs").json()["jobs"])  # open: no key yet
                assert (job["name"], job["status"]) == ("film.yaml", "succeeded")
                wait(lambda: web.posts)
                key = client.post("/v1/keys", json={"scopes": ["admin"]}).json()["key"]
                client.headers["X-API-Key"] = key
                wait(lambda: client.get(f"/v1/assets?job={job['job_id']}").status_code)
                server.stop()
                wait(lambda: unready(client) == {"index", "catalog"})

                def refused() -> str:
                    told = client.get("/v1/jobs")
                    assert told.status_code == 503
                    return str(told.json()["code"])

                wait(lambda: refused() == "catalog-unavailable")  # the key is known for a moment
                del client.headers["X-API-Key"]
                nobody_comes_in(client)
                server.start()
                wait(lambda: not unready(client))
                assert client.get("/v1/jobs").status_code == 401
                assert client.get("/v1/jobs", headers={"X-API-Key": key}).status_code == 200
            finally:
                server.stop()
    ((headers, body),) = web.posts
    assert Webhook(SECRET).verify(body, headers)["data"]["job_id"] == job["job_id"]


def nobody_comes_in(client: httpx.Client) -> None:
    """What cannot be looked up opens nothing, with a key and without."""
    asked = [
        ("GET", "/v1/jobs", None), ("POST", "/v1/jobs", {"reelkiln": 1}), ("GET", "/v1/me", None),
        ("POST", "/v1/accounts", {"email": "a@example.org", "password": "x" * 20}),
        ("POST", "/v1/sessions", {"email": "a@example.org", "password": "x" * 20}),
        ("POST", "/v1/keys", {}), ("GET", "/metrics", None),
    ]  # fmt: skip
    for headers in ({}, {"X-API-Key": "rk_" + "0" * 16 + "_" + "0" * 64},
                    {"Cookie": "reelkiln_session=rs_" + "0" * 16 + "_" + "0" * 64}):  # fmt: skip
        for method, path, body in asked:
            told = client.request(method, path, json=body, headers=headers)
            assert (told.status_code, told.json()["code"]) == (503, "catalog-unavailable"), path
            assert told.headers["retry-after"]
            assert "postgres" not in told.text


def test_a_database_of_another_version_still_ends_the_start(
    tmp_path: Path, server: Postgres
) -> None:
    """Waiting does not mend it."""
    from sqlalchemy import text

    from daemon.kept import KeptUnavailable

    server.start()
    try:
        accounts = open_accounts(tmp_path, {"REELKILN_DATABASE_URL": server.address})
        made = accounts.keys.create(KeyWish(scopes=RENDER_AND_READ), now=time.time())
        assert accounts.keys.find(made.secret, now=time.time())
        with accounts.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version_kept SET version_num = 'k9999'"))
        accounts.close()
        with pytest.raises(KeptUnavailable, match="another version"):
            open_accounts(tmp_path, {"REELKILN_DATABASE_URL": server.address})
    finally:
        server.stop()
