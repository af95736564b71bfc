"""Assets and worlds over HTTP: what is taken, what is shown, and to whom."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from daemon.service import Service
from renderer.digest import digest_of_bytes
from tests.daemon.api.conftest import SPEC, context_of, listening, until


def picture() -> bytes:
    stream = BytesIO()
    Image.new("RGB", (8, 4), "teal").save(stream, "PNG")
    return stream.getvalue()


def made(client: httpx.Client, **more: Any) -> dict[str, Any]:
    headers = {"Content-Type": "image/png", **more.pop("headers", {})}
    told = client.post("/v1/assets", params=more, content=picture(), headers=headers)
    assert told.status_code == 201, told.text
    assert told.headers["location"] == told.json()["links"]["self"]
    found: dict[str, Any] = told.json()
    return found


def test_a_file_and_a_value_become_assets(client: httpx.Client, service: Service) -> None:
    file = made(client, label="ü.png", world="north", tags="red, blue", asset_type="thumbnail")
    assert (file["kind"], file["status"], file["media_type"]) == ("file", "available", "image/png")
    assert (file["tags"], file["world"], file["size_bytes"]) == (
        ["blue", "red"],
        "north",
        len(picture()),
    )
    told = client.get(file["links"]["content"])
    assert told.content == picture()
    assert "filename*=UTF-8''%C3%BC.png" in told.headers["content-disposition"]
    value = client.post("/v1/assets?kind=value&label=v", content=b'{"b": [1, null]}').json()
    assert (value["kind"], value["value"]) == ("value", {"b": [1, None]})
    assert client.get(value["links"]["content"]).json() == {"b": [1, None]}
    assert list(service.places.own("incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("query", "headers", "body", "code"),
    [
        ("", {"Content-Type": "image/png"}, b"no picture", "asset-content-refused"),
        ("", {"Content-Type": "image/png"}, b"", "asset-content-refused"),
        ("?kind=value", {}, b"{", "bad-request"),
        ("?kind=value", {}, b"NaN", "bad-request"),
        ("?kind=value", {}, b'"' + b"x" * (1 << 20) + b'"', "body-too-large"),
        ("?kind=value&owner=bo", {}, b"1", "query-refused"),
    ],
)
def test_other_bodies_are_refused_and_leave_nothing(
    client: httpx.Client, service: Service, query: str, headers: dict[str, str], body: bytes,
    code: str,
) -> None:  # fmt: skip
    told = client.post(f"/v1/assets{query}", content=body, headers=headers)
    assert told.json()["code"] == code, told.text
    assert client.get("/v1/assets").json()["assets"] == []
    incoming = service.places.own("incoming")
    assert not incoming.exists() or list(incoming.iterdir()) == []


def test_a_deleted_asset_is_gone_but_for_its_record(client: httpx.Client) -> None:
    asset = made(client, visibility="public")
    assert client.get(asset["links"]["public"]).content == picture()
    assert client.delete(asset["links"]["self"]).status_code == 204
    assert client.delete(asset["links"]["self"]).json()["code"] == "illegal-asset-move"
    assert client.get(f"/asset/{asset['asset_id']}").status_code == 404
    assert client.get(f"{asset['links']['self']}/content").json()["code"] == "asset-not-there"
    assert client.get(asset["links"]["self"]).json()["status"] == "deleted"
    assert client.get("/v1/assets?count=true").json() == {"assets": [], "cursor": None, "count": 0}
    assert len(client.get("/v1/assets?status=deleted").json()["assets"]) == 1


def test_strangers_and_keys_of_other_worlds_learn_nothing(client: httpx.Client) -> None:
    keys: dict[str, str] = {}
    for who, wish in {
        "root": {"owner": "root", "scopes": ["render", "read", "admin"]},
        "ada": {"owner": "ada"},
        "north": {"owner": "ada", "world": "north"},
        "bo": {"owner": "bo"},
    }.items():
        told = client.post("/v1/keys", json=wish, headers=bearer(keys.get("root", "")))
        keys[who] = told.json()["key"]
    ada, north, bo, root = (bearer(keys[who]) for who in ("ada", "north", "bo", "root"))
    asset = made(client, world="south", headers=ada)
    here = asset["links"]["self"]
    for stranger in (bo, north):
        nobodys = client.get(f"/v1/assets/{'0' * 26}", headers=stranger)
        for method, path in (
            ("GET", here), ("GET", f"{here}/content"), ("GET", f"{here}/lineage"),
            ("DELETE", here), ("PUT", f"{here}/visibility"),
        ):  # fmt: skip
            told = client.request(method, path, headers=stranger)
            assert (told.status_code, told.json()["detail"]) == (404, nobodys.json()["detail"])
        assert client.get("/v1/assets", headers=stranger).json()["assets"] == []
    assert client.get("/v1/assets?owner=ada", headers=bo).status_code == 403
    assert client.get("/v1/assets?world=south", headers=north).status_code == 403
    assert len(client.get("/v1/assets?owner=ada", headers=root).json()["assets"]) == 1
    assert client.get(here, headers=root).status_code == 200
    assert client.put("/v1/worlds/south", json={}, headers=north).status_code == 403
    for who in (ada, north):
        assert client.put("/v1/worlds/north", json={"title": "N"}, headers=who).status_code == 200
    things = {"claims": ["c1"]}
    assert client.post("/v1/worlds/north/references", json=things, headers=bo).status_code == 404
    client.post("/v1/worlds/north/references", json=things, headers=ada)
    assert client.get("/v1/worlds/north", headers=bo).status_code == 404
    assert client.get("/v1/worlds", headers=bo).json() == {"worlds": []}
    spec = {**SPEC, "provenance": {"world": "north", "references": things}}
    assert client.post("/v1/jobs", json=spec, headers=bo).json()["code"] == "provenance-refused"
    first = client.post("/v1/jobs", json=spec, headers=ada)
    assert first.status_code == 202
    again = client.post("/v1/jobs?world=north", json=spec, headers=north)
    assert (again.status_code, again.json()["job_id"]) == (202, first.json()["job_id"])
    assert client.post("/v1/jobs?world=south", json=spec, headers=ada).status_code == 400
    client.put("/v1/worlds/north", json={}, headers=bo)
    client.post("/v1/worlds/north/references", json=things, headers=bo)
    theirs = client.post("/v1/jobs", json=spec, headers=bo)
    assert theirs.status_code == 202
    jobs = client.get("/v1/worlds/north/jobs?kind=claim&id=c1", headers=bo).json()
    assert [job["job_id"] for job in jobs["jobs"]] == [theirs.json()["job_id"]]


def test_a_cancelled_job_does_not_stand_for_an_equal_request(
    client: httpx.Client, service: Service
) -> None:
    spec = {**SPEC, "provenance": {"model": "m"}}
    first = client.post("/v1/jobs", json=spec).json()["job_id"]
    assert client.post("/v1/jobs", json=spec).json()["job_id"] == first
    record = service.places.submitted(first)
    told = json.loads(record.read_text())
    record.write_text(json.dumps({**told, "state": "cancelled"}))
    again = client.post("/v1/jobs", json=spec)
    assert again.status_code == 202
    assert again.json()["job_id"] != first


def test_things_of_a_world_come_in_pages(client: httpx.Client) -> None:
    assert client.put("/v1/worlds/north", json={"title": "N"}).json()["things"]["claim"] == 0
    things = {"claims": [f"c{n}" for n in range(5)], "sources": [{"id": "s", "title": "S"}]}
    client.post("/v1/worlds/north/references", json=things)
    here = "/v1/worlds/north/references?kind=claim&limit=3"
    page = client.get(here).json()
    rest = client.get(f"{here}&after={page['after']}").json()
    assert [one["id"] for one in page["things"] + rest["things"]] == things["claims"]
    assert rest["after"] is None
    wrong = client.post("/v1/worlds/north/references", json={"claims": ["a\nb"]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "world-unfit")
    assert client.get("/v1/assets?claim=c1").status_code == 400
    assert client.get("/v1/assets?claim=c1&source=s&world=north").status_code == 400


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def test_a_proven_upload_becomes_an_asset(client: httpx.Client) -> None:
    data = picture()
    promise = {
        "media_type": "image/png", "size_bytes": len(data), "file_name": "p.png",
        "sha256": digest_of_bytes(data),
    }  # fmt: skip
    told = client.post("/v1/assets/presign-upload", json=promise).json()
    sent = told["request"]
    put = client.request(sent["method"], sent["url"], content=data, headers=sent["headers"])
    assert put.status_code == 200
    done = client.post(f"/v1/uploads/{told['upload_id']}/complete").json()
    assert done["asset_id"] == told["upload_id"]
    asset = client.get(f"/v1/assets/{done['asset_id']}").json()
    assert (asset["label"], asset["sha256"]) == ("p.png", promise["sha256"])
    assert client.get(asset["links"]["content"]).content == data


def test_a_link_fetches_what_an_asset_holds_for_a_while_and_nothing_else(
    working: httpx.Client, rendered: dict[str, Any]
) -> None:
    def link(asset: dict[str, Any], **more: Any) -> str:
        told = working.post(f"/v1/assets/{asset['asset_id']}/presign-download", json=more)
        assert told.status_code == 200, told.text
        url = told.json()["url"]
        assert isinstance(url, str)
        return url

    sent = working.post("/v1/assets?label=a.txt", content=b"told",
                        headers={"Content-Type": "text/plain"}).json()  # fmt: skip
    value = working.post("/v1/assets?kind=value", json={"a": 1}).json()
    jobs = f"/v1/jobs/{rendered['job_id']}/assets"
    video = next(one for one in until(lambda: working.get(jobs).json()["assets"])
                 if one["asset_type"] == "video")  # fmt: skip
    whole = working.get(video["links"]["content"]).content
    assert working.get(link(sent)).content == b"told"
    assert "a.txt" in working.get(link(sent)).headers["content-disposition"]
    assert working.get(link(value)).json() == {"a": 1}
    url = link(video, expires_s=60)
    part = working.get(url, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, whole[:4])
    other = url.replace(video["asset_id"], sent["asset_id"])
    for changed in (other, url.replace("expires=1", "expires=2"), url.partition("?")[0]):
        assert working.get(changed).status_code in (400, 403), changed
    pending = working.post("/v1/assets?status=pending&media_type=text/plain").json()
    refused = working.post(f"/v1/assets/{pending['asset_id']}/presign-download", json={})
    assert refused.json()["code"] == "asset-not-there"
    too_long = working.post(f"/v1/assets/{sent['asset_id']}/presign-download",
                            json={"expires_s": 7 * 24 * 3600 + 1})  # fmt: skip
    assert too_long.status_code == 422
    gone = link(value)
    assert working.delete(f"/v1/assets/{value['asset_id']}").status_code == 204
    assert working.get(gone).status_code == 404


def test_a_link_is_over_when_its_time_is(service: Service) -> None:
    shift = [0.0]
    context = replace(context_of(service), clock=lambda: time.time() + shift[0])
    with listening(context) as client:
        value = client.post("/v1/assets?kind=value", json=1).json()
        here = f"/v1/assets/{value['asset_id']}/presign-download"
        url = client.post(here, json={"expires_s": 60}).json()["url"]
        assert client.get(url).status_code == 200
        shift[0] = 61.0
        told = client.get(url)
        assert (told.status_code, told.json()["code"]) == (403, "link-refused")
