"""The same document by the same caller is the same job, as long as its bundle still holds."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from PIL import Image

from daemon.service import Service
from tests.daemon.api.conftest import SPEC, ended, until
from tests.daemon.running import at_work

# The same document in another form: what is left out is what it would be anyway.
SAME = """
# hello
reelkiln: 1
id: hello
output: {quality: draft, fps: 10, size: 64x36}
tracks:
  - clips: [{length: 1s, image: a.png}]
"""
YAML = {"Content-Type": "application/yaml"}


def posted(client: httpx.Client, **more: Any) -> tuple[int, str]:
    answer = client.post("/v1/jobs", **({"json": SPEC} | more))
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['job_id']}"
    return answer.status_code, answer.json()["job_id"]


def drops(service: Service) -> list[str]:
    return [name for name in service.fs.names(service.places.inbox) if name.endswith("json")]


def test_what_waits_already_is_not_made_twice(client: httpx.Client, service: Service) -> None:
    first = posted(client)
    assert posted(client) == first
    assert posted(client, json=None, content=SAME, headers=YAML) == first
    assert posted(client, params={"priority": "high"}) == first
    assert len(drops(service)) == 1
    others = {
        posted(client, params={"fresh": "true"})[1],
        posted(client, params={"world": "north"})[1],
        posted(client, json=SPEC | {"id": "other"})[1],
        first[1],
    }
    assert len(others) == 4


def test_of_equal_documents_at_once_one_job_comes(client: httpx.Client, service: Service) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: posted(client), range(24)))
    assert len(found) == 1
    assert len(drops(service)) == 1


def test_a_job_that_is_to_be_cancelled_is_not_given_again(client: httpx.Client) -> None:
    _, job_id = posted(client)
    assert client.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    assert posted(client)[1] != job_id


@pytest.fixture
def done(client: httpx.Client, service: Service) -> str:
    """The id of a job that has succeeded; no daemon runs any more."""
    with at_work(service):
        _, job_id = posted(client)
        until(lambda: ended(client, job_id))
    return job_id


def test_a_finished_job_is_given_again_until_its_source_or_its_bundle_changes(
    client: httpx.Client, service: Service, done: str
) -> None:
    status, job_id = posted(client)
    assert (status, job_id) == (200, done)
    again = client.post("/v1/jobs", json=SPEC).json()
    assert (again["status"], again["job_id"]) == ("succeeded", done)
    assert again["links"]["download"] == f"/v1/jobs/{done}/download"
    picture = service.places.root / "media" / "a.png"
    before = picture.read_bytes()
    Image.new("RGB", (64, 36), "red").save(picture)
    assert posted(client)[0] == 202
    picture.unlink()
    client.post(f"/v1/jobs/{posted(client)[1]}/cancel")
    assert posted(client)[0] == 202
    picture.write_bytes(before)  # the same bytes in another file
    client.post(f"/v1/jobs/{posted(client)[1]}/cancel")
    assert posted(client) == (200, done)
    assert posted(client, params={"fresh": "1"})[0] == 202


def test_a_bundle_that_lost_a_file_is_made_anew(
    client: httpx.Client, service: Service, done: str
) -> None:
    bundle = service.places.outbox / client.get(f"/v1/jobs/{done}").json()["bundle"]
    kept = bundle.with_name("kept")
    for hurt in ("video.mp4", "manifest.json", "bundle.zip"):
        shutil.copytree(bundle, kept)
        (bundle / hurt).unlink()
        status, job_id = posted(client)
        assert (status, job_id != done) == (202, True), hurt
        client.post(f"/v1/jobs/{job_id}/cancel")
        shutil.rmtree(bundle)
        kept.rename(bundle)
    assert posted(client) == (200, done)


def test_a_failed_job_is_tried_again_on_request(client: httpx.Client, service: Service) -> None:
    picture = service.places.root / "media" / "a.png"
    before = picture.read_bytes()
    picture.unlink()
    with at_work(service):
        _, job_id = posted(client)
        failed = until(lambda: ended(client, job_id))
        assert (failed["status"], failed["error"]["code"]) == ("failed", "source-refused")
        picture.write_bytes(before)
        again = client.post(failed["links"]["retry"])
        assert again.status_code == 202
        told = until(lambda: ended(client, again.json()["job_id"]))
        assert told["status"] == "succeeded"
        assert told["links"]["retry_of"] == failed["links"]["self"]
        assert told["spec_digest"] == failed["spec_digest"]
    refused = client.post(f"{told['links']['self']}/retry")
    assert (refused.status_code, refused.json()["legal"]) == (409, [])
    for path in service.places.failed.glob("*.json"):
        path.unlink()
    gone = client.post(f"/v1/jobs/{job_id}/retry")
    assert (gone.status_code, gone.json()["code"]) == (409, "not-retryable")


WITH_PROVENANCE = SPEC | {"provenance": {"model": "m"}}


@pytest.mark.parametrize("what", ["source", "bundle"])
def test_a_request_with_provenance_is_given_again_under_the_same_rule(
    client: httpx.Client, service: Service, what: str
) -> None:
    """Its bundle must lie there, and its sources hold what it was made from."""
    asked = {"json": WITH_PROVENANCE}
    first = posted(client, **asked)
    assert posted(client, **asked) == first
    client.post(f"/v1/jobs/{first[1]}/cancel")
    _, done = posted(client, **asked)
    assert done != first[1]
    with at_work(service):
        until(lambda: ended(client, done))
    assert posted(client, **asked) == (200, done)
    if what == "source":
        Image.new("RGB", (64, 36), "red").save(service.places.root / "media" / "a.png")
    else:
        bundle = client.get(f"/v1/jobs/{done}").json()["bundle"]
        (service.places.outbox / bundle / "video.mp4").unlink()
    status, other = posted(client, **asked)
    assert (status, other != done) == (202, True)
    assert posted(client, **asked) == (202, other)


def test_a_film_of_an_asset_is_the_same_while_the_asset_is(
    client: httpx.Client, service: Service
) -> None:
    asset = service.assets.create_pending_asset("", "a.png", "image/png").asset_id
    picture = service.places.root / "media" / "a.png"
    film = SPEC | {"tracks": [{"clips": [{"image": f"asset:{asset}", "length": "1s"}]}]}
    service.assets.fulfill_asset(asset, picture)
    with at_work(service):
        _, done = posted(client, json=film)
        until(lambda: ended(client, done))
    assert client.get(f"/v1/jobs/{done}").json()["status"] == "succeeded"
    assert posted(client, json=film) == (200, done)
