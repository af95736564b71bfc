"""The folder storage, beside its contract: disks, links, addresses."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest

from daemon.signing import SigningKey
from daemon.storage.errors import KeyUnknown, StorageUnavailable
from daemon.storage.local import LocalStorage
from daemon.storage.opening import open_storage
from renderer.errors import StorageFull
from tests.daemon.storage_contract import read


def test_a_disk_without_attributes_keeps_the_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    monkeypatch.setattr(os, "getxattr", refuse)
    storage = LocalStorage(tmp_path / "s", keys=tuple, clock=time.time)
    stored = storage.put("a/b", b"bytes", media_type="image/png")
    assert read(storage, "a/b") == b"bytes"
    assert (stored.sha256, stored.media_type) == ("", "application/octet-stream")
    assert stored.etag


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = LocalStorage(tmp_path / "s", keys=tuple, clock=time.time)

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        storage.put("a/b", b"bytes")
    assert not storage.exists("a/b")
    assert list((tmp_path / "s" / ".new").iterdir()) == []


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "s", keys=tuple, clock=time.time)
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "s" / "link").symlink_to(tmp_path / "secret")
    assert not storage.exists("link")
    assert storage.local_path("link") is None
    assert list(storage.list()) == []
    with pytest.raises((KeyUnknown, StorageUnavailable)):
        storage.open_range("link")


def test_without_an_address_links_are_paths_and_nothing_is_public(tmp_path: Path) -> None:
    key = SigningKey(kid="k1", secret=bytes(32))
    storage = open_storage({}, tmp_path / "s", keys=lambda: (key,), clock=time.time)
    assert storage.presign("GET", "a/b").url.startswith("/v1/storage/a/b?expires=")
    assert storage.public_url("a/b") is None
