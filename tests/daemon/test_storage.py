"""Every storage against one contract, by real HTTP and a real S3 server."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from daemon.signing import SigningKey
from daemon.storage import Signed, Storage
from daemon.storage.caching import Caching
from daemon.storage.local import LocalStorage
from daemon.storage.opening import open_s3
from daemon.storage.retrying import Retrying
from daemon.storage.s3 import S3Storage
from tests.daemon.seaweed import running_seaweed
from tests.daemon.storage_contract import MIB, StorageContract, bytes_of
from tests.daemon.storage_server import serving

PUBLIC = "https://cdn.example/films"


@dataclass
class Watch:
    """The time of day, which may be set back."""

    back_s: float = 0.0

    def __call__(self) -> float:
        return time.time() - self.back_s


@dataclass
class Served:
    """A folder storage and the API in front of it."""

    storage: LocalStorage
    watch: Watch = field(default_factory=Watch)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    watch = Watch()
    key = SigningKey(kid="k1", secret=secrets.token_bytes(32))
    storage = LocalStorage(
        tmp_path_factory.mktemp("folder") / "storage", keys=lambda: (key,), clock=watch,
        base_url="http://to.be.known", public=PUBLIC,
    )  # fmt: skip
    with serving(storage) as url:
        storage._base_url = url  # the port is known only now
        yield Served(storage=storage, watch=watch)


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Mapping[str, str]]:
    with running_seaweed() as environment:
        yield environment


@pytest.fixture(scope="module")
def bucket(seaweed: Mapping[str, str]) -> S3Storage:
    name = f"films-{secrets.token_hex(4)}"
    environment = {
        **seaweed, "REELKILN_STORAGE_URL": f"s3://{name}/some/prefix",
        "REELKILN_STORAGE_PUBLIC_URL": PUBLIC,
    }  # fmt: skip
    storage = open_s3(environment)
    storage._client.create_bucket(Bucket=name)
    return storage


Expired = Callable[[Callable[[], Signed]], Signed]


@pytest.fixture
def over(served: Served) -> Expired:
    """Made when the clock stood an hour and a second back."""

    def made(sign: Callable[[], Signed]) -> Signed:
        served.watch.back_s = 3601
        try:
            return sign()
        finally:
            served.watch.back_s = 0.0

    return made


class TestLocal(StorageContract):
    @pytest.fixture
    def storage(self, served: Served) -> Storage:
        return served.storage

    @pytest.fixture
    def expired(self, over: Expired) -> Expired:
        return over

    @pytest.mark.long
    def test_200_mib_in_parts(self, storage: Storage) -> None:
        self.upload_in_parts(storage, bytes_of(200 * MIB), 8 * MIB)


class TestLocalRetried(TestLocal):
    @pytest.fixture
    def storage(self, served: Served) -> Storage:
        return Retrying(served.storage)


class TestLocalCached(TestLocal):
    @pytest.fixture
    def storage(self, served: Served, tmp_path: Path) -> Storage:
        return Caching(served.storage, tmp_path / "near", max_bytes=20 * MIB)


class TestS3(StorageContract):
    tick_s = 1.1

    @pytest.fixture
    def storage(self, bucket: S3Storage) -> Storage:
        return bucket

    @pytest.fixture
    def expired(self) -> Expired:
        def made(sign: Callable[[], Signed]) -> Signed:
            from unittest.mock import patch

            from botocore import auth

            long_ago = auth.get_current_datetime() - auth.datetime.timedelta(seconds=3601)
            with patch.object(auth, "get_current_datetime", return_value=long_ago):
                return sign()

        return made

    @pytest.mark.long
    def test_200_mib_in_parts(self, storage: Storage) -> None:
        self.upload_in_parts(storage, bytes_of(200 * MIB), 8 * MIB)


class TestS3Wrapped(TestS3):
    @pytest.fixture
    def storage(self, bucket: S3Storage, tmp_path: Path) -> Storage:
        return Caching(Retrying(bucket), tmp_path / "near", max_bytes=20 * MIB)
