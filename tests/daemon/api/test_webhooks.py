"""Webhooks over HTTP: registered under the guard, heard by their owner alone, listed, replayed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from daemon.accounts.keys import KeyWish
from daemon.accounts.types import RENDER_AND_READ, Scope
from daemon.api.context import ApiContext
from daemon.service import Service
from daemon.webhooks.deliveries import CALLBACK, OPERATOR
from daemon.webhooks.registering import MOST
from daemon.webhooks.sender import Sender
from daemon.webhooks.service import sender_for
from daemon.webhooks.signatures import is_secret, new_secret
from daemon.webhooks.store import WebhookStore
from tests.daemon.api.conftest import context_of, listening
from tests.daemon.webhook_contract import delivery, put
from tests.renderer import web as w
from tests.renderer.web import Web, serving

_LOOPBACK = "127.0.0.1"
OPERATORS = new_secret()


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as web:
        web.answers["/hook"] = w.body(b"")
        yield web


@dataclass
class Stage:
    client: httpx.Client
    context: ApiContext
    store: WebhookStore
    sender: Sender

    def ask(self, who: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"X-API-Key": KEYS[who]}
        return self.client.request(method, f"/v1/webhooks{path}", headers=headers, **more)

    def added(self, who: str, url: str, **more: Any) -> dict[str, Any]:
        told = self.ask(who, "POST", "", json={"url": url, **more})
        assert told.status_code == 201, told.text
        assert told.headers["location"] == f"/v1/webhooks/{told.json()['webhook_id']}"
        found: dict[str, Any] = told.json()
        return found


KEYS: dict[str, str] = {}
ROLES = {
    "ada": KeyWish(scopes=RENDER_AND_READ, owner="ada"),
    "ada in the north": KeyWish(scopes=RENDER_AND_READ, owner="ada", world="north"),
    "ada in the south": KeyWish(scopes=RENDER_AND_READ, owner="ada", world="south"),
    "bob": KeyWish(scopes=RENDER_AND_READ, owner="bob"),
    "reader": KeyWish(scopes=frozenset({Scope.READ}), owner="ada"),
    "admin": KeyWish(scopes=frozenset({Scope.ADMIN}), owner="root"),
}


def on_stage(service: Service, networks: str) -> Iterator[Stage]:
    environment = {"REELKILN_ALLOW_NETWORKS": networks, "REELKILN_WEBHOOK_SECRET": OPERATORS}
    context = replace(context_of(service), environment=environment)
    store = WebhookStore(engine=context.access.accounts.engine)
    for name, wish in ROLES.items():
        KEYS[name] = context.access.accounts.keys.create(wish, now=time.time()).secret
    sender = sender_for(
        service.fs, service.places, environment, networks, service.settings.limits, time.time
    )
    with listening(context) as client:
        yield Stage(client, context, store, sender)
    sender.stop()


@pytest.fixture
def stage(service: Service) -> Iterator[Stage]:
    yield from on_stage(service, _LOOPBACK)


@pytest.fixture
def guarded(service: Service) -> Iterator[Stage]:
    """No network but the public one may be sent to."""
    yield from on_stage(service, "")


def test_a_receiver_is_registered_listed_and_removed_and_its_secret_is_shown_once(
    stage: Stage, web: Web
) -> None:
    made = stage.added("ada", web.url("/hook?token=hidden"), events=["job.failed"])
    assert is_secret(made.pop("secret"))
    assert (made["events"], made["owner"], made["world"]) == (["job.failed"], "ada", "")
    assert made["url"] == web.url("/hook")
    (listed,) = stage.ask("ada", "GET", "").json()["webhooks"]
    assert listed == stage.ask("ada", "GET", f"/{made['webhook_id']}").json() == made
    kept = stage.store.endpoint(made["webhook_id"])
    assert kept is not None
    assert kept.url == web.url("/hook?token=hidden")
    answers = [stage.ask(who, "GET", "").text for who in KEYS]
    assert not any("whsec_" in text or "hidden" in text for text in answers)
    put(stage.store, delivery(1, endpoint=made["webhook_id"], owner="ada"))
    assert stage.ask("ada", "DELETE", f"/{made['webhook_id']}").status_code == 204
    assert stage.ask("ada", "GET", f"/{made['webhook_id']}").status_code == 404
    assert stage.ask("ada", "GET", "").json() == {"webhooks": []}
    assert stage.store.take(time.time()) is None
    assert stage.store.newest()[0].last_error == "the endpoint was removed"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.0.0.1:8080/v1/jobs", "https://localhost/hook",
        "https://[::1]/", "https://0.0.0.0/", "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/", "https://192.168.0.1/", "https://[::ffff:127.0.0.1]/",
        "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://100.64.0.1/",
        "http://93.184.216.34/",
    ],
)  # fmt: skip
def test_an_address_inside_or_in_plain_text_is_refused_when_it_is_registered(
    guarded: Stage, url: str
) -> None:
    told = guarded.ask("ada", "POST", "", json={"url": url})
    assert (told.status_code, told.json()["code"]) == (422, "receiver-refused"), told.text
    assert guarded.store.endpoints_of(None) == ()


@pytest.mark.parametrize(
    "asked",
    [
        {"url": "ftp://a.test/"}, {"url": "https://ada:secret@93.184.216.34/"}, {"url": "a"},
        {"url": "https://93.184.216.34/", "events": []}, {"url": "https://93.184.216.34/ b"},
        {"url": "https://93.184.216.34/", "events": ["job.began"]}, {},
        {"url": "https://93.184.216.34/", "secret": "mine"},
        {"url": "https://93.184.216.34/", "world": "a/b"}, {"url": "https://" + "a" * 2000},
    ],
)  # fmt: skip
def test_what_is_no_receiver_is_refused(guarded: Stage, asked: dict[str, Any]) -> None:
    assert guarded.ask("ada", "POST", "", json=asked).status_code == 422
    assert guarded.store.endpoints_of(None) == ()


def test_what_was_registered_is_guarded_again_at_each_attempt(
    stage: Stage, service: Service, web: Web
) -> None:
    """It may lead elsewhere by then, or be allowed no more."""
    made = stage.added("ada", web.url("/hook"))
    put(stage.store, delivery(1, endpoint=made["webhook_id"], owner="ada", url=web.url("/hook")))
    strict = sender_for(
        service.fs, service.places, {"REELKILN_WEBHOOK_SECRET": OPERATORS}, "",
        service.settings.limits, time.time,
    )  # fmt: skip
    assert strict.send_due() == 1
    assert web.requests == []
    path = f"/{made['webhook_id']}/deliveries"
    (one,) = stage.ask("ada", "GET", path).json()["deliveries"]
    assert (one["state"], one["last_status"]) == ("failed", None)
    stage.ask("ada", "POST", f"{path}/{one['message_id']}/replay")
    assert strict.send_due() == 1
    assert web.requests == []
    strict.stop()


def test_a_delivery_is_listed_and_sent_again_with_the_secret_that_was_shown(
    stage: Stage, web: Web
) -> None:
    made = stage.added("ada", web.url("/hook"))
    path = f"/{made['webhook_id']}/deliveries"
    for number in range(1, 6):
        put(stage.store, delivery(
            number, endpoint=made["webhook_id"], owner="ada", url=web.url("/hook"),
            body=json.dumps({"number": number}),
        ))  # fmt: skip
    web.answers["/hook"] = w.body(b"secret words", 500)
    assert stage.sender.send_due() == 5
    found = stage.ask("ada", "GET", path).json()["deliveries"]
    assert [one["state"] for one in found] == ["pending"] * 5
    assert [one["last_status"] for one in found] == [500] * 5
    assert "secret words" not in json.dumps(found)
    web.answers["/hook"] = w.body(b"")
    again = stage.ask("ada", "POST", f"{path}/{found[0]['message_id']}/replay")
    assert (again.status_code, again.json()["attempts"]) == (202, 0)
    assert stage.sender.send_due() == 1
    headers, body = web.posts[-1]
    assert headers["webhook-id"] == found[0]["message_id"]
    assert Webhook(made["secret"]).verify(body, headers) == {"number": 5}
    (sent,) = stage.ask("ada", "GET", f"{path}?state=sent").json()["deliveries"]
    assert (sent["message_id"], sent["next_at"]) == (found[0]["message_id"], None)
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = stage.ask("ada", "GET", f"{path}?limit=2&cursor={cursor}").json()
        seen += [one["message_id"] for one in page["deliveries"]]
        cursor = page["cursor"]
    assert seen == [one["message_id"] for one in found]
    assert stage.ask("ada", "GET", f"{path}?cursor=x").status_code == 400
    for unknown in ("msg_x", "x", "msg_" + "Z" * 26):
        told = stage.ask("ada", "POST", f"{path}/{unknown}/replay")
        assert (told.status_code, told.json()["code"]) == (404, "webhook-unknown")


def test_a_new_secret_signs_beside_the_one_before_it(stage: Stage, web: Web) -> None:
    made = stage.added("ada", web.url("/hook"))
    secrets = [made["secret"]]
    for _ in range(2):
        told = stage.ask("ada", "POST", f"/{made['webhook_id']}/secret").json()
        secrets.append(told["secret"])
    put(stage.store, delivery(1, endpoint=made["webhook_id"], owner="ada", url=web.url("/hook")))
    stage.sender.send_due()
    ((headers, body),) = web.posts
    for secret in secrets[1:]:
        Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0]).verify(body, headers)


def test_a_stranger_learns_nothing_and_moves_nothing(stage: Stage, web: Web) -> None:
    made = stage.added("ada", web.url("/hook"), world="north")
    here = f"/{made['webhook_id']}"
    hers = delivery(1, endpoint=made["webhook_id"], owner="ada", world="north")
    put(stage.store, hers, delivery(2, endpoint=CALLBACK, owner="ada", world="north"))
    put(stage.store, delivery(3, endpoint=OPERATOR, owner="ada", world="north"))
    asked = [
        ("GET", ""), ("DELETE", ""), ("POST", "/secret"), ("GET", "/deliveries"),
        ("POST", f"/deliveries/{hers.message_id}/replay"),
    ]  # fmt: skip
    for who in ("bob", "ada in the south"):
        for method, path in asked:
            theirs = stage.ask(who, method, here + path)
            nobodys = stage.ask(who, method, "/" + "Z" * 26 + path)
            assert theirs.status_code == nobodys.status_code == 404
            assert theirs.json()["detail"] == nobodys.json()["detail"]
        assert stage.ask(who, "GET", "").json() == {"webhooks": []}
        assert stage.ask(who, "GET", "/callback/deliveries").json()["deliveries"] == []
        told = stage.ask(who, "POST", f"/callback/deliveries/{delivery(2).message_id}/replay")
        assert told.status_code == 404
    for who in ("ada", "ada in the north", "admin"):
        assert len(stage.ask(who, "GET", "").json()["webhooks"]) == 1
        assert len(stage.ask(who, "GET", "/callback/deliveries").json()["deliveries"]) == 1
        assert len(stage.ask(who, "GET", f"{here}/deliveries").json()["deliveries"]) == 1
    for who in set(KEYS) - {"admin"}:
        assert stage.ask(who, "GET", "/operator/deliveries").status_code == 404
    assert len(stage.ask("admin", "GET", "/operator/deliveries").json()["deliveries"]) == 1
    assert stage.ask("admin", "DELETE", "/operator").status_code == 404
    assert stage.ask("reader", "DELETE", here).status_code == 403
    assert stage.ask("reader", "GET", here).status_code == 200


def test_a_key_of_a_world_registers_for_that_world_alone(stage: Stage, web: Web) -> None:
    assert stage.added("ada in the north", web.url("/hook"))["world"] == "north"
    told = stage.ask("ada in the north", "POST", "", json={"url": web.url("/"), "world": "south"})
    assert (told.status_code, told.json()["code"]) == (403, "scope-missing")
    stage.added("ada", web.url("/hook"), world="south")
    stage.added("ada", web.url("/hook"))
    heard = {world: {one.world for one in stage.store.hearing("ada", world)}
             for world in ("north", "south", "", "elsewhere")}  # fmt: skip
    assert heard == {
        "north": {"north", ""}, "south": {"south", ""}, "": {""}, "elsewhere": {""},
    }  # fmt: skip
    assert stage.store.hearing("bob", "north") == ()


def test_there_is_an_end_to_how_many_receivers_an_owner_has(stage: Stage, web: Web) -> None:
    for _ in range(MOST):
        stage.added("ada", web.url("/hook"))
    told = stage.ask("ada", "POST", "", json={"url": web.url("/hook")})
    assert (told.status_code, told.json()["code"]) == (409, "too-many-webhooks")
    stage.added("bob", web.url("/hook"))


def test_a_callback_is_signed_for_every_receiver_of_its_owner(stage: Stage, web: Web) -> None:
    secrets = [stage.added("ada", web.url("/hook"))["secret"] for _ in range(3)]
    foreign = stage.added("bob", web.url("/hook"))["secret"]
    put(stage.store, delivery(1, endpoint=CALLBACK, owner="ada", url=web.url("/hook")))
    stage.sender.send_due()
    ((headers, body),) = web.posts
    for secret in secrets:
        Webhook(secret).verify(body, headers)
    for other in (foreign, OPERATORS):
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(body, headers)
