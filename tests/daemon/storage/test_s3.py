"""The bucket, beside its contract: addresses, refusals, a server that is away, uploads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest
from ulid import ULID

from daemon.assets.uploads import NoAssets, Promise, Uploads
from daemon.fs import RealFs
from daemon.storage.caching import Caching
from daemon.storage.errors import KeyRefused, StorageRefused, StorageUnavailable
from daemon.storage.opening import open_s3, open_storage
from daemon.storage.retrying import Retrying
from daemon.storage.s3 import S3Storage
from renderer.errors import ToolchainUnfit, UsageError
from renderer.limits import Limits
from tests.daemon.storage_contract import MIB, read, send, sha


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///a", "http://a/b", "s3://bucket/../x", "s3://bucket/a?x=1", "bucket"]
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises((UsageError, KeyRefused)):
        open_storage({"REELKILN_STORAGE_URL": url}, tmp_path, keys=tuple, clock=time.time)


def test_without_the_extra_the_hint_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.storage.opening.find_spec", lambda name: None)
    with pytest.raises(ToolchainUnfit) as caught:
        open_s3({"REELKILN_STORAGE_URL": "s3://films"})
    assert "reelkiln[s3]" in caught.value.hint


def test_a_wrong_secret_is_refused_and_tells_no_addresses(seaweed: Mapping[str, str]) -> None:
    wrong = {**seaweed, "AWS_SECRET_ACCESS_KEY": "wrong", "REELKILN_STORAGE_URL": "s3://films"}
    storage = open_s3(wrong)
    acts: tuple[Callable[[], object], ...] = (
        lambda: storage.put("a", b"x"), lambda: storage.head("a"), lambda: storage.begin("a"),
        lambda: storage.list_parts("a", "x"), lambda: list(storage.list()),
        lambda: storage.delete("a"),
    )  # fmt: skip
    for act in acts:
        with pytest.raises(StorageRefused) as caught:
            act()
        assert "127.0.0.1" not in str(caught.value.as_json())


def test_a_server_that_is_away_is_worth_another_try() -> None:
    away = open_s3({
        "REELKILN_STORAGE_URL": "s3://films", "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
    })  # fmt: skip
    for act in (away.head, lambda key: away.list_parts(key, "x")):
        with pytest.raises(StorageUnavailable):
            act("a")


def test_a_daemon_with_a_bucket_takes_uploads(
    seaweed: Mapping[str, str], bucket: S3Storage, tmp_path: Path
) -> None:
    """The bytes go straight to the bucket, and are proven by reading them back from it."""
    uploads = Uploads(
        storage=Caching(Retrying(bucket), tmp_path / "near", max_bytes=MIB),
        folder=tmp_path / "uploads", fs=RealFs(), clock=time.time, new_id=lambda: str(ULID()),
        limits=Limits(), assets=NoAssets(),
    )  # fmt: skip
    text = b"WEBVTT\n"
    asked = Promise(media_type="text/vtt", size_bytes=len(text), sha256=sha(text))
    upload = uploads.promise(asked, "ada")
    assert send(uploads.put_url(upload), text).status_code == 200
    assert uploads.complete(upload).state == "available"
    assert read(bucket, upload.key) == text
    parts = uploads.promise(asked, "ada", in_parts=True)
    assert send(uploads.part_url(parts, 1), text).status_code == 200
    done = uploads.complete(parts)
    assert httpx.get(uploads.get_url(done).url).content == text
