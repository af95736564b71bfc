"""A job that tells where it comes from, from hand-in to lists, over HTTP on both databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from daemon.accounts.store import open_accounts
from daemon.service import ServeSettings, Service
from tests.daemon.api.conftest import SPEC, context_of, ended, listening, until
from tests.daemon.postgres import running_postgres
from tests.daemon.running import at_work

THINGS = {
    "claims": ["c1", {"id": "c2", "title": "It is lit"}],
    "entities": ["e1"],
    "source_chunks": ["s1/1"],
    "sources": ["s1"],
}
PROVENANCE = {
    "world": "north",
    "references": {
        "claims": ["c2", "c1"], "entities": ["e1"], "source_chunks": ["s1/1"], "sources": ["s1"],
    },
    "lore_snapshot": {"revision": 1, "text": "The light is lit."},
    "provider": "offline",
    "model": "m",
    "prompt_spec": {"temperature": 0},
}  # fmt: skip
DOCUMENT = {**SPEC, "provenance": PROVENANCE}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    root = tmp_path_factory.mktemp("assets") / "root"
    root.mkdir()
    (root / "media").mkdir()
    Image.new("RGB", (64, 36), "teal").save(root / "media" / "a.png")
    if request.param == "sqlite":
        yield Service(ServeSettings(root=root, jobs=1, environment={}))
        return
    with running_postgres() as url:
        environment = {"REELKILN_DATABASE_URL": url.render_as_string(hide_password=False)}
        yield Service(ServeSettings(root=root, jobs=1, environment=environment))


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    context = context_of(service)
    context.access.accounts.close()
    accounts = open_accounts(service.places.root, service.settings.environment)
    context = replace(context, access=replace(context.access, accounts=accounts))
    with at_work(service), listening(context) as found:
        assert found.put("/v1/worlds/north", json={"title": "The north"}).status_code == 200
        assert found.put("/v1/worlds/south", json={}).status_code == 200
        told = found.post("/v1/worlds/north/references", json=THINGS)
        assert told.json() == {"world": "north", "registered": 5}
        found.post("/v1/worlds/south/references", json={"claims": ["c3"]})
        yield found


@pytest.fixture(scope="module")
def job(client: httpx.Client) -> dict[str, Any]:
    """The job, once it has succeeded and its assets are there."""
    told = client.post("/v1/jobs", json=DOCUMENT)
    assert told.status_code == 202, told.text
    assert told.json()["world"] == "north"
    done: dict[str, Any] = until(lambda: ended(client, told.json()["job_id"]))
    assert done["status"] == "succeeded", done
    assert done["started_at"]
    until(lambda: assets_of(client, done["job_id"]))
    return done


def assets_of(client: httpx.Client, job_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/v1/jobs/{job_id}/assets").json()["assets"]
    return found


def test_what_the_job_made_is_listed_by_world_and_by_each_reference(
    client: httpx.Client, job: dict[str, Any]
) -> None:
    made = assets_of(client, job["job_id"])
    assert {"video", "thumbnail"} <= {one["asset_type"] for one in made}
    ids = {one["asset_id"] for one in made}
    by = [{"claim": "c1"}, {"claim": "c2"}, {"entity": "e1"}, {"source_chunk": "s1/1"}]
    by += [{"source": "s1"}, {}]
    for asked in by:
        told = client.get("/v1/assets", params={"world": "north", "count": "true", **asked}).json()
        assert {one["asset_id"] for one in told["assets"]} == ids, asked
        assert told["count"] == len(ids)
        if asked:
            (field, word), = asked.items()  # fmt: skip
            kind = field.replace("_", "-")
            jobs = client.get("/v1/worlds/north/jobs", params={"kind": kind, "id": word}).json()
            assert [one["job_id"] for one in jobs["jobs"]] == [job["job_id"]]
            assert jobs["count"] == 1
            south = {"world": "south", **asked}
            assert client.get("/v1/assets", params=south).json()["assets"] == []
    pages = client.get("/v1/assets", params={"world": "north", "source": "s1", "limit": 1})
    assert client.get(pages.links["next"]["url"]).json()["assets"][0]["asset_id"] in ids


def test_an_equal_request_returns_the_job_and_its_assets(
    client: httpx.Client, job: dict[str, Any]
) -> None:
    references = {name: list(reversed(ids)) for name, ids in PROVENANCE["references"].items()}  # type: ignore[attr-defined]
    again = {"provenance": {**PROVENANCE, "references": references}, **dict(reversed(SPEC.items()))}
    told = client.post("/v1/jobs", json=again)
    assert (told.status_code, told.json()["job_id"]) == (200, job["job_id"])
    assert told.json()["status"] == "succeeded"
    assert len(assets_of(client, job["job_id"])) >= 2


@pytest.mark.parametrize(
    "changes",
    [{"lore_snapshot": {"revision": 2}}, {"model": "n"}, {"references": {"claims": ["c1"]}}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_changed_request_makes_a_new_job_and_the_same_bundle(
    client: httpx.Client, job: dict[str, Any], changes: dict[str, Any]
) -> None:
    told = client.post("/v1/jobs", json={**SPEC, "provenance": {**PROVENANCE, **changes}})
    assert told.status_code == 202
    assert told.json()["job_id"] != job["job_id"]
    done = until(lambda: ended(client, told.json()["job_id"]))
    assert (done["status"], done["bundle_digest"]) == ("succeeded", job["bundle_digest"])


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"references": {"claims": ["c1", "c9"]}}, "/references/claims/1", "reference-unknown"),
        ({"references": {"claims": ["c3"]}}, "/references/claims/0", "reference-elsewhere"),
        ({"references": {"sources": ["c1"]}}, "/references/sources/0", "reference-unknown"),
        ({"world": "nowhere"}, "/world", "world-unknown"),
        ({"world": None}, "/references", "world-missing"),
    ],
)
def test_what_is_not_there_or_of_another_world_is_refused_with_its_place(
    client: httpx.Client, changes: dict[str, Any], pointer: str, code: str
) -> None:
    told = client.post("/v1/jobs", json={**SPEC, "provenance": {**PROVENANCE, **changes}})
    assert (told.status_code, told.json()["code"]) == (422, "provenance-refused")
    (fault,) = told.json()["errors"]
    assert (fault["pointer"], fault["code"]) == (f"/provenance{pointer}", code)
    assert fault["line"] == 1


def test_the_lineage_leads_from_the_video_to_every_reference(
    client: httpx.Client, job: dict[str, Any]
) -> None:
    video = next(one for one in assets_of(client, job["job_id"]) if one["asset_type"] == "video")
    here = video["links"]["lineage"]
    told = client.get(here).json()
    parents = {(e["parent"]["kind"], e["parent"]["id"]) for e in told["up"]
               if e["child"]["id"] == video["asset_id"]}  # fmt: skip
    assert parents == {
        ("job", job["job_id"]), ("claim", "c1"), ("claim", "c2"), ("entity", "e1"),
        ("source-chunk", "s1/1"), ("source", "s1"),
    }  # fmt: skip
    for drawn in (
        client.get(here, headers={"Accept": "image/svg+xml"}),
        client.get(f"{here}?format=svg"),
    ):
        assert drawn.headers["content-type"] == "image/svg+xml"
        assert job["job_id"][:20] in drawn.text


def test_the_content_is_that_of_the_bundle_and_public_when_it_is_said(
    client: httpx.Client, service: Service, job: dict[str, Any]
) -> None:
    video = next(one for one in assets_of(client, job["job_id"]) if one["asset_type"] == "video")
    whole = (service.places.outbox / job["bundle"] / "video.mp4").read_bytes()
    assert client.get(video["links"]["content"]).content == whole
    part = client.get(video["links"]["content"], headers={"Range": "bytes=4-11"})
    assert (part.status_code, part.content) == (206, whole[4:12])
    public = f"/asset/{video['asset_id']}"
    assert client.get(public).status_code == 404
    changed = client.put(f"{video['links']['self']}/visibility", json={"visibility": "public"})
    assert changed.json()["links"]["public"] == public
    found = client.get(public)
    assert found.content == whole
    assert client.get(public, headers={"If-None-Match": found.headers["etag"]}).status_code == 304


def test_a_dropped_document_is_taken_into_the_catalog_too(
    client: httpx.Client, service: Service, tmp_path: Path
) -> None:
    import json

    text = json.dumps({**SPEC, "id": "dropped", "provenance": PROVENANCE})
    (tmp_path / "d.json").write_text(text)
    os.replace(tmp_path / "d.json", service.places.inbox / "d.json")

    def found() -> Any:
        jobs = client.get("/v1/jobs", params={"name": "d.json"}).json()["jobs"]
        return jobs and assets_of(client, jobs[0]["job_id"])

    asset = until(found)[0]
    up = client.get(asset["links"]["lineage"]).json()["up"]
    assert ("claim", "c1") in {(edge["parent"]["kind"], edge["parent"]["id"]) for edge in up}
