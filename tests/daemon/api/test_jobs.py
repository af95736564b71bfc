"""Jobs over HTTP: handed in, looked at, listed, cancelled."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from daemon.jobs import Job, JobState
from daemon.service import Service
from tests.daemon.api.conftest import SPEC, context_of, ended, listening, until
from tests.daemon.running import at_work

YAML = b"reelkiln: 1\ntracks: [{clips: [{text: Hello, length: 1s}]}]\n"


def test_a_posted_spec_is_a_drop_with_a_known_id(client: httpx.Client, service: Service) -> None:
    answer = client.post("/v1/jobs?priority=high", json=SPEC)
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == job["links"]["self"] == f"/v1/jobs/{job['job_id']}"
    assert int(answer.headers["retry-after"]) > 0
    assert (job["status"], job["priority"], job["error"]) == ("queued", "high", None)
    dropped = service.places.inbox / "high" / f"{job['job_id']}.json"
    assert json.loads(dropped.read_bytes()) == SPEC
    shown = client.get(answer.headers["location"])
    assert shown.json() == job
    assert [entry["job_id"] for entry in client.get("/v1/jobs").json()["jobs"]] == [job["job_id"]]


@pytest.mark.parametrize("is_near", [False, True])
def test_a_record_is_found_wherever_it_lies(service: Service, is_near: bool) -> None:
    with listening(replace(context_of(service), is_near=is_near)) as client:
        job = client.post("/v1/jobs", json=SPEC).json()
        assert client.get(f"/v1/jobs/{job['job_id']}").json() == job
        unknown = client.get("/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    "media_type", ["application/yaml", "text/yaml", "text/yaml; charset=UTF-8"]
)
def test_yaml_is_taken_as_it_is(client: httpx.Client, service: Service, media_type: str) -> None:
    answer = client.post("/v1/render", content=YAML, headers={"Content-Type": media_type})
    assert answer.status_code == 202, answer.text
    name = f"{answer.json()['job_id']}.yaml"
    assert (service.places.inbox / name).read_bytes() == YAML


def test_a_wrong_spec_is_refused_at_once_with_every_fault_and_makes_no_job(
    client: httpx.Client,
) -> None:
    wrong = b"reelkiln: 1\ntracks:\n  - clips:\n      - {imagee: a.png}\n      - {text: 5}\n"
    for path in ("/v1/jobs", "/v1/check"):
        answer = client.post(path, content=wrong, headers={"Content-Type": "application/yaml"})
        told = answer.json()
        assert answer.status_code == told["status"] == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert (told["code"], told["instance"]) == ("spec-invalid", path)
        assert told["request_id"] == answer.headers["x-request-id"]
        first = told["errors"][0]
        assert (first["line"], first["column"]) == (4, 10)
        assert first["pointer"] == "/tracks/0/clips/0/imagee"
        assert "image" in first["hint"]
    assert client.get("/v1/jobs").json() == {"jobs": [], "cursor": None}


def test_a_topic_alone_is_short_for_a_document_of_that_kind(client: httpx.Client) -> None:
    short = client.post("/v1/check", json={"topic": "Lighthouses"})
    document = json.dumps({"reelkiln": 1, "kind": "topic", "topic": "Lighthouses"})
    json_type = {"Content-Type": "application/json"}
    long = client.post("/v1/check", content=document, headers=json_type)
    assert short.status_code == long.status_code
    same = {"errors", "code", "valid", "spec_digest"}
    assert _only(short.json(), same) == _only(long.json(), same)
    assert client.post("/v1/check", json={"titel": "Lighthouses"}).json()["errors"] != (
        short.json().get("errors")
    )


def test_a_posted_topic_is_a_job_with_its_brand_and_a_storyboard_that_is_there(
    client: httpx.Client, service: Service
) -> None:
    brand = 'reelkiln_brand: 1\nname: Acme\ncolours: {primary: "#7a1f3d"}\n'
    media = service.places.root / "media"
    media.mkdir(exist_ok=True)
    (media / "brand.yaml").write_text(brand)
    answer = client.post("/v1/jobs", json={"topic": "Lighthouses", "brand": "brand.yaml"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["kind"] == "topic"
    plain = client.post("/v1/check", json={"topic": "Lighthouses"}).json()
    named = {"topic": "Lighthouses", "brand": "brand.yaml"}
    assert client.post("/v1/check", json=named).json()["spec_digest"] != plain["spec_digest"]
    wrong = client.post("/v1/jobs", json={"topic": "Lighthouses", "storyboard": "explaner"})
    assert wrong.status_code == 422
    fault = wrong.json()["errors"][0]
    assert (fault["code"], fault["pointer"]) == ("storyboard-unknown", "/storyboard")


def test_checking_makes_no_job(client: httpx.Client) -> None:
    told = client.post("/v1/check", json=SPEC).json()
    assert (told["valid"], told["id"], told["kind"]) == (True, "hello", "video")
    assert client.get("/v1/jobs").json()["jobs"] == []


def test_a_job_is_rendered_to_a_bundle(rendered: dict[str, Any]) -> None:
    assert (rendered["status"], rendered["progress"]) == ("succeeded", 100)
    assert rendered["bundle"].startswith("hello-")
    assert rendered["links"]["cancel"] is None
    assert rendered["started_at"].endswith("Z")


def test_a_queued_job_is_cancelled_and_an_ended_one_says_what_is_legal(
    client: httpx.Client, service: Service
) -> None:
    job = client.post("/v1/jobs", json=SPEC).json()
    asked = client.post(job["links"]["cancel"])
    assert (asked.status_code, asked.json()["job_id"]) == (202, job["job_id"])
    with at_work(service):
        assert until(lambda: ended(client, job["job_id"]))["status"] == "cancelled"
    again = client.post(job["links"]["cancel"])
    assert (again.status_code, again.json()["code"]) == (409, "illegal-move")
    assert again.json()["legal"] == []


def test_jobs_are_listed_by_filters_and_pages(client: httpx.Client, service: Service) -> None:
    for number in range(5):
        service.index.put(_job(number))
    first = client.get("/v1/jobs", params={"limit": 2, "created_from": "1970-01-01T00:00:01Z"})
    assert [job["job_id"][-1] for job in first.json()["jobs"]] == ["4", "3"]
    second = client.get(first.links["next"]["url"])
    assert [job["job_id"][-1] for job in second.json()["jobs"]] == ["2", "1"]
    assert (second.links, second.json()["cursor"]) == ({}, None)
    wanted: dict[str, str]
    for wanted, expected in (
        ({"status": "failed"}, ["3", "1"]),
        ({"status": "succeeded"}, []),
        ({"owner": "ada"}, ["4"]),
        ({"spec_sha256": "2" * 64}, ["2"]),
        ({"kind": "longform"}, ["0"]),
        ({"created_before": "1970-01-01T00:00:01Z"}, ["0"]),
    ):
        found = client.get("/v1/jobs", params=wanted).json()["jobs"]
        assert [job["job_id"][-1] for job in found] == expected, wanted


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "stauts=failed", "status=done", "cursor=%00", "cursor=W10",
     "cursor=WyIweDBwKzAiLCAiXHVkODAwIl0",
     "created_from=today", "created_from=0001-01-01T00:00:00%2B23:59", "limit=1&limit=2"],
)  # fmt: skip
def test_a_query_that_is_wrong_is_a_problem(working: httpx.Client, query: str) -> None:
    answer = working.get(f"/v1/jobs?{query}")
    if "0001" not in query:
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code < 500


@pytest.mark.parametrize("job_id", ["0" * 26, "x", "..%2F..%2Fetc", "%ff", "A" * 300])
@pytest.mark.parametrize("rest", ["", "/events", "/download", "/files", "/files/a.mp4"])
def test_an_unknown_job_is_not_found_whatever_is_asked(
    working: httpx.Client, job_id: str, rest: str
) -> None:
    answer = working.get(f"/v1/jobs/{job_id}{rest}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_names_that_are_no_text_are_shown_all_the_same(
    client: httpx.Client, service: Service
) -> None:
    service.index.put(_job(0, name="b\udcff.yaml", error={"code": "x", "message": "\udcfe"}))
    (job,) = client.get("/v1/jobs").json()["jobs"]
    assert (job["name"], job["error"]["detail"]) == ("b\ufffd.yaml", "\ufffd")


def _job(number: int, **more: Any) -> Job:
    plain: dict[str, Any] = {
        "job_id": f"{number:026d}", "name": "a.yaml", "created_at": float(number),
        "state": JobState.FAILED if number % 2 else JobState.QUEUED,
        "kind": "video" if number else "longform", "spec_sha256": f"{number}" * 64,
        "owner": "ada" if number == 4 else "",
    }  # fmt: skip
    return Job(**(plain | more))


def _only(told: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name in names}
