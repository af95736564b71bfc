"""A real server over HTTP; a root that a real daemon may serve as well."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from ulid import ULID

from daemon.accounts.store import Accounts
from daemon.api import ApiContext, ApiServer, ApiSettings
from daemon.api.access_settings import AccessSettings
from daemon.api.callers import Access
from daemon.api.rates import Rates
from daemon.assets.upload_service import open_uploads
from daemon.inbox import Inbox
from daemon.kept import open_kept
from daemon.service import ServeSettings, Service
from daemon.submissions import Submissions
from tests.daemon.no_tls import NO_TLS
from tests.daemon.running import at_work

SPEC = {
    "reelkiln": 1,
    "id": "hello",
    "output": {"size": "64x36", "fps": 10, "quality": "draft"},
    "tracks": [{"clips": [{"image": "a.png", "length": "1s"}]}],
}


def context_of(service: Service, **settings: Any) -> ApiContext:
    """The API's view of a daemon, on a free port."""
    inbox: Inbox = service.inbox
    sent = open_uploads(
        service.places,
        service.fs,
        service.settings.environment,
        limits=service.settings.limits,
        clock=time.time,
        assets=service.settling.assets,
    )
    return ApiContext(
        places=service.places, fs=service.fs, index=service.index, metrics=service.metrics,
        submissions=Submissions(
            papers=inbox.papers, clock=time.time, new_id=lambda: str(ULID())
        ),
        access=Access(
            accounts=Accounts(open_kept(service.places.root, {})), settings=AccessSettings(),
            rates=Rates(time.monotonic_ns), clock=time.time,
        ),
        assets=service.settling.assets,
        clock=time.time, nonce=lambda: secrets.token_hex(8), version="0",
        environment=os.environ, draining=service.draining, limits=service.settings.limits,
        settings=ApiSettings(port=0, poll_s=0.02, **settings), reading=service.reading,
        uploads=sent.uploads, storage=sent.folder, changed=service.job_changed,
        conditions=service.conditions,
    )  # fmt: skip


def made_service(root: Path) -> Service:
    root.mkdir(exist_ok=True)
    (root / "media").mkdir()
    Image.new("RGB", (64, 36), "teal").save(root / "media" / "a.png")
    return Service(ServeSettings(root=root, jobs=1, environment={}))


@contextmanager
def listening(context: ApiContext) -> Iterator[httpx.Client]:
    server = ApiServer(context)
    server.start()
    try:
        with httpx.Client(base_url=server.url, timeout=30, verify=NO_TLS) as client:
            yield client
    finally:
        server.stop()
        context.access.accounts.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A daemon that does not run: what is handed in stays queued."""
    made = made_service(tmp_path / "root")
    yield made
    made.index.close()
    made.assets.catalog.close()


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with listening(context_of(service)) as found:
        yield found


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A daemon that runs, behind its API; one for the tests of a file."""
    service = made_service(tmp_path_factory.mktemp("working") / "root")
    with at_work(service), listening(context_of(service)) as found:
        yield found


@pytest.fixture(scope="module")
def rendered(working: httpx.Client) -> dict[str, Any]:
    """A job that has succeeded."""
    job = working.post("/v1/jobs", json=SPEC).json()
    return until(lambda: ended(working, job["job_id"]))


def ended(client: httpx.Client, job_id: str) -> dict[str, Any] | None:
    job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}").json()
    return job if job["finished_at"] else None


def until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (result := found()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return result
