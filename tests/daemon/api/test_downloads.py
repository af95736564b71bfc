"""Downloads: whole, in ranges, by tags, and nothing but the files of the bundle."""

from __future__ import annotations

import base64
import io
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.api.ranges import OutOfRange, names_tag, span_of
from daemon.service import Service
from renderer.bundle import verify
from tests.daemon.api.conftest import SPEC, ended, until
from tests.daemon.running import at_work


def test_the_archive_unpacks_to_a_bundle_that_verifies(
    working: httpx.Client, rendered: dict[str, Any], tmp_path: Path
) -> None:
    answer = working.get(rendered["links"]["download"])
    digest = sha256(answer.content)
    assert answer.headers["etag"] == f'"sha256:{digest.hexdigest()}"'
    told = base64.b64encode(digest.digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{told}:"
    assert answer.headers["x-content-type-options"] == "nosniff"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith(f'attachment; filename="{rendered["bundle"]}.zip"')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path / "out")
    folder = next((tmp_path / "out").rglob("manifest.json")).parent
    assert sha256((folder / "manifest.json").read_bytes()).hexdigest() == rendered["bundle_digest"]
    (folder / "bundle.zip").write_bytes(answer.content)
    assert verify(folder).bundle_digest == rendered["bundle_digest"]


def test_every_listed_file_has_its_digest(working: httpx.Client, rendered: dict[str, Any]) -> None:
    told = working.get(rendered["links"]["files"]).json()
    assert {"video.mp4", "spec.json", "lock.json"} <= {entry["path"] for entry in told["files"]}
    for entry in told["files"]:
        answer = working.get(entry["url"])
        assert sha256(answer.content).hexdigest() == entry["sha256"]
        assert answer.headers["etag"] == f'"sha256:{entry["sha256"]}"'
        assert answer.headers["content-type"] == entry["media_type"]
        head = working.head(entry["url"])
        assert (head.content, int(head.headers["content-length"])) == (b"", entry["size_bytes"])


def test_a_range_is_answered_for_the_same_tag_alone(
    working: httpx.Client, rendered: dict[str, Any]
) -> None:
    path = f"{rendered['links']['files']}/video.mp4"
    whole = working.get(path)
    tag, size = whole.headers["etag"], len(whole.content)
    part = working.get(path, headers={"Range": "bytes=10-19", "If-Range": tag})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{size}"
    assert part.headers["repr-digest"] == whole.headers["repr-digest"]
    assert working.get(path, headers={"Range": "bytes=-5"}).content == whole.content[-5:]
    other = working.get(path, headers={"Range": "bytes=10-19", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole.content)
    beyond = working.get(path, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert beyond.json()["code"] == "range-not-there"
    known = working.get(path, headers={"If-None-Match": f'"x", W/{tag}'})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize(
    "path",
    ["../receipts", "..%2freceipts", "%2e%2e/%2e%2e/media/a.png", "video.mp4/", "/etc/passwd",
     "%2fetc%2fpasswd", "nothing", "video.mp4%00"],
)  # fmt: skip
def test_no_other_name_reaches_the_disk(
    working: httpx.Client, rendered: dict[str, Any], path: str
) -> None:
    answer = working.get(f"{rendered['links']['files']}/{path}")
    assert answer.status_code == 404, answer.text


def test_a_job_without_a_bundle_says_so(client: httpx.Client, service: Service) -> None:
    job = client.post("/v1/jobs", json=SPEC).json()
    early = client.get(f"{job['links']['self']}/download")
    assert (early.status_code, early.json()["code"]) == (409, "no-bundle")
    assert "retry-after" in early.headers
    with at_work(service):
        done = until(lambda: ended(client, job["job_id"]))
    folder = service.places.outbox / done["bundle"]
    video = folder / "video.mp4"
    video.rename(folder / "moved")
    assert client.get(f"{done['links']['files']}/video.mp4").status_code == 410
    video.symlink_to("/etc/passwd")
    assert client.get(f"{done['links']['files']}/video.mp4").status_code == 410
    video.unlink()
    video.write_bytes(b"short")
    assert client.get(f"{done['links']['files']}/video.mp4").json()["code"] == "verify-mismatch"
    (folder / "manifest.json").unlink()
    gone = client.get(done["links"]["download"])
    assert (gone.status_code, gone.json()["code"]) == (410, "bundle-gone")


@given(
    size=st.integers(0, 50),
    first=st.none() | st.integers(0, 60),
    last=st.none() | st.integers(0, 60),
)
def test_a_range_is_what_a_slice_of_the_bytes_would_be(
    size: int, first: int | None, last: int | None
) -> None:
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    data = bytes(range(size))
    try:
        span = span_of(header, size)
    except OutOfRange:
        assert (first is None and (last == 0 or size == 0)) or (first is not None and first >= size)
        return
    if span is None:
        assert (first is None) == (last is None)
        assert first is None or (last is not None and last < first)
    elif first is None:
        assert last is not None
        assert data[span.start : span.end] == data[-last:]
    else:
        assert data[span.start : span.end] == data[first : None if last is None else last + 1]


@given(header=st.text())
def test_nonsense_is_no_range_and_no_tag(header: str) -> None:
    assert "bytes" in header.casefold() or span_of(header, 10) is None
    assert "*" in header or not names_tag(header, '"sha256:x"')
