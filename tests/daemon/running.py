"""A real daemon in a thread of the test, whose clock for waiting runs faster than ours."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from daemon.service import ServeSettings, Service

TIMEOUT_S = 600.0


@contextmanager
def running(
    root: Path, *, faster: int = 1, workers: int = 2, environment: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """A service on `root` until the block ends; its patience passes `faster` times as fast."""
    service = Service(
        ServeSettings(root=root, workers=workers, jobs=1, environment=environment or {}),
        monotonic=lambda: time.monotonic() * faster,
    )
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        yield service
        assert thread.is_alive()
    finally:
        service.stop()
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()


def until(found: Callable[[], bool]) -> None:
    """Wait until it holds; the test fails when it never does."""
    deadline = time.monotonic() + TIMEOUT_S
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def drop(root: Path, name: str, data: bytes) -> None:
    """As a polite client does it."""
    part = root / "inbox" / ".tmp" / "part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(data)
    part.rename(root / "inbox" / name)
