from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ulid import ULID

from daemon.assets.lineage_chart import lineage_chart
from daemon.assets.service import AssetService
from daemon.assets.settling import Settling
from daemon.catalog import AssetFilters, open_catalog
from daemon.catalog.derivations import Derivations, Lineage
from daemon.catalog.nodes import asset_node, job_node
from daemon.fs import RealFs
from daemon.jobs import Job, JobState
from daemon.places import Places
from daemon.promises.contract import NoPromises
from daemon.promises.references import References
from daemon.reading import Reading
from daemon.storage.local import LocalStorage
from renderer.assets import AssetState
from renderer.bundle import seal
from renderer.limits import Limits
from renderer.store import LocalStore
from tests.renderer.bundle.sealed import contents_of, make_media

JOB = "J" * 26
DOCUMENT = {
    "reelkiln": 1,
    "provenance": {"world": "north", "references": {"claims": ["c"]}},
    "tracks": [{"clips": [{"image": "asset:A1", "length": "1s"}]}],
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[AssetService]:
    places = Places(tmp_path)
    for folder in places.folders():
        folder.mkdir(parents=True, exist_ok=True)
    catalog = open_catalog(tmp_path, {})
    yield AssetService(
        catalog, LocalStorage(places.own("assets"), keys=lambda: (), clock=lambda: 1.0),
        places=places, clock=lambda: 1.0,
        new_id=lambda: str(ULID()),
    )  # fmt: skip
    catalog.close()


def reading_of(places: Places) -> Reading:
    references = References(fs=RealFs(), places=places, promises=NoPromises())
    return Reading(media=(places.inbox,), limits=Limits(), references=references)


def settling(service: AssetService) -> Settling:
    return Settling(
        service, fs=RealFs(), places=service.places, clock=lambda: 1.0,
        new_id=lambda: str(ULID()), reading=reading_of(service.places),
    )  # fmt: skip


def ended(service: AssetService, state: JobState, **changes: Any) -> None:
    """A receipt, as a daemon that died right after it leaves it."""
    data = json.dumps(DOCUMENT).encode()
    (service.places.own("done") / JOB).write_bytes(data)
    job = Job(job_id=JOB, name="d.json", state=state, owner="ada", created_at=5.0, updated_at=6.0,
              spec_sha256=sha256(data).hexdigest(), **changes)  # fmt: skip
    service.places.receipt(JOB).write_text(json.dumps(job.as_json()))


def test_a_job_that_ended_while_nobody_looked_is_taken_in_once(service: AssetService) -> None:
    ended(service, JobState.SUCCEEDED)
    promise = service.create_pending_asset(JOB, "r", "text/plain", owner="ada")
    assert settling(service).reconcile() == 1
    assert settling(service).reconcile() == 0
    found = service.catalog.requests.get(JOB)
    assert found
    assert (found.owner, found.world, found.provenance.references.claims) == (
        "ada",
        "north",
        ("c",),
    )
    up = service.catalog.derivations.lineage(asset_node(promise.asset_id)).up
    kinds = sorted((edge.child.kind, edge.parent.kind) for edge in up)
    assert kinds == [("asset", "claim"), ("asset", "job"), ("job", "asset"), ("job", "claim")]
    assert service.catalog.assets.get(promise.asset_id).state is AssetState.PENDING


def test_a_file_that_was_promised_is_one_asset_and_not_two(
    service: AssetService, tmp_path: Path
) -> None:
    store = LocalStore(tmp_path / "store")
    bundle = seal(contents_of(store, make_media(tmp_path)), store, service.places.outbox)
    promise = service.create_pending_asset(JOB, "video.mp4", "video/mp4", owner="ada")
    ended(
        service, JobState.SUCCEEDED, bundle=bundle.path.name, bundle_digest=bundle.digest,
        promised={"video.mp4": promise.asset_id},
    )  # fmt: skip
    settling(service).reconcile()
    made = service.catalog.assets.page(AssetFilters(created_by_job=JOB)).assets
    labels = [one.label for one in made]
    assert labels.count("video.mp4") == 1
    assert len(labels) == len(set(labels)) > 1


def test_the_promises_of_a_failed_job_fail_with_its_reason(service: AssetService) -> None:
    promise = service.create_pending_asset(JOB, "r", "text/plain", owner="ada")
    ended(service, JobState.FAILED, error={"message": "no light"})
    settling(service).settle(JOB)
    failed = service.catalog.assets.get(promise.asset_id)
    assert (failed.state, failed.status_reason) == (AssetState.FAILED, "no light")


def test_nothing_is_settled_without_a_receipt_and_a_damaged_one_stops_nothing(
    service: AssetService,
) -> None:
    settling(service).settle(JOB)
    assert service.catalog.settled.known() == set()
    service.places.receipt("0" * 26).write_text("{")
    ended(service, JobState.CANCELLED)
    assert settling(service).reconcile() == 2
    assert service.catalog.settled.known() == {JOB}


def test_whoever_dies_in_the_middle_of_settling_has_settled_nothing(
    service: AssetService, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(service, JobState.SUCCEEDED)
    promise = service.create_pending_asset(JOB, "r", "text/plain")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("daemon.catalog.settled.made_edges", die)
    with pytest.raises(KeyboardInterrupt):
        settling(service).settle(JOB)
    monkeypatch.undo()
    assert service.catalog.settled.known() == set()
    assert service.catalog.requests.get(JOB) is None
    assert settling(service).reconcile() == 1
    assert service.catalog.derivations.lineage(asset_node(promise.asset_id)).up


def test_a_lineage_is_drawn_whatever_its_labels_hold(service: AssetService) -> None:
    ended(service, JobState.SUCCEEDED)
    promise = service.create_pending_asset(JOB, "r", "text/plain", owner="ada")
    settling(service).reconcile()
    derivations: Derivations = service.catalog.derivations
    node = asset_node(promise.asset_id)
    lineage: Lineage = derivations.lineage(node)
    drawn = lineage_chart(lineage, {node: "<b>\0\ud800 & 🎞" * 9})
    boxes = list(ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}g"))
    assert len(boxes) == 4
    alone = lineage_chart(derivations.lineage(job_node("nobody")), {})
    assert len(list(ElementTree.fromstring(alone).iter("{http://www.w3.org/2000/svg}g"))) == 1
