"""A real daemon in a thread of the test, whose clock for waiting runs faster than ours."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from daemon.service import ServeSettings, Service

TIMEOUT_S = 180.0
_died: list[BaseException] = []


@contextmanager
def running(
    root: Path, *, faster: int = 1, workers: int = 2, environment: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """A service on `root` until the block ends; its patience passes `faster` times as fast."""
    service = Service(
        ServeSettings(root=root, workers=workers, jobs=1, environment=environment or {}),
        monotonic=lambda: time.monotonic() * faster,
    )
    with at_work(service) as thread:
        yield service
        assert thread.is_alive()


@contextmanager
def at_work(service: Service) -> Iterator[threading.Thread]:
    """The service runs meanwhile, in a thread; whoever waits for it hears of its death."""
    _died.clear()
    thread = threading.Thread(target=_run, args=[service], name="service")
    thread.start()
    try:
        yield thread
    finally:
        service.stop()
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()


def _run(service: Service) -> None:
    try:
        service.run()
    except BaseException as error:
        _died.append(error)
        raise


def until(found: Callable[[], bool]) -> None:
    """Wait until it holds; the test fails when it never does."""
    deadline = time.monotonic() + TIMEOUT_S
    while not found():
        assert time.monotonic() < deadline
        assert not _died, _died
        time.sleep(0.02)


def drop(root: Path, name: str, data: bytes) -> None:
    """As a polite client does it."""
    part = root / "inbox" / ".tmp" / "part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(data)
    part.rename(root / "inbox" / name)
