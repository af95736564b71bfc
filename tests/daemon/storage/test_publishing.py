"""Bundles in a storage: manifest last, again for nothing, and on where it broke."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.storage import Stored
from daemon.storage.around import Around
from daemon.storage.errors import StorageUnavailable
from daemon.storage.publishing import publish_bundle
from daemon.storage.s3 import S3Storage
from renderer.errors import VerifyMismatch
from tests.daemon.storage.conftest import Served
from tests.daemon.storage_contract import read


def test_a_bundle_is_published_manifest_last_and_once(
    served: Served, bucket: S3Storage, sealed: Path
) -> None:
    for storage in (served.storage, bucket):
        first = publish_bundle(sealed, storage, "films")
        assert first.sent[-1] == "manifest.json"
        assert first.manifest_key == f"films/{sealed.name}/manifest.json"
        listed = {entry.key for entry in storage.list(first.prefix)}
        files = {
            path.relative_to(sealed).as_posix() for path in sealed.rglob("*") if path.is_file()
        }
        assert listed == {f"{first.prefix}/{name}" for name in files}
        assert all(read(storage, f"{first.prefix}/{name}") == (sealed / name).read_bytes()
                   for name in files)  # fmt: skip
        assert storage.head(f"{first.prefix}/video.mp4").media_type == "video/mp4"
        assert publish_bundle(sealed, storage, "films").sent == ()


def test_a_publication_that_broke_has_no_manifest_and_goes_on(served: Served, sealed: Path) -> None:
    class Dying(Around):
        left = 3

        def put_file(
            self, key: str, path: Path, *, media_type: str = "", move: bool = False
        ) -> Stored:
            self.left -= 1
            if self.left < 0:
                raise StorageUnavailable("down")
            return self.inner.put_file(key, path, media_type=media_type, move=move)

    with pytest.raises(StorageUnavailable):
        publish_bundle(sealed, Dying(served.storage), "broken")
    top = f"broken/{sealed.name}"
    assert not served.storage.exists(f"{top}/manifest.json")
    done = publish_bundle(sealed, served.storage, "broken")
    assert len(done.sent) == len(list(served.storage.list(top))) - 3
    assert served.storage.exists(done.manifest_key)


def test_other_bytes_in_a_bundles_place_are_told(served: Served, sealed: Path) -> None:
    served.storage.put(f"taken/{sealed.name}/video.mp4", b"not this film")
    with pytest.raises(VerifyMismatch):
        publish_bundle(sealed, served.storage, "taken")
    assert not served.storage.exists(f"taken/{sealed.name}/manifest.json")
