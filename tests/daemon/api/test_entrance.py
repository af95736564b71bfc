"""The whole API behind its door: keys, worlds, idempotency and the cap of the queue."""

from __future__ import annotations

import time
from dataclasses import replace

import httpx

from daemon.accounts.keys import KeyWish
from daemon.accounts.types import RENDER_AND_READ
from daemon.api import ApiContext
from daemon.places import Places
from daemon.service import Service
from tests.daemon.api.conftest import SPEC, context_of, listening
from tests.daemon.no_tls import NO_TLS


def key_for(context: ApiContext, owner: str, world: str = "") -> dict[str, str]:
    wish = KeyWish(scopes=RENDER_AND_READ, owner=owner, world=world)
    made = context.access.accounts.keys.create(wish, now=time.time())
    return {"Authorization": f"Bearer {made.secret}"}


def drops(places: Places) -> int:
    return len(list(places.inbox.glob("*.json")))


def test_a_strangers_job_is_as_unknown_as_none(service: Service) -> None:
    context = context_of(service)
    with listening(context) as client:
        ada, bo = key_for(context, "ada"), key_for(context, "bo")
        job = client.post("/v1/jobs", json=SPEC, headers=ada).json()["job_id"]
        for method, rest in (("GET", ""), ("POST", "/cancel"), ("GET", "/events"),
                             ("GET", "/download"), ("GET", "/files")):  # fmt: skip
            answers = [
                client.request(method, f"/v1/jobs/{name}{rest}", headers=bo)
                for name in (job, "0" * 26)
            ]
            assert [answer.status_code for answer in answers] == [404, 404], (method, rest)
            assert answers[0].json()["detail"] == answers[1].json()["detail"]
        assert client.get("/v1/jobs", headers=bo).json()["jobs"] == []
        assert client.get(f"/v1/jobs/{job}", headers=ada).status_code == 200
        assert client.get(f"/v1/jobs/{job}").status_code == 401
        assert client.get("/health").json()["open"] is False


def test_a_key_of_one_world_hands_in_nothing_for_another(service: Service) -> None:
    context = context_of(service)
    with listening(context) as client:
        north = key_for(context, "ada", "north")
        answers = [
            client.post(f"/v1/jobs?world={world}&fresh=true", json=SPEC, headers=north)
            for world in ("north", "south", "")
        ]
        south = key_for(context, "ada", "south")
        ours = client.post("/v1/jobs", json=SPEC, headers=south).json()["job_id"]
        lists = [
            {job["job_id"] for job in client.get("/v1/jobs", headers=key).json()["jobs"]}
            for key in (north, south, key_for(context, "ada", ""))
        ]
        foreign = client.get(f"/v1/jobs/{ours}", headers=north)
        asked = client.get("/v1/jobs?world=south", headers=north)
    assert [answer.status_code for answer in answers] == [202, 403, 202]
    made = [answers[0].json(), answers[2].json()]
    assert [job["world"] for job in made] == ["north", "north"]
    theirs = {job["job_id"] for job in made}
    assert lists == [theirs, {ours}, theirs | {ours}]
    assert (foreign.status_code, asked.status_code) == (404, 403)


def test_one_idempotency_key_makes_one_job(service: Service) -> None:
    context = context_of(service)
    with listening(context) as client:
        key = {"Idempotency-Key": '"k1"'}
        first = client.post("/v1/jobs", json=SPEC, headers=key)
        again = client.post("/v1/jobs", json=SPEC, headers=key)
        other = client.post("/v1/jobs", json={**SPEC, "id": "other"}, headers=key)
        wrong = client.post("/v1/jobs", json={}, headers={"Idempotency-Key": '"k2"'})
        right = client.post(
            "/v1/jobs", json={**SPEC, "id": "third"}, headers={"Idempotency-Key": '"k2"'}
        )
    assert (first.status_code, again.content) == (202, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert [answer.status_code for answer in (other, wrong, right)] == [422, 422, 202]
    assert drops(service.places) == 2


def test_a_full_queue_takes_no_more(service: Service) -> None:
    context = context_of(service)
    settings = replace(context.access.settings, max_queued=2)
    context = replace(context, access=replace(context.access, settings=settings))
    with listening(context) as client:
        answers = [client.post("/v1/jobs?fresh=true", json=SPEC) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].headers["Retry-After"] == "10"
    assert answers[2].json()["code"] == "queue-full"
    assert drops(service.places) == 2


def test_a_changed_password_ends_every_session(client: httpx.Client) -> None:
    ada = {"email": "ada@example.org", "password": "lighthouses of the north"}
    assert client.post("/v1/accounts", json=ada).status_code == 201
    other = httpx.Client(base_url=client.base_url, timeout=30, verify=NO_TLS)
    tokens = [at.post("/v1/sessions", json=ada).json()["csrf_token"] for at in (other, client)]
    csrf = {"X-CSRF-Token": tokens[1]}

    def change(old: str, new: str) -> tuple[int, str]:
        told = client.put("/v1/me/password", json={"old": old, "new": new}, headers=csrf)
        return told.status_code, told.json()["code"] if told.content else ""

    new = "lighthouses of the south"
    assert change("not the password", new) == (403, "password-wrong")
    assert change(ada["password"], "short") == (422, "password-unfit")
    assert other.get("/v1/me").status_code == 200
    assert change(ada["password"], new) == (204, "")
    assert [at.get("/v1/me").status_code for at in (other, client)] == [401, 401]
    assert client.post("/v1/sessions", json=ada).status_code == 401
    assert client.post("/v1/sessions", json=ada | {"password": new}).status_code == 201
    other.close()


def test_people_and_keys_are_part_of_the_api(client: httpx.Client) -> None:
    ada = {"email": "ada@example.org", "password": "lighthouses of the north"}
    assert client.post("/v1/accounts", json=ada).status_code == 201
    begun = client.post("/v1/sessions", json=ada).json()
    token = {"X-CSRF-Token": begun["csrf_token"]}
    job = client.post("/v1/jobs", json=SPEC, headers=token)
    assert job.status_code == 202
    assert client.post("/v1/jobs", json=SPEC).status_code == 403
    key = client.post("/v1/keys", json={}, headers=token).json()["key"]
    client.cookies.clear()
    found = client.get("/v1/jobs", headers={"X-API-Key": key}).json()["jobs"]
    assert [one["job_id"] for one in found] == [job.json()["job_id"]]
