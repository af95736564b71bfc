from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from renderer.bundle import BundleContents, seal, verify
from renderer.bundle.manifest import FileEntry
from renderer.bundle.quality import Finding
from renderer.digest import digest_of, digest_of_bytes
from renderer.errors import Interrupted, OutputRejected, RenderFailed, StorageFull, StoreCorrupt
from renderer.events import Event, Warned
from renderer.store import LocalStore
from tests.renderer.bundle.sealed import PIN, SPEC, all_files, contents_of
from tests.renderer.store_contract import put


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_a_sealed_bundle_verifies_and_is_named_by_id_and_key(
    contents: BundleContents, store: LocalStore, outbox: Path
) -> None:
    bundle = seal(contents, store, outbox)
    assert bundle.path.name == f"launch-{contents.manifest.render_key[:16]}"
    assert not bundle.reused
    assert verify(bundle.path) == contents.manifest
    assert bundle.digest == digest_of_bytes((bundle.path / "manifest.json").read_bytes())
    assert os.listdir(outbox) == [bundle.path.name]
    assert set(all_files(bundle.path)) == {
        *("video.mp4", "audio.m4a", "thumbnail.jpg", "spec.json", "lock.json", "manifest.json"),
        *("statement.intoto.json", "SHA256SUMS", "bundle.zip"),
    }


def test_the_manifest_lists_every_file_with_size_type_and_digest(sealed: Path) -> None:
    manifest = verify(sealed)
    files = all_files(sealed)
    derived = {"manifest.json", "statement.intoto.json", "SHA256SUMS", "bundle.zip"}
    assert {entry.path for entry in manifest.files} == set(files) - derived
    for entry in manifest.files:
        data = files[entry.path]
        assert (entry.size_bytes, entry.sha256) == (len(data), digest_of_bytes(data))
    assert {e.path: e.media_type for e in manifest.files}["video.mp4"] == "video/mp4"
    assert manifest.spec_digest == digest_of(SPEC)
    assert manifest.inputs[0].provenance == PIN["provenance"]


def test_sha256sum_accepts_the_sums_of_all_but_themselves_and_the_zip(sealed: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"],
        cwd=sealed, capture_output=True, text=True, check=True,
    )  # fmt: skip
    named = {line.rpartition(": ")[0] for line in done.stdout.splitlines()}
    assert named == set(all_files(sealed)) - {"bundle.zip", "SHA256SUMS"}


def test_the_zip_holds_the_folder_with_everything_but_itself(sealed: Path) -> None:
    with zipfile.ZipFile(sealed / "bundle.zip") as opened:
        held = {name: opened.read(name) for name in opened.namelist()}
    there = {f"{sealed.name}/{name}": data for name, data in all_files(sealed).items()}
    del there[f"{sealed.name}/bundle.zip"]
    assert held == there


def test_the_statement_names_every_file_and_every_source(sealed: Path) -> None:
    said = json.loads((sealed / "statement.intoto.json").read_bytes())
    subjects = {entry["name"]: entry["digest"]["sha256"] for entry in said["subject"]}
    files = all_files(sealed)
    derived = {"statement.intoto.json", "SHA256SUMS", "bundle.zip"}
    assert subjects == {n: digest_of_bytes(d) for n, d in files.items() if n not in derived}
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    (source,) = said["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert (source["name"], source["digest"]) == ("a.png", {"sha256": digest_of("a")})
    assert set(said["predicate"]["runDetails"]) == {"builder"}


def test_two_outboxes_get_the_same_bytes_which_name_no_place(
    media: Mapping[str, Path], tmp_path: Path
) -> None:
    found = []
    for name in ("one", "two"):
        store = LocalStore(tmp_path / name / "store")
        found.append(all_files(seal(contents_of(store, media), store, tmp_path / name).path))
    assert found[0] == found[1]
    for data in found[0].values():
        assert os.fsencode(tmp_path) not in data


def test_files_are_copies_that_share_nothing_with_the_store(
    contents: BundleContents, store: LocalStore, outbox: Path
) -> None:
    bundle = seal(contents, store, outbox)
    (bundle.path / "video.mp4").write_bytes(b"changed")
    sha256 = contents.files["video.mp4"].sha256
    assert digest_of_bytes(store.path(sha256).read_bytes()) == sha256


def test_an_equal_bundle_is_reused_and_left_untouched(
    contents: BundleContents, store: LocalStore, outbox: Path
) -> None:
    first = seal(contents, store, outbox)
    before = {path: path.stat() for path in first.path.iterdir()}
    again = seal(contents, store, outbox)
    assert again == replace(first, reused=True)
    assert {path: path.stat() for path in first.path.iterdir()}.keys() == before.keys()
    assert all(path.stat().st_ino == found.st_ino for path, found in before.items())
    assert os.listdir(outbox) == [first.path.name]


def test_who_wants_to_know_hears_of_a_bundle_before_it_is_there_and_may_stop_it(
    contents: BundleContents, store: LocalStore, outbox: Path
) -> None:
    told: list[tuple[str, str, bool]] = []

    def hear(name: str, digest: str) -> None:
        told.append((name, digest, (outbox / name).exists()))

    def refuse(name: str, digest: str) -> None:
        raise Interrupted("not now")

    with pytest.raises(Interrupted):
        seal(contents, store, outbox, before_publish=refuse)
    assert os.listdir(outbox) == []
    bundle = seal(contents, store, outbox, before_publish=hear)
    seal(contents, store, outbox, before_publish=hear)
    named = (bundle.path.name, bundle.digest)
    assert told == [(*named, False), (*named, True)]


def test_a_damaged_bundle_is_set_aside_with_words_and_made_anew(
    contents: BundleContents, store: LocalStore, outbox: Path
) -> None:
    first = seal(contents, store, outbox)
    heard: list[Event] = []
    for number, rot in enumerate([b"rot", b"rust"], start=1):
        (first.path / "video.mp4").write_bytes(rot)
        again = seal(contents, store, outbox, listen=heard.append)
        assert again == first
        verify(again.path)
        kept = outbox / ".quarantine" / f"{first.path.name}.damaged{'-2' if number == 2 else ''}"
        assert (kept / "video.mp4").read_bytes() == rot
        said = heard.pop()
        assert isinstance(said, Warned)
        assert "video.mp4: has" in said.message
        assert str(kept) in said.message


@pytest.mark.parametrize("kind", ["file", "empty folder", "link to nowhere"])
def test_whatever_else_bears_the_name_is_set_aside_never_replaced(
    contents: BundleContents, store: LocalStore, outbox: Path, kind: str
) -> None:
    outbox.mkdir()
    target = outbox / contents.manifest.folder
    if kind == "file":
        target.write_bytes(b"precious")
    elif kind == "empty folder":
        target.mkdir()
    else:
        target.symlink_to(outbox / "nowhere")
    bundle = seal(contents, store, outbox)
    verify(bundle.path)
    assert not bundle.path.is_symlink()
    assert os.path.lexists(outbox / ".quarantine" / f"{target.name}.damaged")


def test_a_sound_bundle_of_the_key_with_other_content_is_an_error_and_stays(
    contents: BundleContents, store: LocalStore, outbox: Path, media: Mapping[str, Path]
) -> None:
    first = seal(contents, store, outbox)
    other = contents_of(store, {**media, "extra.jpg": media["thumbnail.jpg"]})
    with pytest.raises(RenderFailed, match=first.digest) as caught:
        seal(other, store, outbox)
    assert other.manifest.bundle_digest in caught.value.message
    assert verify(first.path).bundle_digest == first.digest
    assert os.listdir(outbox) == [first.path.name]


@pytest.mark.parametrize("name", ["../escape", "/etc/x", "manifest.json", "spec.json/x", "a b"])
def test_a_name_that_cannot_be_is_refused_and_nothing_is_published(
    contents: BundleContents, store: LocalStore, outbox: Path, name: str
) -> None:
    bad = replace(contents, files={**contents.files, name: put(store, b"x")})
    with pytest.raises(RenderFailed, match="cannot be sealed"):
        seal(bad, store, outbox)
    assert not outbox.exists()


def test_a_refused_output_goes_to_quarantine_with_a_report_and_nothing_is_published(
    contents: BundleContents, store: LocalStore, outbox: Path
) -> None:
    finding = Finding(check="sound", file="audio.m4a", expected="a tune", found="silence")
    film = contents.media["video.mp4"]
    assert film.picture is not None
    longer = replace(film, picture=replace(film.picture, frames=25))
    bad = replace(contents, findings=(finding,), media={**contents.media, "video.mp4": longer})
    for _ in range(2):  # the second time it is the same refusal, kept once
        with pytest.raises(OutputRejected) as caught:
            seal(bad, store, outbox)
        assert os.listdir(outbox) == [".quarantine"]
    place = outbox / ".quarantine" / contents.manifest.folder
    assert os.listdir(outbox / ".quarantine") == [place.name]
    assert caught.value.folder == str(place)
    assert str(place) in caught.value.message
    report = json.loads((place / "report.json").read_bytes())
    found = [(f["check"], f["file"], f["expected"], f["found"]) for f in report["findings"]]
    assert ("sound", "audio.m4a", "a tune", "silence") in found
    assert ("frames", "video.mp4", "25", "24") in found
    assert caught.value.as_json()["findings"] == report["findings"]
    entries = [FileEntry(**entry) for entry in report["files"]]
    assert entries == list(bad.manifest.files)
    for entry in entries:
        assert digest_of_bytes((place / entry.path).read_bytes()) == entry.sha256


def test_a_damaged_object_is_never_sealed(
    contents: BundleContents, store: LocalStore, outbox: Path
) -> None:
    path = store.path(contents.files["video.mp4"].sha256)
    found = path.stat()
    path.chmod(0o644)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))  # as a disk that rots
    with pytest.raises(StoreCorrupt):
        seal(contents, store, outbox)
    assert os.listdir(outbox) == []
    assert not path.exists()
    assert len(list((store.root / "corrupt").iterdir())) == 1


def test_many_may_seal_the_same_bundle_at_once(
    contents: BundleContents, store: LocalStore, outbox: Path
) -> None:
    gate = threading.Barrier(4)

    def one(_: int) -> tuple[str, bool]:
        gate.wait()
        bundle = seal(contents, store, outbox)
        return bundle.digest, bundle.reused

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(4)))
    assert {digest for digest, _ in found} == {contents.manifest.bundle_digest}
    assert [reused for _, reused in found].count(False) == 1
    assert os.listdir(outbox) == [contents.manifest.folder]


def test_a_file_too_large_for_the_disk_publishes_nothing(
    contents: BundleContents, store: LocalStore, outbox: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    try:
        with pytest.raises(StorageFull, match="nothing was published"):
            seal(contents, store, outbox)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(outbox) == []
    seal(contents, store, outbox)


def test_an_outbox_that_is_a_file_is_an_error_in_words(
    contents: BundleContents, store: LocalStore, outbox: Path
) -> None:
    outbox.write_bytes(b"")
    with pytest.raises(RenderFailed, match="cannot be written"):
        seal(contents, store, outbox)


def crashes(*words: str | Path, wrap: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*wrap, sys.executable, "-m", "tests.renderer.bundle.crashes", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_kill_at_any_moment_leaves_a_whole_bundle_or_none_and_no_litter(
    media: Mapping[str, Path], tmp_path: Path
) -> None:
    done = crashes("killed", media["video.mp4"].parent, tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 12


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    done = subprocess.run(
        ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True
    )
    return done.returncode == 0


@pytest.mark.skipif(not _can_mount(), reason="no user namespaces: a small disk cannot be mounted")
def test_a_full_disk_publishes_nothing_and_is_named(
    media: Mapping[str, Path], tmp_path: Path
) -> None:
    wrap = ("unshare", "-Urm", "sh", "-c", 'mount -t tmpfs -o size=80k none "$0" && exec "$@"')
    (tmp_path / "out").mkdir()
    done = crashes("full", media["video.mp4"].parent, tmp_path, wrap=(*wrap, str(tmp_path / "out")))
    assert done.returncode == 0, done.stderr
    assert "no room left" in done.stdout
