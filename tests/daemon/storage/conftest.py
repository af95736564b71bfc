"""The storages under test: a folder behind the API, and a bucket of a real S3 server."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from daemon.signing import SigningKey
from daemon.storage import Signed
from daemon.storage.local import LocalStorage
from daemon.storage.opening import open_s3
from daemon.storage.s3 import S3Storage
from renderer.bundle import seal
from renderer.store import LocalStore as ObjectStore
from tests.daemon.seaweed import running_seaweed
from tests.daemon.storage_server import serving
from tests.renderer.bundle.sealed import contents_of, make_media

Expired = Callable[[Callable[[], Signed]], Signed]
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


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle."""
    folder = tmp_path_factory.mktemp("sealed")
    store = ObjectStore(folder / "store")
    return seal(contents_of(store, make_media(folder)), store, folder / "out").path
