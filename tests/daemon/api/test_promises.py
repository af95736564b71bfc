"""Promises over HTTP: what a job waits for, what it will make, and circles."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from daemon.module_settings import SHIPPED
from daemon.service import ServeSettings, Service
from tests.daemon.api.conftest import context_of, listening, until
from tests.daemon.running import at_work
from tests.daemon.test_promises import sound

REPORT = {"label": "report.json", "media_type": "application/json"}


def film(source: Mapping[str, str]) -> dict[str, Any]:
    return {
        "reelkiln": 1,
        "output": {"size": "64x36", "fps": 10, "quality": "draft"},
        "tracks": [{"clips": [{"image": source, "length": 0.2}]}],
    }


def module(source: Mapping[str, str], **output: str) -> dict[str, Any]:
    return {"reelkiln": 1, "kind": "module", "module": "loudness-report",
            "inputs": {"speech": source}, "outputs": {"report": {**REPORT, **output}}}  # fmt: skip


def pending(service: Service, owner: str = "") -> str:
    asset = service.assets.create_pending_asset("", "a.png", "image/png", owner=owner)
    return asset.asset_id


def test_a_job_says_at_once_what_it_waits_for_and_which_assets_it_will_make(
    client: httpx.Client, service: Service
) -> None:
    speech = pending(service)
    job = client.post("/v1/jobs", json=module({"asset": speech})).json()
    assert job["waits_for"] == [f"asset:{speech}"]
    made = service.assets.catalog.assets.get(job["assets"]["report.json"])
    assert (made.state, made.created_by_job) == ("pending", job["job_id"])
    after = client.post("/v1/jobs", json=film({"asset": made.asset_id})).json()
    assert after["waits_for"] == [f"asset:{made.asset_id}"]


def test_a_circle_is_refused_with_its_way_and_its_place(
    client: httpx.Client, service: Service
) -> None:
    one, two = pending(service), pending(service)
    first = client.post("/v1/jobs", json=module({"asset": one}, asset=two))
    assert first.status_code == 202
    refused = client.post("/v1/jobs", json=module({"asset": two}, asset=one))
    assert refused.status_code == 409
    fault = refused.json()["errors"][0]
    assert (fault["code"], fault["pointer"]) == ("promise-cycle", "/inputs/speech")
    assert f"this job → asset:{two} → asset:{one} → this job" in fault["message"]
    itself = client.post("/v1/jobs", json=module({"asset": one}, asset=one))
    assert itself.json()["errors"][0]["code"] == "promise-cycle"
    jobs = client.get("/v1/jobs").json()["jobs"]
    assert [job["job_id"] for job in jobs] == [first.json()["job_id"]]


def test_what_was_never_promised_is_refused_with_its_place(client: httpx.Client) -> None:
    refused = client.post("/v1/jobs", json=film({"asset": "0" * 26}))
    assert refused.status_code == 409
    fault = refused.json()["errors"][0]
    assert (fault["code"], fault["pointer"]) == ("promise-unknown", "/tracks/0/clips/0/image")


def test_a_brand_kit_that_is_an_asset_is_read_waited_for_or_refused_at_once(
    client: httpx.Client, service: Service
) -> None:
    def ask(brand: str, colour: str = "{{brand.primary}}", where: str = "jobs") -> httpx.Response:
        clip = {"colour": colour, "length": 0.2}
        body = {"reelkiln": 1, "brand": {"asset": brand}, "tracks": [{"clips": [clip]}]}
        return client.post(f"/v1/{where}", json=body)

    later = pending(service)
    waiting = ask(later, "{{brand.mint}}").json()
    assert waiting["waits_for"] == [f"asset:{later}"]
    kit = {"reelkiln_brand": 1, "name": "Acme", "colours": {"primary": "#7a1f3d"}}
    made = client.post("/v1/assets?kind=value&label=acme", json=kit).json()["asset_id"]
    assert ask(made).json()["waits_for"] == []
    fault = ask(made, "{{brand.mint}}", "check").json()["errors"][0]
    assert (fault["code"], fault["line"]) == ("unknown-variable", 1)
    kit["colours"] = {"primary": "reddish"}
    wrong = client.post("/v1/assets?kind=value&label=acme", json=kit).json()["asset_id"]
    told = ask(wrong)
    fault = told.json()["errors"][0]
    assert (told.status_code, fault["pointer"], fault["line"]) == (422, "/brand", 1)
    assert fault["message"].startswith(f"asset:{wrong}, line 1, column ")
    unknown = ask("0" * 26)
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (409, "/brand")
    large = client.post("/v1/assets", content=b"\x89PNG\r\n\x1a\n" + b"x" * 3_000_000,
                        headers={"Content-Type": "application/octet-stream"})  # fmt: skip
    told = ask(large.json()["asset_id"])
    assert (told.status_code, told.json()["errors"][0]["code"]) == (422, "source-too-large")


def test_a_blocked_job_is_shown_and_listed_as_blocked_until_it_runs(tmp_path: Any) -> None:
    service = Service(ServeSettings(root=tmp_path, jobs=1, environment={}, modules=SHIPPED))
    with at_work(service), listening(context_of(service)) as client:
        asset = pending(service)
        job = client.post("/v1/jobs", json=film({"asset": asset})).json()
        here = job["links"]["self"]
        shown = _until(client, here, "blocked")
        assert shown["waits_for"] == [f"asset:{asset}"]
        listed = until(lambda: client.get("/v1/jobs", params={"status": "blocked"}).json()["jobs"])
        assert [one["job_id"] for one in listed] == [job["job_id"]]
        Image.new("RGB", (64, 36), "teal").save(tmp_path / "a.png")
        service.assets.fulfill_asset(asset, tmp_path / "a.png")
        assert _until(client, here, "succeeded")["waits_for"] == []


def _until(client: httpx.Client, path: str, status: str) -> dict[str, Any]:
    for _ in range(3000):
        shown: dict[str, Any] = client.get(path).json()
        if shown["status"] == status:
            return shown
        time.sleep(0.02)
    raise AssertionError(shown)


def promised(client: httpx.Client, **more: str) -> dict[str, Any]:
    asked = {"status": "pending", "label": "a.png", "media_type": "image/png", **more}
    told = client.post("/v1/assets", params=asked)
    assert told.status_code == 201, told.text
    asset: dict[str, Any] = told.json()
    return asset


def png(colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 36), colour).save(out, "PNG")
    return out.getvalue()


def test_upload_module_and_render_begun_at_the_end_complete_by_themselves(tmp_path: Path) -> None:
    service = Service(ServeSettings(root=tmp_path, jobs=1, environment={}, modules=SHIPPED))
    with at_work(service), listening(context_of(service)) as client:
        drawn = promised(client, tags="x, y")
        assert (drawn["status"], drawn["tags"], drawn["links"]["content"]) == (
            "pending", ["x", "y"], None,
        )  # fmt: skip
        speech = promised(client, media_type="audio/wav")["asset_id"]
        job = client.post("/v1/jobs", json=film({"asset": drawn["asset_id"]})).json()
        _until(client, job["links"]["self"], "blocked")
        wave = {"label": "waveform.png", "media_type": "image/png", "asset": drawn["asset_id"]}
        measures = {
            **module({"asset": speech}), "outputs": {"report": REPORT, "wave": wave},
            "params": {"width": 64, "height": 36},
        }  # fmt: skip
        middle = client.post("/v1/jobs", json=measures).json()
        _until(client, middle["links"]["self"], "blocked")

        data = sound(tmp_path).read_bytes()
        asked = {
            "media_type": "audio/wav", "size_bytes": len(data), "asset_id": speech,
            "sha256": hashlib.sha256(data).hexdigest(),
        }  # fmt: skip
        other = client.post("/v1/uploads/presign", json={**asked, "media_type": "image/png"})
        assert other.json()["code"] == "upload-refused"
        told = client.post("/v1/uploads/presign", json=asked).json()
        send = told["request"]
        assert client.request("PUT", send["url"], content=data, headers=send["headers"]).is_success
        done = client.post(f"/v1/uploads/{told['upload_id']}/complete").json()
        assert done["asset_id"] == speech
        assert client.get(f"/v1/assets/{speech}").json()["duration_ms"] == 1000
        _until(client, job["links"]["self"], "succeeded")
        assert client.get(middle["links"]["self"]).json()["status"] == "succeeded"
        late = client.post("/v1/uploads/presign", json=asked)
        assert late.json()["code"] == "illegal-asset-move"


def test_a_promise_is_kept_by_a_body_or_broken_with_a_reason(
    client: httpx.Client, service: Service
) -> None:
    asset, value, lost = promised(client), promised(client, kind="value"), promised(client)
    path = f"/v1/assets/{asset['asset_id']}/content"
    assert client.put(path, content=b"no picture").json()["code"] == "asset-content-refused"
    assert client.put(path, content=b"").status_code == 422
    for _ in range(2):
        kept = client.put(path, content=png()).json()
        assert (kept["status"], kept["media_type"]) == ("available", "image/png")
    assert client.get(path).content == png()
    assert client.put(path, content=png("red")).json()["code"] == "illegal-asset-move"
    told = client.put(f"/v1/assets/{value['asset_id']}/content", json={"revision": 1}).json()
    assert (told["status"], told["value"]) == ("available", {"revision": 1})
    broken = client.post(f"/v1/assets/{lost['asset_id']}/fail", json={"reason": "no light"}).json()
    assert (broken["status"], broken["status_reason"]) == ("failed", "no light")
    again = client.post(f"/v1/assets/{lost['asset_id']}/fail", json={"reason": "x"})
    assert again.json()["code"] == "illegal-asset-move"
    refused = client.post("/v1/jobs", json=film({"asset": lost["asset_id"]})).json()
    assert "no light" in refused["errors"][0]["message"]
    kept_in = service.places.own("incoming")
    assert service.fs.names(kept_in) == []


def test_a_promise_with_a_body_or_without_a_type_is_refused(client: httpx.Client) -> None:
    asked = {"status": "pending", "label": "a"}
    assert client.post("/v1/assets", params=asked).status_code == 400
    typed = {**asked, "media_type": "image/png"}
    assert client.post("/v1/assets", params=typed, content=png()).status_code == 400
    assert client.get("/v1/assets").json()["assets"] == []
    value = promised(client, kind="value")["asset_id"]
    upload = {"media_type": "text/plain", "size_bytes": 1, "sha256": "0" * 64, "asset_id": value}
    assert client.post("/v1/uploads/presign", json=upload).status_code == 400
    unknown = client.post("/v1/uploads/presign", json={**upload, "asset_id": "0" * 26})
    assert unknown.json()["code"] == "asset-unknown"


def test_nobody_but_its_owner_settles_a_promise(client: httpx.Client) -> None:
    def key(owner: str, *scopes: str, world: str = "") -> dict[str, str]:
        wish = {"owner": owner, "scopes": list(scopes), "world": world}
        made = client.post("/v1/keys", json=wish, headers=root)
        return {"X-API-Key": made.json()["key"]}

    made = client.post("/v1/keys", json={"scopes": ["admin"]}).json()["key"]
    root = {"X-API-Key": made}
    ada = key("ada", "render", "read", world="north")
    bob, reader = key("bob", "render", "read"), key("ada", "read")
    south = key("ada", "render", "read", world="south")
    asked = {"status": "pending", "media_type": "image/png"}
    made = client.post("/v1/assets", params={**asked, "world": "south"}, headers=ada)
    assert (made.status_code, made.json()["code"]) == (403, "scope-missing")
    assert client.post("/v1/assets", params=asked, headers=reader).status_code == 403
    asset = client.post("/v1/assets", params=asked, headers=ada).json()
    assert (asset["world"], asset["owner"]) == ("north", "ada")
    here, data = f"/v1/assets/{asset['asset_id']}", png()
    upload = {
        "media_type": "image/png", "size_bytes": len(data), "asset_id": asset["asset_id"],
        "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    for stranger in (bob, south):
        told = [
            client.put(f"{here}/content", content=data, headers=stranger),
            client.post(f"{here}/fail", json={"reason": "x"}, headers=stranger),
            client.post("/v1/uploads/presign", json=upload, headers=stranger),
        ]
        assert [one.json()["code"] for one in told] == ["asset-unknown"] * 3
    assert client.put(f"{here}/content", content=data, headers=reader).status_code == 403
    sent = client.post("/v1/uploads/presign", json=upload, headers=ada).json()
    assert sent["world"] == "north"
    see = f"/v1/uploads/{sent['upload_id']}"
    assert client.get(see, headers=south).status_code == 404
    assert client.get(see, headers=ada).status_code == 200
    assert client.put(f"{here}/content", content=data, headers=ada).is_success


def test_an_upload_belongs_to_a_world_and_so_does_its_asset(client: httpx.Client) -> None:
    made = client.post("/v1/keys", json={"scopes": ["admin"]}).json()["key"]
    wish = {"owner": "ada", "scopes": ["render", "read"], "world": "north"}
    key = client.post("/v1/keys", json=wish, headers={"X-API-Key": made}).json()["key"]
    client.headers["X-API-Key"] = key
    data = png()
    asked = {
        "media_type": "image/png", "size_bytes": len(data), "file_name": "a.png",
        "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    elsewhere = client.post("/v1/uploads/presign", json={**asked, "world": "south"})
    assert elsewhere.json()["code"] == "scope-missing"
    told = client.post("/v1/uploads/presign", json=asked).json()
    send = told["request"]
    client.request("PUT", send["url"], content=data, headers=send["headers"])
    done = client.post(f"/v1/uploads/{told['upload_id']}/complete").json()
    assert client.get(f"/v1/assets/{done['asset_id']}").json()["world"] == "north"
