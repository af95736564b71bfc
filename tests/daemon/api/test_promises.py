"""Promises over HTTP: what a job waits for, what it will make, and circles."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx
from PIL import Image

from daemon.module_settings import SHIPPED
from daemon.service import ServeSettings, Service
from tests.daemon.api.conftest import context_of, listening, until
from tests.daemon.running import at_work

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
