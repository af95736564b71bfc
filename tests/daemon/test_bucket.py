"""A daemon whose assets lie in a bucket of a real S3 server, which may be away."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from daemon.child.job_request import Module
from daemon.module_settings import SHIPPED
from daemon.service import ServeSettings, Service
from daemon.storage.opening import open_s3
from tests.daemon.api.conftest import context_of, ended, listening
from tests.daemon.running import at_work, drop, until
from tests.daemon.seaweed import Seaweed, seaweed_server
from tests.daemon.test_asset_service import sound

COPY = """
import json, shutil, sys
shutil.copy(json.load(open(sys.argv[1]))["words"], sys.argv[2] + "/told.txt")
"""
MODULES = {**SHIPPED, "copy": Module(command=(sys.executable, "-I", "-c", COPY))}


@dataclass
class World:
    """A daemon behind its API, and the S3 server that it stores in."""

    service: Service
    http: httpx.Client
    server: Seaweed

    def job(self, document: Mapping[str, Any]) -> dict[str, Any]:
        told = self.http.post("/v1/jobs?fresh=true", json=document)
        assert told.status_code == 202, told.text
        job: dict[str, Any] = told.json()
        return job

    def end_of(self, job: Mapping[str, Any]) -> dict[str, Any]:
        until(lambda: bool(ended(self.http, job["job_id"])))
        done: dict[str, Any] = self.http.get(f"/v1/jobs/{job['job_id']}").json()
        return done

    def status(self, job: Mapping[str, Any]) -> str:
        status = self.http.get(f"/v1/jobs/{job['job_id']}").json()["status"]
        assert isinstance(status, str)
        return status

    def asset(self, data: bytes, media_type: str = "image/png") -> str:
        told = self.http.post("/v1/assets", content=data, headers={"Content-Type": media_type})
        assert told.status_code == 201, told.text
        asset_id = told.json()["asset_id"]
        assert isinstance(asset_id, str)
        return asset_id


@pytest.fixture(scope="module")
def seaweed() -> Iterator[Seaweed]:
    with seaweed_server() as server:
        yield server


@pytest.fixture
def world(seaweed: Seaweed, tmp_path: Path) -> Iterator[World]:
    name = f"films-{secrets.token_hex(4)}"
    environment = {**seaweed.environment, "REELKILN_STORAGE_URL": f"s3://{name}/here"}
    open_s3(environment)._client.create_bucket(Bucket=name)
    root = tmp_path / "root"
    root.mkdir()
    service = Service(
        ServeSettings(root=root, workers=2, jobs=1, environment=environment, modules=MODULES)
    )
    with at_work(service), listening(context_of(service)) as http:
        yield World(service=service, http=http, server=seaweed)
    if seaweed.child is None:
        seaweed.start()


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 36), colour).save(out, "PNG")
    return out.getvalue()


def film(source: Mapping[str, str], **more: Any) -> dict[str, Any]:
    return {
        "reelkiln": 1, "output": {"size": "64x36", "fps": 10, "quality": "draft"},
        "tracks": [{"clips": [{"image": source, "length": 0.2}]}], **more,
    }  # fmt: skip


PLAIN = {
    "reelkiln": 1, "output": {"size": "64x36", "fps": 10, "quality": "draft"},
    "tracks": [{"clips": [{"colour": "teal", "length": 0.2}]}],
}  # fmt: skip


def test_jobs_read_and_make_assets_that_lie_in_the_bucket_alone(
    world: World, tmp_path: Path
) -> None:
    sent = picture("teal")
    image = world.asset(sent)
    found = world.service.assets.catalog.assets.get(image)
    assert world.service.assets.storage.local_path(found.key) is None
    done = world.end_of(world.job(film({"asset": image})))
    assert done["status"] == "succeeded", done["error"]
    assert world.http.get(f"/v1/assets/{image}/content").content == sent
    link = world.http.post(f"/v1/assets/{image}/presign-download", json={}).json()["url"]
    assert link.startswith(world.server.url)
    assert httpx.get(link).content == sent
    assert httpx.get(link.replace(image, "0" * 26)).status_code in (403, 404)

    speech = world.asset(sound(tmp_path).read_bytes(), "audio/wav")
    report = {"label": "report.json", "media_type": "application/json"}
    made = world.job({
        "reelkiln": 1, "kind": "module", "module": "loudness-report",
        "inputs": {"speech": {"asset": speech}}, "outputs": {"report": report},
    })  # fmt: skip
    assert world.end_of(made)["status"] == "succeeded"
    here = f"/v1/assets/{made['assets']['report.json']}"
    until(lambda: bool(world.http.get(here).json()["status"] == "available"))
    assert "integrated" in world.http.get(f"{here}/content").text
    with world.service.assets.get_manifest_path({"speech": speech}, {}) as manifest:
        path = Path(json.loads(manifest.path.read_bytes())["speech"])
        assert path.read_bytes() == sound(tmp_path).read_bytes()


def test_an_upload_straight_to_the_bucket_keeps_a_promise_and_its_job_runs(world: World) -> None:
    data = picture("red")
    asked = {"status": "pending", "media_type": "image/png"}
    image = world.http.post("/v1/assets", params=asked).json()["asset_id"]
    job = world.job(film({"asset": image}))
    until(lambda: world.status(job) == "blocked")
    told = world.http.post("/v1/uploads/presign", json={
        "media_type": "image/png", "size_bytes": len(data), "asset_id": image,
        "sha256": hashlib.sha256(data).hexdigest(),
    }).json()  # fmt: skip
    send = told["request"]
    assert send["url"].startswith(world.server.url)
    assert httpx.put(send["url"], content=data, headers=send["headers"]).is_success
    assert world.http.post(f"/v1/uploads/{told['upload_id']}/complete").is_success
    assert world.end_of(job)["status"] == "succeeded"


def test_bytes_that_are_gone_or_were_changed_fail_the_job_in_words(world: World) -> None:
    storage, assets = world.service.assets.storage, world.service.assets.catalog.assets
    gone, changed = world.asset(picture("navy")), world.asset(picture("gold"))
    for one in (gone, changed):
        storage.delete(assets.get(one).key)
    (world.service.places.root / "x").write_bytes(picture("pink"))
    storage.put_file(assets.get(changed).key, world.service.places.root / "x")
    for one, words in ((gone, "nothing is stored"), (changed, "other bytes")):
        done = world.end_of(world.job(film({"asset": one}, on_failed_promise="wait")))
        assert (done["status"], done["error"]["code"]) == ("failed", "promise-failed")
        fault = done["error"]["errors"][0]
        assert fault["pointer"] == "/tracks/0/clips/0/image"
        assert words in fault["message"]


@pytest.mark.long
def test_while_the_server_is_away_the_daemon_lives_and_other_jobs_go_on(world: World) -> None:
    image, other = world.asset(picture("teal")), world.asset(picture("red"))
    assert world.end_of(world.job(film({"asset": other})))["status"] == "succeeded"
    world.server.stop()
    needs = world.job(film({"asset": image}))
    until(lambda: "storage-unavailable" in _why(world, needs) or _retries(world, needs) > 0)
    drop(world.service.places.root, "dropped.json", json.dumps({**PLAIN, "id": "d"}).encode())
    until(lambda: bool(list(world.service.places.outbox.glob("d-*"))))
    near = world.job(film({"asset": other}))  # its bytes are here: they were fetched once
    assert world.end_of(near)["status"] == "succeeded"
    made = world.job({
        "reelkiln": 1, "kind": "module", "module": "loudness-report",
        "inputs": {"speech": {"asset": image}},
        "outputs": {"report": {"label": "r.json", "media_type": "application/json"}},
    })  # fmt: skip
    until(lambda: _retries(world, made) > 0)
    told = world.http.post("/v1/assets", content=picture("blue"),
                           headers={"Content-Type": "image/png"})  # fmt: skip
    assert (told.status_code, told.json()["code"]) == (503, "storage-unavailable")
    assert world.http.get(f"/v1/assets/{image}/content").status_code == 503
    assert world.http.delete(f"/v1/assets/{other}").status_code == 204
    assert world.http.get("/health").status_code == 200
    world.server.start()
    done = world.end_of(needs)
    if done["status"] == "failed":  # it was away for longer than a job is patient
        assert done["error"]["code"] == "storage-unavailable"
        done = world.end_of(world.job(film({"asset": image})))
    assert done["status"] == "succeeded"


def test_a_promise_made_while_the_server_is_away_is_kept_when_it_is_back(world: World) -> None:
    words = world.http.post("/v1/assets?kind=value", json="spoken").json()["asset_id"]
    module = {
        "reelkiln": 1, "kind": "module", "module": "copy",
        "inputs": {"words": {"asset": words}},
        "outputs": {"told": {"label": "told.txt", "media_type": "text/plain"}},
    }  # fmt: skip
    world.server.stop()
    job = world.job(module)
    assert world.end_of(job)["status"] == "succeeded"
    here = f"/v1/assets/{job['assets']['told.txt']}"
    assert world.http.get(here).json()["status"] == "pending"
    world.server.start()
    until(lambda: bool(world.http.get(here).json()["status"] == "available"))
    assert world.http.get(f"{here}/content").text == "spoken"


def _retries(world: World, job: Mapping[str, Any]) -> int:
    found = world.service.inbox.ledger.read(job["job_id"])
    return found.retries if found else 0


def _why(world: World, job: Mapping[str, Any]) -> str:
    return str(world.http.get(f"/v1/jobs/{job['job_id']}").json()["error"])
