from __future__ import annotations

import json
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from ulid import ULID

from daemon.assets.service import AssetService
from daemon.catalog import AssetFilters, open_catalog
from daemon.catalog.refusals import AssetContentRefused, AssetNotThere, AssetUnknown
from daemon.places import Places
from daemon.storage.contract import Stored
from daemon.storage.local import LocalStorage
from renderer.assets import Asset, AssetKind, AssetState, IllegalAssetMove, Visibility
from renderer.digest import digest_of_bytes
from renderer.errors import UsageError

JOB = "J" * 26
NOW = 1_769_900_000.0


@pytest.fixture
def heard() -> list[Asset]:
    return []


@pytest.fixture
def service(tmp_path: Path, heard: list[Asset]) -> Iterator[AssetService]:
    catalog = open_catalog(tmp_path / "root", {})
    places = Places(tmp_path / "root")
    yield AssetService(
        catalog, LocalStorage(places.own("assets"), keys=lambda: (), clock=lambda: 1.0),
        places=places, clock=lambda: NOW,
        new_id=lambda: str(ULID()), changed=heard.append,
    )  # fmt: skip
    catalog.close()


def picture(folder: Path, name: str = "a.png", colour: str = "teal") -> Path:
    Image.new("RGB", (8, 4), colour).save(folder / name, "PNG")
    return folder / name


def sound(folder: Path) -> Path:
    with wave.open(str(folder / "a.wav"), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(8000)
        stream.writeframes(b"\1\0" * 4000)
    return folder / "a.wav"


def stored(service: AssetService) -> list[str]:
    root = service.places.own("assets")
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_an_upload_is_moved_into_its_day_and_measured(
    service: AssetService, tmp_path: Path, heard: list[Asset]
) -> None:
    data = sound(tmp_path).read_bytes()
    made = service.create_upload_asset(
        tmp_path / "a.wav", "a", "audio/anything", owner="ada", world="north", tags=["x"],
        visibility=Visibility.PUBLIC, asset_type="voice",
    )  # fmt: skip
    assert not (tmp_path / "a.wav").exists()
    assert stored(service) == [f"uploads/2026-01-31/{made.asset_id}"]
    assert service.path_of(made).read_bytes() == data
    assert (made.size_bytes, made.sha256) == (len(data), digest_of_bytes(data))
    assert (made.media_type, made.duration_ms) == ("audio/wav", 500)
    assert service.catalog.assets.get(made.asset_id) == made
    assert heard == [made]


@pytest.mark.parametrize(
    ("data", "claimed", "measured"),
    [
        (b'{"a": 1}', "application/json; charset=utf-8", "application/json"),
        ("é".encode(), "text/plain", "text/plain"),
        (b"<html>", "text/html", "application/octet-stream"),
        (b"\0\1", "application/x-thing", "application/octet-stream"),
    ],
)
def test_what_is_no_media_is_what_it_can_be_shown_to_be(
    service: AssetService, tmp_path: Path, data: bytes, claimed: str, measured: str
) -> None:
    (tmp_path / "f").write_bytes(data)
    assert service.create_upload_asset(tmp_path / "f", "f", claimed).media_type == measured


@pytest.mark.parametrize(
    ("data", "claimed"),
    [(b"no", "image/png"), (b"{", "application/json"), (b"\xff", "text/plain"), (b"", "video/mp4")],
)
def test_what_is_not_what_it_is_claimed_to_be_is_refused_and_left(
    service: AssetService, tmp_path: Path, data: bytes, claimed: str
) -> None:
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(AssetContentRefused, match="claimed to be"):
        service.create_upload_asset(tmp_path / "f", "f", claimed)
    assert (tmp_path / "f").read_bytes() == data
    assert service.catalog.assets.count() == 0


def test_a_picture_that_is_claimed_to_be_sound_is_refused(
    service: AssetService, tmp_path: Path
) -> None:
    with pytest.raises(AssetContentRefused, match="and is image/png"):
        service.create_upload_asset(picture(tmp_path), "a", "audio/wav")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    with pytest.raises(AssetContentRefused, match="no plain file"):
        service.create_upload_asset(tmp_path / "link.png", "a", "image/png")


def test_a_promise_is_kept_with_a_file_of_its_job(
    service: AssetService, tmp_path: Path, heard: list[Asset]
) -> None:
    promise = service.create_pending_asset(JOB, "t", "image/png", owner="ada")
    assert promise.state is AssetState.PENDING
    with pytest.raises(AssetNotThere, match="pending"):
        service.path_of(promise)
    kept = service.fulfill_asset(promise.asset_id, picture(tmp_path))
    assert stored(service) == [f"generated/{JOB}/{promise.asset_id}.{kept.sha256[:16]}"]
    assert (kept.state, kept.created_by_job, kept.owner) == (AssetState.AVAILABLE, JOB, "ada")
    assert heard == [kept]
    again = service.fulfill_asset(promise.asset_id, picture(tmp_path))
    assert again == kept
    with pytest.raises(IllegalAssetMove):
        service.fulfill_asset(promise.asset_id, picture(tmp_path, "b.png", "red"))
    with pytest.raises(IllegalAssetMove):
        service.fail_asset(promise.asset_id, "late")
    assert len(stored(service)) == 1
    assert (tmp_path / "b.png").exists()


def test_a_promise_that_failed_says_why_and_stays_so(service: AssetService, tmp_path: Path) -> None:
    promise = service.create_pending_asset(JOB, "t", "image/png")
    assert service.create_pending_asset(JOB, "u", "x/y", asset_id=promise.asset_id) == promise
    failed = service.fail_asset(promise.asset_id, "no light")
    with pytest.raises(AssetNotThere, match="no light"):
        service.path_of(failed)
    with pytest.raises(IllegalAssetMove):
        service.fulfill_asset(promise.asset_id, picture(tmp_path))
    assert stored(service) == []
    with pytest.raises(AssetUnknown):
        service.fail_asset("0" * 26, "x")


class Overtaking(LocalStorage):
    """A storage whose first caller is overtaken by another, before its bytes are kept."""

    first: Callable[[], object] | None = None

    def put_file(self, key: str, path: Path, *, media_type: str = "", move: bool = False) -> Stored:
        overtake, self.first = self.first, None
        if overtake:
            overtake()
        return super().put_file(key, path, media_type=media_type, move=move)


def test_two_that_keep_one_promise_with_the_same_bytes_both_succeed(
    service: AssetService, tmp_path: Path
) -> None:
    promise = service.create_pending_asset(JOB, "t", "image/png")
    storage = Overtaking(tmp_path / "s", keys=lambda: (), clock=lambda: 1.0)
    service.storage = storage
    other = picture(tmp_path, "other.png")
    storage.first = lambda: service.fulfill_asset(promise.asset_id, other)
    kept = service.fulfill_asset(promise.asset_id, picture(tmp_path))
    assert kept.state is AssetState.AVAILABLE
    assert storage.local_path(kept.key) is not None
    assert not (tmp_path / "a.png").exists()


def test_whoever_died_between_the_bytes_and_the_row_may_begin_again(
    service: AssetService, tmp_path: Path
) -> None:
    promise = service.create_pending_asset(JOB, "t", "image/png")
    sha256 = digest_of_bytes(picture(tmp_path).read_bytes())
    key = f"generated/{JOB}/{promise.asset_id}.{sha256[:16]}"
    service.storage.put_file(key, tmp_path / "a.png", move=True)
    kept = service.fulfill_asset(promise.asset_id, picture(tmp_path))
    assert (kept.key, kept.state) == (key, AssetState.AVAILABLE)
    assert not (tmp_path / "a.png").exists()


def test_a_deleted_asset_leaves_its_row_and_no_bytes(service: AssetService, tmp_path: Path) -> None:
    made = service.create_upload_asset(picture(tmp_path), "a", "image/png")
    gone = service.delete_asset(made.asset_id)
    assert stored(service) == []
    assert gone.state is AssetState.DELETED
    with pytest.raises(AssetNotThere, match="deleted"):
        service.path_of(gone)
    with pytest.raises(IllegalAssetMove):
        service.delete_asset(made.asset_id)


def test_bytes_that_a_dead_process_did_not_delete_are_swept(
    service: AssetService, tmp_path: Path
) -> None:
    made = service.create_upload_asset(picture(tmp_path), "a", "image/png")
    service.catalog.assets.move(made.asset_id, AssetState.DELETED, now=NOW)
    assert len(stored(service)) == 1
    service.sweep()
    service.sweep()
    assert stored(service) == []
    assert service.catalog.assets.to_clear() == ()


@pytest.mark.parametrize("value", ["text\r\n", {"b": [1, None]}, 0, None, "", False])
def test_a_manifest_holds_paths_of_files_and_of_values(
    service: AssetService, tmp_path: Path, value: Any
) -> None:
    file = service.create_upload_asset(picture(tmp_path), "a", "image/png")
    valued = service.create_upload_asset(None, "v", "", kind=AssetKind.VALUE, value=value)
    wanted = {"picture": file.asset_id, "lore": valued.asset_id}
    with service.get_manifest_path(wanted, {"level": 3}) as manifest:
        assert manifest.path.name == "input_data.json"
        told = json.loads(manifest.path.read_text())
        assert set(told) == {"picture", "lore", "level"}
        assert told["level"] == 3
        assert Path(told["picture"]) == service.path_of(file).absolute()
        lore = Path(told["lore"])
        assert lore.is_absolute()
        is_text = isinstance(value, str)
        assert lore.suffix == (".txt" if is_text else ".json")
        data = lore.read_bytes().decode()
        assert (data if is_text else json.loads(data)) == value
        folder = manifest.path.parent
    assert not folder.exists()
    assert service.path_of(file).exists()
    manifest.close()


def test_a_manifest_of_what_is_not_there_is_refused(service: AssetService, tmp_path: Path) -> None:
    promise = service.create_pending_asset(JOB, "t", "x/y", kind=AssetKind.VALUE)
    with pytest.raises(AssetNotThere, match="pending"):
        service.get_manifest_path({"a": promise.asset_id}, {})
    service.fulfill_value(promise.asset_id, {"x": 1})
    for mappings, params in (
        ({"../a": promise.asset_id}, {}),
        ({"a": promise.asset_id}, {"a": 1}),
        ({}, {"": 1}),
    ):
        with pytest.raises(UsageError):
            service.get_manifest_path(mappings, params)
    assert list((tmp_path / "root/.reelkiln").glob("manifests/*")) == []


def test_a_manifest_whose_process_died_is_swept(service: AssetService, tmp_path: Path) -> None:
    folder = service.places.own("manifests")
    script = (
        "import os, sys; from pathlib import Path\n"
        "from daemon.assets.input_manifest import InputManifest\n"
        "made = InputManifest(Path(sys.argv[1]), files={}, values={'a': 'x'}, params={})\n"
        "os._exit(9)"
    )
    home = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", script, folder], cwd=home).returncode == 9
    with service.get_manifest_path({}, {}) as alive:
        assert len(list(folder.iterdir())) == 2
        service.sweep()
        assert [path.name for path in folder.iterdir()] == [alive.path.parent.name]


@dataclass(frozen=True, kw_only=True)
class Upload:
    upload_id: str
    key: str
    owner: str
    media_type: str
    size_bytes: int
    sha256: str
    file_name: str
    world: str = ""
    fulfils: str = ""
    duration_ms: int | None = 500


def test_of_two_uploads_for_one_promise_one_keeps_it(service: AssetService) -> None:
    promise = service.create_pending_asset("", "a.wav", "audio/wav", owner="ada", world="north")
    first = Upload(
        upload_id="U" * 26, key="uploads/2026-01-31/x", owner="ada", media_type="audio/wav",
        size_bytes=9, sha256="0" * 64, file_name="b.wav", fulfils=promise.asset_id,
    )  # fmt: skip
    assert not service.stands_on(first)
    with ThreadPoolExecutor(4) as pool:
        kept = set(pool.map(service.fulfil_upload, [first] * 4))
    assert kept == {promise.asset_id}
    made = service.catalog.assets.get(promise.asset_id)
    assert (made.label, made.world, made.key, made.duration_ms) == (
        "a.wav", "north", first.key, 500,
    )  # fmt: skip
    second = replace(first, upload_id="V" * 26, key="uploads/2026-01-31/y")
    with pytest.raises(IllegalAssetMove):
        service.fulfil_upload(second)
    assert (service.stands_on(first), service.stands_on(second)) == (True, False)


def test_a_proven_upload_becomes_one_asset_of_its_id(service: AssetService, tmp_path: Path) -> None:
    data = sound(tmp_path).read_bytes()
    service.storage.put_file("uploads/2026-01-31/x", tmp_path / "a.wav", move=True)
    upload = Upload(
        upload_id="U" * 26, key="uploads/2026-01-31/x", owner="ada", media_type="audio/wav",
        size_bytes=len(data), sha256=digest_of_bytes(data), file_name="a.wav",
    )  # fmt: skip
    assert service.fulfil_upload(upload) == service.fulfil_upload(upload) == upload.upload_id
    made = service.catalog.assets.get(upload.upload_id)
    assert (made.label, made.owner, made.duration_ms) == ("a.wav", "ada", 500)
    assert service.path_of(made).read_bytes() == data
    assert service.catalog.assets.count(AssetFilters(owner="ada")) == 1
