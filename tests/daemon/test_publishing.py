"""Finished bundles in the storage: by command, and by a daemon that is told to."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from daemon.fs import RealFs
from daemon.jobs import Job, JobState
from daemon.places import Places
from daemon.publishing import BundlePublisher, publish_prefix
from daemon.service import ServeSettings, Service
from daemon.storage.around import Around
from daemon.storage.contract import Storage
from daemon.storage.errors import KeyRefused, StorageUnavailable
from daemon.storage.local import LocalStorage
from daemon.storage.opening import open_s3
from renderer.bundle import seal, verify
from renderer.store import LocalStore
from tests.command import run_command
from tests.daemon.running import at_work, drop, until
from tests.daemon.seaweed import Seaweed, seaweed_server
from tests.daemon.storage_contract import read
from tests.renderer.bundle.sealed import contents_of, make_media

SPEC = {
    "reelkiln": 1, "output": {"size": "64x36", "fps": 10, "quality": "draft"},
    "tracks": [{"clips": [{"colour": "teal", "length": 0.2}]}],
}  # fmt: skip


@pytest.fixture(scope="module")
def seaweed() -> Iterator[Seaweed]:
    with seaweed_server() as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def place(
    request: pytest.FixtureRequest, seaweed: Seaweed, tmp_path: Path
) -> tuple[Mapping[str, str], Storage]:
    """The settings that name a storage, and that storage."""
    if request.param == "folder":
        folder = tmp_path / "root" / ".reelkiln" / "assets"
        return {}, LocalStorage(folder, keys=lambda: (), clock=time.time)
    name = f"films-{secrets.token_hex(4)}"
    environment = {**seaweed.environment, "REELKILN_STORAGE_URL": f"s3://{name}/here"}
    storage = open_s3(environment)
    storage._client.create_bucket(Bucket=name)
    return environment, storage


def daemon(root: Path, environment: Mapping[str, str]) -> Service:
    root.mkdir(exist_ok=True)
    settings = ServeSettings(root=root, jobs=1, environment={**environment})
    return Service(settings)


def published(storage: Storage, prefix: str) -> dict[str, bytes]:
    return {entry.key: read(storage, entry.key) for entry in storage.list(prefix)}


def files_of(bundle: Path, prefix: str) -> dict[str, bytes]:
    return {
        f"{prefix}/{bundle.name}/{path.relative_to(bundle)}": path.read_bytes()
        for path in bundle.rglob("*") if path.is_file()
    }  # fmt: skip


def test_a_daemon_publishes_what_it_finished_and_what_was_finished_before(
    place: tuple[Mapping[str, str], Storage], tmp_path: Path
) -> None:
    environment, storage = place
    root = tmp_path / "root"
    service = daemon(root, environment)
    with at_work(service):  # it is not told to
        drop(root, "a.json", json.dumps({**SPEC, "id": "a"}).encode())
        until(lambda: bool(list(service.places.receipts.glob("*.json"))))
    assert list(storage.list("films")) == []
    service = daemon(root, {**environment, "REELKILN_PUBLISH": "films/"})
    with at_work(service):
        drop(root, "b.json", json.dumps({**SPEC, "id": "b"}).encode())
        until(lambda: len([e for e in storage.list("films") if "manifest.json" in e.key]) == 2)
    bundles = [*service.places.outbox.glob("a-*"), *service.places.outbox.glob("b-*")]
    for bundle in bundles:
        verify(bundle)
    expected = {key: data for one in bundles for key, data in files_of(one, "films").items()}
    assert published(storage, "films") == expected

    env = {**os.environ, **environment}
    told = run_command("publish", bundles[0], "--root", root, "--json", env=env)
    assert told.returncode == 0, told.stderr
    done = json.loads(told.stdout)
    assert done["manifest_key"] == f"bundles/{bundles[0].name}/manifest.json"
    assert done["sent"][-1] == "manifest.json"
    assert published(storage, "bundles") == files_of(bundles[0], "bundles")
    (bundles[0] / "video.mp4").write_bytes(b"another film")
    refused = run_command("publish", bundles[0], "--root", root, "--prefix", "other", env=env)
    assert refused.returncode == 6
    assert list(storage.list("other")) == []


def test_what_a_storage_that_was_away_missed_is_published_by_the_next_look(
    tmp_path: Path,
) -> None:
    class Away(Around):
        is_away = True

        def exists(self, key: str) -> bool:
            if self.is_away:
                raise StorageUnavailable("away")
            return self.inner.exists(key)

    places, fs = Places(tmp_path / "root"), RealFs()
    for folder in places.folders():
        folder.mkdir(parents=True, exist_ok=True)
    store = LocalStore(tmp_path / "store")
    bundle = seal(contents_of(store, make_media(tmp_path)), store, places.outbox)
    job = Job(job_id="J" * 26, name="a.json", state=JobState.SUCCEEDED, bundle=bundle.path.name)
    lost = Job(job_id="K" * 26, name="b.json", state=JobState.SUCCEEDED, bundle="gone-1")
    for one in (job, lost):
        places.receipt(one.job_id).write_text(json.dumps(one.as_json()))
    storage = Away(LocalStorage(places.own("assets"), keys=lambda: (), clock=time.time))
    publisher = BundlePublisher(storage, fs=fs, places=places, prefix="films", again_s=0.05)
    assert not publisher.reconcile()
    publisher.start()
    storage.is_away = False
    until(lambda: bool(list(storage.list("films"))))
    publisher.stop()
    assert published(storage, "films") == files_of(bundle.path, "films")


def test_a_prefix_that_is_no_key_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused):
        daemon(tmp_path / "root", {"REELKILN_PUBLISH": "../films"})
    assert publish_prefix({}) == ""
