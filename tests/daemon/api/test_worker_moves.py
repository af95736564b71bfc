"""An external worker: it runs jobs by the protocol of the daemons, and nobody runs one twice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import rfc8785
from PIL import Image

from daemon.accounts.keys import KeyWish
from daemon.accounts.types import Scope
from daemon.api.context import ApiContext
from daemon.child.job_request import JobRequest
from daemon.fs import RealFs
from daemon.outcomes import Ended
from daemon.owners import Owners
from daemon.recovery import recover
from daemon.service import Service
from daemon.worker import run_job
from renderer.assets import Asset, AssetKind, AssetState
from tests.daemon.api.conftest import SPEC, context_of, listening, made_service, until
from tests.daemon.running import at_work

ERROR = {"code": "render-failed", "message": "no", "errors": [{"code": "x", "message": "here"}]}


@pytest.fixture
def context(service: Service) -> ApiContext:
    context = context_of(service)
    asset = Asset(asset_id="a1", kind=AssetKind.VALUE, state=AssetState.AVAILABLE, owner="ada")
    context.assets.catalog.assets.add(asset)
    return context


def key_of(context: ApiContext, owner: str) -> str:
    scopes = frozenset({Scope.RENDER, Scope.READ, Scope.WORKER})
    wish = KeyWish(scopes=scopes, owner=owner)
    return context.access.accounts.keys.create(wish, now=context.clock()).secret


@pytest.fixture
def worker(context: ApiContext) -> Iterator[httpx.Client]:
    """A client with a key that does everything but administrate."""
    with listening(context) as client:
        client.headers["X-API-Key"] = key_of(context, "ada")
        yield client


def posted(client: httpx.Client, **more: Any) -> str:
    answer = client.post("/v1/jobs?fresh=true", json=SPEC | more)
    path = answer.json()["links"]["self"]
    assert isinstance(path, str)
    return path


def leased(client: httpx.Client, path: str) -> dict[str, Any]:
    answer = client.patch(path, json={"status": "running"})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def rendered(service: Service, lease: dict[str, Any], folder: Path) -> str:
    """What a worker does: render the document under its name, publish to the outbox."""
    spec = folder / lease["job"]["name"]
    spec.write_text(lease["document"])
    places = service.places
    outcome = run_job(JobRequest(
        spec=spec, name=spec.name, outbox=places.outbox, store=folder / "store",
        media=(places.root / "media",),
    ))  # fmt: skip
    assert outcome.ended is Ended.SUCCEEDED, outcome.error
    assert outcome.bundle is not None
    return outcome.bundle.name


def test_a_job_is_found_taken_reported_on_and_completed(
    worker: httpx.Client, service: Service, tmp_path: Path
) -> None:
    path = posted(worker)
    (found,) = worker.get("/v1/work?kind=video").json()["jobs"]
    assert found["links"]["self"] == path
    assert worker.get("/v1/work?kind=longform").json()["jobs"] == []
    lease = leased(worker, path)
    assert (lease["job"]["status"], lease["cancel_wished"]) == ("running", False)
    assert json.loads(lease["document"]) == SPEC
    token = lease["lease_token"]
    assert worker.get("/v1/work").json()["jobs"] == []
    told = worker.patch(path, json={
        "lease_token": token, "progress": {"percent": 40, "stage": "run", "eta_s": 3},
    }).json()  # fmt: skip
    assert (told["job"]["progress"], told["document"]) == (40, None)
    assert worker.get(path).json()["progress_detail"]["eta_s"] == 3
    bundle = rendered(service, lease, tmp_path)
    done = worker.post(f"{path}/complete", json={"lease_token": token, "bundle": bundle}).json()
    assert (done["status"], done["bundle"], done["progress"]) == ("succeeded", bundle, 100)
    assert worker.get(done["links"]["download"]).status_code == 200
    late = worker.patch(path, json={"lease_token": token})
    assert (late.status_code, late.json()["legal"]) == (409, [])
    for folder in ("owners", "claimed", "intents", "submitted"):
        assert service.fs.names(service.places.own(folder)) == [], folder


def test_a_bundle_of_a_document_with_a_brand_is_taken(
    worker: httpx.Client, service: Service, tmp_path: Path
) -> None:
    kit = {"reelkiln_brand": 1, "name": "Acme", "colours": {"primary": "#7a1f3d"}}
    (service.places.root / "media" / "acme.json").write_text(json.dumps(kit))
    path = posted(worker, brand="acme.json", tracks=[{"clips": [
        {"colour": "{{brand.primary}}", "length": "1s"}
    ]}])  # fmt: skip
    lease = leased(worker, path)
    bundle = rendered(service, lease, tmp_path)
    asked = {"lease_token": lease["lease_token"], "bundle": bundle}
    done = worker.post(f"{path}/complete", json=asked)
    assert (done.status_code, done.json()["status"]) == (200, "succeeded"), done.text


def test_a_bundle_of_another_document_or_a_damaged_one_is_refused(
    worker: httpx.Client, service: Service, tmp_path: Path
) -> None:
    first, second = posted(worker), posted(worker, id="other")
    lease, other = leased(worker, first), leased(worker, second)
    bundle = rendered(service, lease, tmp_path)

    def complete(path: str, held: dict[str, Any], name: str) -> tuple[int, str]:
        asked = {"lease_token": held["lease_token"], "bundle": name}
        answer = worker.post(f"{path}/complete", json=asked)
        return answer.status_code, answer.json().get("code", "")

    assert complete(second, other, bundle) == (422, "outputs-refused")
    assert complete(first, lease, "nothing") == (422, "outputs-refused")
    assert complete(first, lease, "../outbox") == (422, "body-refused")
    assert complete(first, lease, "receipts") == (409, "verify-mismatch")
    (service.places.outbox / bundle / "video.mp4").write_bytes(b"x")
    assert complete(first, lease, bundle) == (409, "verify-mismatch")
    assert worker.get(first).json()["status"] == "running"


def test_a_result_may_be_assets_that_are_there(worker: httpx.Client) -> None:
    path = posted(worker)
    asked: dict[str, Any] = {"lease_token": leased(worker, path)["lease_token"]}
    unknown = worker.post(f"{path}/complete", json=asked | {"outputs": [{"asset_id": "b2"}]})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "outputs-refused")
    done = worker.post(f"{path}/complete", json=asked | {"outputs": [{"asset_id": "a1"}]}).json()
    assert (done["status"], done["outputs"]) == ("succeeded", [{"asset_id": "a1"}])
    assert worker.post(f"{path}/complete", json=asked).status_code == 422


def test_a_failure_lies_in_failed_with_its_error(worker: httpx.Client, service: Service) -> None:
    path = posted(worker)
    token = leased(worker, path)["lease_token"]
    told = worker.post(f"{path}/fail", json={"lease_token": token, "error": ERROR}).json()
    assert (told["status"], told["error"]["code"]) == ("failed", "render-failed")
    names = sorted(service.fs.names(service.places.failed))
    assert names == [told["name"], f"{told['name']}.error.json"]
    assert worker.post(told["links"]["retry"]).status_code == 202


def test_a_job_that_is_given_back_can_be_taken_again(worker: httpx.Client) -> None:
    path = posted(worker)
    for attempt in range(3):  # no attempt is used up
        token = leased(worker, path)["lease_token"]
        back = worker.patch(path, json={"lease_token": token, "status": "queued"}).json()
        assert (back["job"]["status"], back["lease_token"]) == ("queued", None), attempt
    assert worker.patch(path, json={"lease_token": token}).json()["code"] == "lease-lost"


def test_moves_that_are_not_legal_say_which_are(worker: httpx.Client) -> None:
    path = posted(worker)
    end = {"lease_token": "x", "error": ERROR}
    told = worker.post(f"{path}/complete", json={"lease_token": "x", "bundle": "b"}).json()
    assert (told["status"], told["code"]) == (409, "illegal-move")
    assert told["legal"] == ["blocked", "cancelled", "failed", "running"]
    assert worker.post(f"{path}/fail", json=end).json()["code"] == "lease-lost"
    leased(worker, path)
    again = worker.patch(path, json={"status": "running"}).json()
    assert (again["code"], "succeeded" in again["legal"]) == ("illegal-move", True)
    assert worker.post(f"{path}/fail", json=end).json()["code"] == "lease-lost"
    assert worker.patch(path, json={"status": "queued"}).status_code == 422
    assert worker.get(path).json()["status"] == "running"


def test_of_many_workers_one_gets_the_job(worker: httpx.Client, service: Service) -> None:
    path = posted(worker)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: worker.patch(path, json={}).status_code, range(8)))
    assert sorted(got) == [200] + [409] * 7
    assert len(service.inbox.claims()) == 1
    assert len(service.fs.names(service.places.own("owners"))) == 1


def test_a_worker_that_falls_silent_is_taken_over(worker: httpx.Client, service: Service) -> None:
    path = posted(worker)
    token = leased(worker, path)["lease_token"]
    now = [0.0]
    owners = Owners(papers=service.inbox.papers, monotonic=lambda: now[0], lease_s=30)

    def look() -> int:
        return len(recover(service.inbox, owners, RealFs(), service.places))

    assert look() == 0
    now[0] = 29.0
    assert worker.patch(path, json={"lease_token": token}).status_code == 200  # alive
    assert look() == 0
    now[0] = 58.0
    assert look() == 0
    now[0] = 59.0
    assert look() == 1
    assert worker.patch(path, json={"lease_token": token}).json()["code"] == "lease-lost"
    assert leased(worker, path)["job"]["status"] == "running"


def test_a_worker_lives_while_its_result_is_checked(service: Service, tmp_path: Path) -> None:
    """A large bundle takes longer than the lease, and its worker waits for the answer."""
    context = replace(context_of(service), lease_s=0.06)
    with listening(context) as client, ThreadPoolExecutor(1) as pool:
        client.headers["X-API-Key"] = key_of(context, "ada")
        path = posted(client)
        lease = leased(client, path)
        bundle = rendered(service, lease, tmp_path)
        _swell(service.places.outbox / bundle, 1 << 28)
        asked = {"lease_token": lease["lease_token"], "bundle": bundle}
        answer = pool.submit(client.post, f"{path}/complete", json=asked)
        (owner,) = service.fs.names(service.places.own("owners"))
        beats = set()
        while not answer.done():
            document = service.inbox.papers.read(service.places.own("owners") / owner)
            beats.add(document["seq"] if document else None)
            time.sleep(0.001)
        assert answer.result().json()["code"] == "verify-mismatch"
        assert len(beats) > 6  # of old there were two
        assert client.get(path).json()["status"] == "running"
        assert len(service.inbox.claims()) == 1


def _swell(folder: Path, size: int) -> None:
    """The video becomes a hole of that size, as its manifest says then."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for entry in manifest["files"]:
        if entry["path"] == "video.mp4":
            entry["size_bytes"] = size
    (folder / "manifest.json").write_bytes(rfc8785.dumps(manifest))
    with (folder / "video.mp4").open("r+b") as stream:
        stream.truncate(0)
        stream.truncate(size)


def test_signs_of_life_end_with_the_answer(service: Service) -> None:
    """Nobody beats for a worker whose job has ended: its owner is forgotten."""
    context = replace(context_of(service), lease_s=0.03)
    with listening(context) as client:
        client.headers["X-API-Key"] = key_of(context, "ada")
        asset = Asset(asset_id="a1", kind=AssetKind.VALUE, state=AssetState.AVAILABLE, owner="ada")
        context.assets.catalog.assets.add(asset)
        for _ in range(3):
            path = posted(client)
            asked = {"lease_token": leased(client, path)["lease_token"]}
            told = client.post(f"{path}/complete", json=asked | {"outputs": [{"asset_id": "a1"}]})
            assert told.json()["status"] == "succeeded"
    assert service.fs.names(service.places.own("owners")) == []


def test_a_wish_to_cancel_reaches_the_worker(worker: httpx.Client) -> None:
    path = posted(worker)
    token = leased(worker, path)["lease_token"]
    assert worker.post(f"{path}/cancel").status_code == 202
    assert worker.patch(path, json={"lease_token": token}).json()["cancel_wished"] is True
    told = worker.post(f"{path}/fail", json={"lease_token": token, "error": ERROR}).json()
    assert told["status"] == "cancelled"


@contextmanager
def idle(root: Path) -> Iterator[Service]:
    """A daemon that works on nothing itself."""
    made = made_service(root)
    made.index.close()
    service = Service(replace(made.settings, workers=0))
    with at_work(service):
        yield service


def test_without_workers_of_its_own_a_daemon_offers_drops_and_grants_wishes(
    tmp_path: Path,
) -> None:
    with idle(tmp_path / "root") as service:
        context = context_of(service)
        with listening(context) as client:
            client.headers["X-API-Key"] = key_of(context, "")
            cancelled = posted(client)
            assert client.post(f"{cancelled}/cancel").status_code == 202
            until(lambda: client.get(cancelled).json()["status"] == "cancelled")
            part = service.places.polite / "part"
            part.write_text(json.dumps(SPEC))
            part.rename(service.places.inbox / "film.json")
            (job,) = until(lambda: client.get("/v1/work").json()["jobs"])
            assert job["name"] == "film.json"
            lease = leased(client, job["links"]["self"])
            bundle = rendered(service, lease, tmp_path)
            asked = {"lease_token": lease["lease_token"], "bundle": bundle}
            done = client.post(f"{job['links']['self']}/complete", json=asked).json()
            assert done["status"] == "succeeded"
            silent = posted(client, id="silent")
            leased(client, silent)
            owners = service.places.own("owners")
            for name in service.fs.names(owners):  # the worker died: nobody waits for its lease
                if name.startswith("ext-"):
                    service.owners._seen[name.removesuffix(".json")] = (None, -1e9)
                    service.fs.unlink(owners / name)
            until(lambda: client.get(silent).json()["status"] == "queued")
            leased(client, silent)
            again = posted(client, id="again")
            until(lambda: not list(service.places.inbox.glob("*.json")))  # it was offered
            assert client.post(f"{again}/cancel").status_code == 202
            until(lambda: client.get(again).json()["status"] == "cancelled")


def test_a_drop_that_names_what_is_not_there_waits_for_it_before_anybody_has_it(
    tmp_path: Path,
) -> None:
    with idle(tmp_path / "root") as service, listening(context_of(service)) as client:
        client.headers["X-API-Key"] = key_of(context_of(service), "")
        asset = service.assets.create_pending_asset("", "a.png", "image/png").asset_id
        lost = service.assets.create_pending_asset("", "b.png", "image/png").asset_id
        paths = []
        for name in (asset, lost):
            part = service.places.polite / "part"
            clips = [{"image": {"asset": name}, "length": "1s"}]
            part.write_text(json.dumps({**SPEC, "tracks": [{"clips": clips}]}))
            part.rename(service.places.inbox / "film.json")
            (job,) = until(lambda: client.get("/v1/work").json()["jobs"])
            paths.append(job["links"]["self"])
            refused = client.patch(paths[-1], json={"status": "running"})
            assert (refused.status_code, refused.json()["code"]) == (409, "illegal-move")
            shown = client.get(paths[-1]).json()
            assert (shown["status"], shown["waits_for"]) == ("blocked", [f"asset:{name}"])
        assert client.get("/v1/work").json()["jobs"] == []
        Image.new("RGB", (64, 36), "teal").save(tmp_path / "a.png")
        service.assets.fulfill_asset(asset, tmp_path / "a.png")
        service.assets.fail_asset(lost, "no light")
        until(lambda: client.get(paths[1]).json()["status"] == "failed")
        assert "no light" in client.get(paths[1]).json()["error"]["errors"][0]["message"]
        until(lambda: client.get("/v1/work").json()["jobs"])
        lease = leased(client, paths[0])
        assert (lease["job"]["waits_for"], lease["job"]["status"]) == ([], "running")
