"""Jobs of assets done by a worker that speaks HTTP and nothing else, on both databases."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import imageio_ffmpeg
import pytest
from PIL import Image

from tests.daemon.api.conftest import until
from tests.daemon.postgres import running_postgres

CODE = "from daemon.cli import main; main()"
THINGS = {
    "claims": ["c1"], "entities": ["e1"], "source_chunks": ["s1/1"], "sources": ["s1"],
}  # fmt: skip
PROVENANCE = {
    "world": "north", "references": THINGS, "lore_snapshot": {"revision": 1},
    "provider": "elsewhere", "model": "m", "prompt_spec": {"seed": 7},
}  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """`reelkiln serve --workers 0`, and a client of one owner."""
    root = tmp_path_factory.mktemp("elsewhere") / "root"
    root.mkdir()
    with ExitStack() as stack:
        environment = dict(os.environ)
        if request.param == "postgresql":
            url = stack.enter_context(running_postgres())
            environment["REELKILN_DATABASE_URL"] = url.render_as_string(hide_password=False)
        command = [sys.executable, "-c", CODE, "serve", "--workers", "0", "--port", "0"]
        daemon = stack.enter_context(subprocess.Popen(
            [*command, "--root", str(root)], env=environment, stdout=subprocess.PIPE, text=True
        ))  # fmt: skip
        stack.callback(daemon.terminate)
        assert daemon.stdout is not None
        http = stack.enter_context(
            httpx.Client(base_url=daemon.stdout.readline().strip(), timeout=30)
        )
        wish = {"scopes": ["admin", "worker"]}
        http.headers["X-API-Key"] = http.post("/v1/keys", json=wish).json()["key"]
        ada = {"scopes": ["render", "read", "worker"], "owner": "ada"}
        http.headers["X-API-Key"] = http.post("/v1/keys", json=ada).json()["key"]
        assert http.put("/v1/worlds/north", json={}).status_code == 200
        assert http.post("/v1/worlds/north/references", json=THINGS).is_success
        yield http


class Worker:
    """It asks for work, reads what the job names, and hands in what it made: all over HTTP."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def take(self) -> dict[str, Any]:
        (job,) = until(lambda: self.http.get("/v1/work").json()["jobs"])
        told = self.http.patch(job["links"]["self"], json={"status": "running"})
        assert told.status_code == 200, told.text
        lease: dict[str, Any] = told.json()
        assert lease["job"]["status"] == "running"
        return lease

    def keep(self, lease: Mapping[str, Any], label: str, data: bytes) -> httpx.Response:
        return self.http.put(
            f"/v1/assets/{lease['job']['assets'][label]}/content", content=data,
            headers={"Lease-Token": lease["lease_token"]},
        )  # fmt: skip

    def send(self, data: bytes, media_type: str, **more: str) -> str:
        """An asset of these bytes, by an upload."""
        digest = hashlib.sha256(data).hexdigest()
        asked = {"media_type": media_type, "size_bytes": len(data), "sha256": digest, **more}
        told = self.http.post("/v1/uploads/presign", json=asked).json()
        to = told["request"]
        assert self.http.request(
            to["method"], to["url"], content=data, headers=to["headers"]
        ).is_success  # fmt: skip
        done = self.http.post(f"/v1/uploads/{told['upload_id']}/complete").json()
        assert done["status"] == "available", done
        asset_id = done["asset_id"]
        assert isinstance(asset_id, str)
        return asset_id

    def complete(self, lease: Mapping[str, Any], *outputs: str) -> httpx.Response:
        return self.http.post(f"{lease['job']['links']['self']}/complete", json={
            "lease_token": lease["lease_token"],
            "outputs": [{"asset_id": one} for one in outputs],
        })  # fmt: skip


def film(source: Mapping[str, str], kind: str = "image", **more: Any) -> dict[str, Any]:
    return {
        "reelkiln": 1, "output": {"size": "64x36", "fps": 10, "quality": "draft"},
        "tracks": [{"clips": [{kind: source, "length": 0.2}]}], **more,
    }  # fmt: skip


def status_of(client: httpx.Client, job: Mapping[str, Any]) -> str:
    status = client.get(job["links"]["self"]).json()["status"]
    assert isinstance(status, str)
    return status


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 36), "teal").save(out, "PNG")
    return out.getvalue()


def movie(folder: Path) -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi"]
    subprocess.run(
        [*command, "-i", "color=teal:s=64x36:r=10:d=0.2", str(folder / "a.mp4")], check=True
    )
    return (folder / "a.mp4").read_bytes()


def test_a_pipeline_begun_at_its_end_is_done_by_a_worker_over_http(
    client: httpx.Client, tmp_path: Path
) -> None:
    worker, data = Worker(client), picture()
    asked = {"status": "pending", "label": "lore.txt", "media_type": "text/plain"}
    lore = client.post("/v1/assets", params=asked | {"world": "north"}).json()
    assert (lore["status"], lore["links"]["content"]) == ("pending", None)
    paint = client.post("/v1/jobs", params={"world": "north"}, json={
        "reelkiln": 1, "kind": "module", "module": "painter",
        "inputs": {"lore": {"asset": lore["asset_id"]}},
        "outputs": {"picture": {"label": "picture.png", "media_type": "image/png"}},
    }).json()  # fmt: skip
    painted = paint["assets"]["picture.png"]
    document = film({"asset": painted}, provenance=PROVENANCE)
    job = client.post("/v1/jobs", json=document).json()
    after = client.post(
        "/v1/jobs", params={"world": "north"}, json=film({"job": job["job_id"]}, "video")
    ).json()
    for one in (paint, job, after):
        until(lambda one=one: status_of(client, one) == "blocked")
    assert client.get("/v1/work").json()["jobs"] == []
    refused = client.patch(job["links"]["self"], json={"status": "running"})
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal-move")

    kept = client.put(f"/v1/assets/{lore['asset_id']}/content", content=b"The light is lit.")
    assert kept.json()["status"] == "available", kept.text
    lease = worker.take()
    assert lease["job"]["job_id"] == paint["job_id"]
    assert client.get(f"/v1/assets/{lore['asset_id']}/content").text == "The light is lit."
    assert worker.complete(lease, lore["asset_id"]).json()["code"] == "outputs-refused"
    stranger = {**lease, "lease_token": "x"}
    assert worker.keep(stranger, "picture.png", data).json()["code"] == "lease-lost"
    no_token = client.put(f"/v1/assets/{painted}/content", content=data)
    assert no_token.json()["code"] == "lease-lost"
    assert worker.keep(lease, "picture.png", data).json()["status"] == "available"
    assert worker.complete(lease, painted).json()["status"] == "succeeded"

    lease = worker.take()
    assert lease["job"]["job_id"] == job["job_id"]
    assert status_of(client, job) == "running"
    assert client.get(f"/v1/assets/{painted}/content").content == data
    video = worker.send(movie(tmp_path), "video/mp4", world="north", file_name="video.mp4")
    done = worker.complete(lease, video).json()
    assert (done["status"], done["outputs"]) == ("succeeded", [{"asset_id": video}])
    for asked_by in (
        {}, {"claim": "c1"}, {"entity": "e1"}, {"source_chunk": "s1/1"}, {"source": "s1"},
    ):  # fmt: skip
        query = {"world": "north", "job_id": job["job_id"], **asked_by}
        listed = until(lambda query=query: client.get("/v1/assets", params=query).json()["assets"])
        assert [one["asset_id"] for one in listed] == [video], asked_by
    again = client.post("/v1/jobs", json=dict(reversed(document.items())))
    assert (again.status_code, again.json()["job_id"]) == (200, job["job_id"])

    lease = worker.take()
    assert lease["job"]["job_id"] == after["job_id"]
    told = {"lease_token": lease["lease_token"], "error": {"code": "x", "message": "enough"}}
    assert client.post(f"{after['links']['self']}/fail", json=told).is_success


def test_what_a_worker_does_not_make_fails_and_so_does_what_waits_for_it(
    client: httpx.Client,
) -> None:
    worker = Worker(client)
    outputs = {"report": {"label": "report.json", "media_type": "application/json"}}
    first = client.post("/v1/jobs", json={
        "reelkiln": 1, "kind": "module", "module": "m", "outputs": outputs,
    }).json()  # fmt: skip
    report = first["assets"]["report.json"]
    waits = client.post("/v1/jobs", json={
        "reelkiln": 1, "kind": "module", "module": "m", "outputs": outputs,
        "inputs": {"told": {"asset": report}},
    }).json()  # fmt: skip
    lease = worker.take()
    assert lease["job"]["job_id"] == first["job_id"]
    told = {"lease_token": lease["lease_token"], "error": {"code": "x", "message": "no light"}}
    assert client.post(f"{first['links']['self']}/fail", json=told).is_success
    until(lambda: client.get(f"/v1/assets/{report}").json()["status"] == "failed")
    until(lambda: status_of(client, waits) == "failed")
    error = client.get(waits["links"]["self"]).json()["error"]
    assert error["code"] == "promise-failed"
    assert "no light" in error["errors"][0]["message"]


def test_an_upload_keeps_a_promise_of_the_job_while_its_worker_holds_it(
    client: httpx.Client,
) -> None:
    worker, data = Worker(client), picture()
    made = client.post("/v1/jobs", params={"world": "north"}, json={
        "reelkiln": 1, "kind": "module", "module": "painter",
        "outputs": {"picture": {"label": "p.png", "media_type": "image/png"}},
    }).json()["assets"]["p.png"]  # fmt: skip
    lease = worker.take()
    asked = {
        "media_type": "image/png", "size_bytes": len(data), "asset_id": made,
        "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    without = client.post("/v1/uploads/presign", json=asked)
    assert without.json()["code"] == "lease-lost"
    held = {"Lease-Token": lease["lease_token"]}
    told = client.post("/v1/uploads/presign", json=asked, headers=held).json()
    assert told["key"].startswith(f"generated/{lease['job']['job_id']}/")
    send = told["request"]
    client.request("PUT", send["url"], content=data, headers=send["headers"])
    back = {"status": "queued", "lease_token": lease["lease_token"]}
    assert client.patch(lease["job"]["links"]["self"], json=back).is_success
    late = client.post(f"/v1/uploads/{told['upload_id']}/complete")
    assert (late.status_code, late.json()["code"]) == (409, "lease-lost")
    lease = worker.take()
    held = {"Lease-Token": lease["lease_token"]}
    told = client.post("/v1/uploads/presign", json=asked, headers=held).json()
    send = told["request"]
    client.request("PUT", send["url"], content=data, headers=send["headers"])
    for _ in range(2):
        done = client.post(f"/v1/uploads/{told['upload_id']}/complete").json()
        assert (done["status"], done["asset_id"]) == ("available", made), done
    assert client.get(f"/v1/assets/{made}/content").content == data
    assert worker.complete(lease, made).json()["status"] == "succeeded"
    there = client.get(f"/v1/assets/{made}").json()
    assert (there["created_by_job"], there["world"]) == (lease["job"]["job_id"], "north")
