"""`reelkiln webhooks`, and webhooks of a daemon, from outside."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from daemon.cli import main
from daemon.kept import open_kept
from daemon.webhooks.signatures import is_secret, new_secret
from daemon.webhooks.store import WebhookStore
from tests.daemon.test_service import serving as daemon_serving
from tests.daemon.test_service import until
from tests.daemon.webhook_contract import delivery
from tests.renderer import web as w
from tests.renderer.web import Web, serving

SECRET = new_secret()
SPEC = """\
reelkiln: 1
callback: {url: "%s", events: [%s]}
output: {size: 64x36, fps: 10, quality: draft}
tracks: [{clips: [%s]}]
"""


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as web:
        web.answers["/hook"] = w.body(b"secret words")
        yield web


@pytest.fixture(autouse=True)
def operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELKILN_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("REELKILN_ALLOW_NETWORKS", "127.0.0.1")


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["reelkiln", "webhooks", *words])
    status = 0
    try:
        main()
    except SystemExit as done:
        status = int(done.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_daemon_tells_of_jobs_that_succeed_and_of_refused_ones(tmp_path: Path, web: Web) -> None:
    (tmp_path / "inbox").mkdir()
    ends = "job.succeeded, job.failed"
    good = SPEC % (web.url("/hook"), ends, '{colour: "#123456", length: 1s}')
    with daemon_serving(tmp_path) as child:
        until((tmp_path / "outbox" / "receipts").exists, child, tmp_path)
        for name, text in (("a.yaml", good), ("b.yaml", good.replace("colour", "color"))):
            (tmp_path / ".part").write_text(text)
            (tmp_path / ".part").rename(tmp_path / "inbox" / name)
        until(lambda: len(web.posts) == 2, child, tmp_path)
    told = {body["type"]: body["data"] for body in (
        Webhook(SECRET).verify(body, headers) for headers, body in web.posts
    )}  # fmt: skip
    assert told["job.succeeded"]["name"] == "a.yaml"
    assert (tmp_path / "outbox" / told["job.succeeded"]["bundle"]).is_dir()
    assert told["job.failed"]["error"]["code"] == "spec-invalid"


def test_deliveries_are_listed_and_sent_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = WebhookStore(engine=open_kept(tmp_path, {}))
    sent = delivery(1, url="https://h1.test/hook?token=secret", created_at=time.time())
    store.settle(sent.job_id, (sent,))
    taken = store.take(time.time())
    assert taken is not None
    store.give_up(taken, "it answered 500", time.time(), 500)
    root = ("--root", str(tmp_path))
    status, out, _ = run(capsys, monkeypatch, "list", *root)
    assert status == 0
    assert "failed" in out
    assert "it answered 500" in out
    assert "secret" not in out
    status, out, _ = run(capsys, monkeypatch, "list", *root, "--job", sent.job_id, "--json")
    (one,) = json.loads(out)["deliveries"]
    assert (one["state"], one["last_status"], one["url"]) == (
        "failed", 500, "https://h1.test/hook",
    )  # fmt: skip
    assert run(capsys, monkeypatch, "replay", sent.job_id, *root)[:2] == (0, "1 to send\n")
    again = store.take(time.time())
    assert again == replace(
        sent, state=again.state if again else sent.state, attempts=1,
        next_at=again.next_at if again else 0.0, updated_at=again.updated_at if again else 0.0,
        last_status=500, last_error="it answered 500",
    )  # fmt: skip
    status, _, err = run(capsys, monkeypatch, "replay", "nobody", *root)
    assert (status, "there are no webhooks" in err) == (2, True)
    store.engine.dispose()


def test_an_address_can_be_tried(
    web: Web, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, _ = run(capsys, monkeypatch, "test", web.url("/hook"), "--json")
    assert (status, json.loads(out)["status"]) == (0, 200)
    ((headers, body),) = web.posts
    assert Webhook(SECRET).verify(body, headers)["type"] == "webhook.test"
    web.answers["/hook"] = w.body(b"secret words", 500)
    status, out, err = run(capsys, monkeypatch, "test", web.url("/hook"))
    assert (status, "answered 500" in err, "secret words" in out + err) == (1, True, False)
    monkeypatch.delenv("REELKILN_ALLOW_NETWORKS")
    status, _, err = run(capsys, monkeypatch, "test", web.url("/hook"))
    assert (status, "not a public address" in err) == (4, True)
    monkeypatch.delenv("REELKILN_WEBHOOK_SECRET")
    assert run(capsys, monkeypatch, "test", web.url("/hook"))[0] == 2
    assert len(web.posts) == 2


def test_a_new_secret_is_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_secret(run(capsys, monkeypatch, "secret")[1].strip())


def test_receivers_are_added_listed_and_removed(
    tmp_path: Path, web: Web, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = ("--root", str(tmp_path))
    url = web.url("/hook?token=hidden")
    status, out, err = run(
        capsys, monkeypatch, "add", url, *root, "--owner", "ada", "--event", "job.failed"
    )
    assert (status, is_secret(out.strip())) == (0, True)
    assert "whsec_" not in err
    status, listed, _ = run(capsys, monkeypatch, "receivers", *root, "--json")
    (one,) = json.loads(listed)["webhooks"]
    assert (one["owner"], one["events"], one["url"]) == ("ada", ["job.failed"], web.url("/hook"))
    assert "ada" in run(capsys, monkeypatch, "receivers", *root)[1]
    assert run(capsys, monkeypatch, "receivers", *root, "--owner", "bob")[1] == ""
    store = WebhookStore(engine=open_kept(tmp_path, {}))
    for endpoint in (one["webhook_id"], "callback"):
        sent = delivery(1, endpoint=endpoint)
        store.settle(sent.job_id, (sent,))
    store.engine.dispose()
    replayed = run(capsys, monkeypatch, "replay", sent.job_id, *root, "--to", "callback")
    assert replayed[:2] == (0, "1 to send\n")
    assert run(capsys, monkeypatch, "remove", one["webhook_id"], *root)[0] == 0
    assert run(capsys, monkeypatch, "remove", one["webhook_id"], *root)[0] == 2
    assert run(capsys, monkeypatch, "remove", "operator", *root)[0] == 2
    monkeypatch.delenv("REELKILN_ALLOW_NETWORKS")
    status, out, err = run(capsys, monkeypatch, "add", url, *root)
    assert (status, out, "not a public address" in err) == (4, "", True)
