from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderer.bundle import verify
from renderer.bundle.manifest import manifest_from_json
from renderer.bundle.statement import derived_files
from renderer.digest import digest_of
from renderer.errors import UsageError, VerifyMismatch
from tests.renderer.bundle.sealed import all_files


def mismatches(path: Path) -> tuple[str, ...]:
    with pytest.raises(VerifyMismatch) as caught:
        verify(path)
    return caught.value.mismatches


def flipped(data: bytes, at: int, by: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_any_flipped_bits_of_any_byte_are_found_and_the_file_named(
    sealed: Path, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(all_files(sealed))))
    path = sealed / name
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    try:
        path.write_bytes(flipped(whole, place, data.draw(st.integers(1, 255))))
        found = mismatches(sealed)
    finally:
        path.write_bytes(whole)
    assert any(words.startswith(f"{name}: ") for words in found), found
    verify(sealed)


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS", "statement.intoto.json"])
def test_every_byte_counts_in_the_files_that_speak_of_others(sealed: Path, name: str) -> None:
    path = sealed / name
    whole = path.read_bytes()
    try:
        for place in range(0, len(whole), 7):
            path.write_bytes(flipped(whole, place))
            assert any(words.startswith(f"{name}: ") for words in mismatches(sealed)), place
    finally:
        path.write_bytes(whole)


def test_every_byte_of_the_zips_headers_counts(sealed: Path) -> None:
    path = sealed / "bundle.zip"
    whole = path.read_bytes()
    starts = (0, whole.rindex(b"PK\3\4"), whole.index(b"PK\1\2"), len(whole) - 60)
    try:
        for place in (start + n for start in starts for n in range(60)):
            path.write_bytes(flipped(whole, place))
            assert any(words.startswith("bundle.zip: ") for words in mismatches(sealed)), place
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("change", ["cut", "grown", "gone", "emptied"])
def test_a_cut_grown_emptied_or_missing_file_is_named(bundle: Path, change: str) -> None:
    for name, whole in all_files(bundle).items():
        path = bundle / name
        if change == "gone":
            path.unlink()
        else:
            path.write_bytes({"cut": whole[:-1], "grown": whole + b"\n", "emptied": b""}[change])
        if (change, name) != ("gone", "bundle.zip"):
            assert any(words.startswith(f"{name}: ") for words in mismatches(bundle)), name
        path.write_bytes(whole)
    verify(bundle)


def test_strangers_are_named_be_they_files_folders_or_links(bundle: Path) -> None:
    (bundle / "extra.txt").write_bytes(b"")
    (bundle / "deep").mkdir()
    (bundle / "link").symlink_to("video.mp4")
    (bundle / ".hidden").symlink_to("/etc")
    found = {words.partition(":")[0] for words in mismatches(bundle)}
    assert found == {"extra.txt", "deep", "link", ".hidden"}


def test_a_link_to_the_right_bytes_is_not_the_file(bundle: Path) -> None:
    for name in all_files(bundle):
        (bundle / name).rename(bundle.parent / "elsewhere")
        (bundle / name).symlink_to(bundle.parent / "elsewhere")
        assert any(words.startswith(f"{name}: ") for words in mismatches(bundle)), name
        (bundle / name).unlink()
        (bundle.parent / "elsewhere").rename(bundle / name)
    verify(bundle)


def test_a_folder_in_the_place_of_a_file_is_named(bundle: Path) -> None:
    (bundle / "video.mp4").unlink()
    (bundle / "video.mp4").mkdir()
    assert "video.mp4: cannot be read" in mismatches(bundle)[0]


def test_every_difference_is_named_at_once(bundle: Path) -> None:
    (bundle / "video.mp4").write_bytes(b"?")
    (bundle / "spec.json").unlink()
    (bundle / "SHA256SUMS").write_bytes(b"")
    found = " ".join(mismatches(bundle))
    assert all(name in found for name in ("video.mp4", "spec.json", "SHA256SUMS"))


@pytest.mark.parametrize("field", ["render_key", "inputs", "spec_digest"])
def test_a_manifest_that_contradicts_spec_and_lock_is_found_whatever_else_agrees(
    bundle: Path, field: str
) -> None:
    document = json.loads((bundle / "manifest.json").read_bytes())
    document[field] = {"inputs": [], "render_key": "0" * 64, "spec_digest": "0" * 64}[field]
    (bundle / "bundle.zip").unlink()
    if field == "spec_digest":
        with pytest.raises(VerifyMismatch, match="spec_digest"):
            manifest_from_json(document)
        return
    for name, data in derived_files(manifest_from_json(document)).items():
        (bundle / name).write_bytes(data)
    assert field in mismatches(bundle)[0]


def test_another_sound_bundle_is_not_the_one_asked_for(bundle: Path) -> None:
    digest = verify(bundle).bundle_digest
    assert verify(bundle, bundle_digest=digest).bundle_digest == digest
    with pytest.raises(VerifyMismatch, match=digest):
        verify(bundle, bundle_digest=digest_of("another"))


def test_an_unpacked_archive_verifies_under_any_name(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle / "bundle.zip") as opened:
        opened.extractall(tmp_path / "python")
    assert [p.name for p in (tmp_path / "python").iterdir()] == [bundle.name]
    moved = (tmp_path / "python" / bundle.name).rename(tmp_path / "python" / "final cut")
    assert verify(moved) == verify(bundle)


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_what_unzip_unpacks_verifies(bundle: Path, tmp_path: Path) -> None:
    subprocess.run(["unzip", "-q", bundle / "bundle.zip", "-d", tmp_path / "out"], check=True)
    assert verify(tmp_path / "out" / bundle.name) == verify(bundle)


def test_a_folder_that_is_no_bundle_says_so(tmp_path: Path) -> None:
    assert "is not the folder of a bundle" in mismatches(tmp_path)[0]
    (tmp_path / "manifest.json").write_bytes(b'{"name": "a web app"}')
    assert all("manifest.json" in words for words in mismatches(tmp_path))
    (tmp_path / "manifest.json").write_bytes(b"[" * 100_000)
    assert "not canonical JSON" in mismatches(tmp_path)[0]


def test_what_is_no_folder_is_a_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name in ("file", "absent"):
        with pytest.raises(UsageError, match="is not a folder"):
            verify(tmp_path / name)
