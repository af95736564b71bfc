"""Every storage against one contract, by real HTTP and a real S3 server."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from botocore import auth

from daemon.storage import Signed, Storage
from daemon.storage.caching import Caching
from daemon.storage.retrying import Retrying
from daemon.storage.s3 import S3Storage
from tests.daemon.storage.conftest import Expired, Served
from tests.daemon.storage_contract import MIB, StorageContract, bytes_of


class TestLocal(StorageContract):
    @pytest.fixture
    def storage(self, served: Served) -> Storage:
        return served.storage

    @pytest.fixture
    def expired(self, over: Expired) -> Expired:
        return over


class TestLocalRetried(TestLocal):
    @pytest.fixture
    def storage(self, served: Served) -> Storage:
        return Retrying(served.storage)


class TestS3(StorageContract):
    tick_s = 1.1

    @pytest.fixture
    def storage(self, bucket: S3Storage) -> Storage:
        return bucket

    @pytest.fixture
    def expired(self) -> Expired:
        def made(sign: Callable[[], Signed]) -> Signed:
            long_ago = auth.get_current_datetime() - datetime.timedelta(seconds=3601)
            with patch.object(auth, "get_current_datetime", return_value=long_ago):
                return sign()

        return made


class TestS3Wrapped(TestS3):
    @pytest.fixture
    def storage(self, bucket: S3Storage, tmp_path: Path) -> Storage:
        return Caching(Retrying(bucket), tmp_path / "near", max_bytes=20 * MIB)


@pytest.mark.long
@pytest.mark.parametrize("backend", ["folder", "bucket"])
def test_200_mib_in_parts(served: Served, bucket: S3Storage, backend: str) -> None:
    storage: Storage = served.storage if backend == "folder" else bucket
    StorageContract().upload_in_parts(storage, bytes_of(200 * MIB), 8 * MIB)
