"""Real events of real files. Tests wait for what must come, and assert on no time."""

import errno
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.events import FileClosedEvent, FileModifiedEvent, FileMovedEvent

from daemon.places import Places
from daemon.watching import watch as watching
from daemon.watching.drops import Arrival, Patience
from daemon.watching.scanner import Scanner
from daemon.watching.watch import HintBook, Watch

JSON = b'{"reelkiln": 1, "tracks": []}'
LONG = Patience(hint_s=60.0, settle_s=3600.0, yaml_s=3600.0)
"""Nothing is ready with it but what an event speaks for."""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path)
    for folder in places.folders():
        folder.mkdir()
    return places


@pytest.fixture
def watch(places: Places) -> Iterator[Watch]:
    watch = Watch(places=places, wake=threading.Event())
    assert watch.refresh(), watch.words
    yield watch
    watch.stop()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def arrival(watch: Watch, path: Path) -> Arrival | None:
    hint = watch.hints.of(str(path))
    return hint.arrival if hint else None


def test_a_closed_file_wakes_the_scanner_and_is_remembered(watch: Watch, places: Places) -> None:
    path = places.inbox / "a.json"
    path.write_bytes(JSON)
    assert watch.wake.wait(20)
    eventually(lambda: arrival(watch, path) is Arrival.CLOSED)


@pytest.mark.parametrize("source", [".tmp/a.json", ".a.json.Xq81Zb", "../a.json"])
def test_a_rename_into_the_inbox_is_remembered(watch: Watch, places: Places, source: str) -> None:
    (places.inbox / source).write_bytes(JSON)
    path = places.inbox / "a.json"
    os.rename(places.inbox / source, path)
    assert watch.wake.wait(20)
    eventually(lambda: arrival(watch, path) is Arrival.RENAMED)


def test_a_file_that_is_opened_and_written_again_is_not_closed(
    watch: Watch, places: Places
) -> None:
    path = places.inbox / "high" / "a.json"
    path.write_bytes(JSON)
    eventually(lambda: arrival(watch, path) is Arrival.CLOSED)
    with open(path, "ab", buffering=0) as stream:
        stream.write(b" ")
        eventually(lambda: arrival(watch, path) is None)
    eventually(lambda: arrival(watch, path) is Arrival.CLOSED)
    path.unlink()
    eventually(lambda: arrival(watch, path) is None)


def test_names_with_odd_bytes_are_remembered(watch: Watch, places: Places) -> None:
    path = places.inbox / os.fsdecode(b"\xff\n-x.json")
    path.write_bytes(JSON)
    eventually(lambda: arrival(watch, path) is Arrival.CLOSED)


def test_with_events_a_drop_needs_one_scan(watch: Watch, places: Places) -> None:
    scanner = Scanner(places=places, patience=LONG, hints=watch.hints.of)
    (places.inbox / ".tmp" / "a.yaml").write_bytes(b"reelkiln: 1\n")
    os.rename(places.inbox / ".tmp" / "a.yaml", places.inbox / "a.yaml")
    (places.inbox / "b.json").write_bytes(JSON)
    names = {"a.yaml", "b.json"}
    eventually(lambda: {d.name for d in scanner.scan(time.monotonic()).ready} == names)


def test_without_events_the_scan_finds_the_same(places: Places) -> None:
    scanner = Scanner(places=places)
    (places.inbox / "b.json").write_bytes(JSON)
    eventually(lambda: [d.name for d in scanner.scan(time.monotonic()).ready] == ["b.json"])


def test_an_inbox_that_is_removed_and_made_again_is_watched_again(
    watch: Watch, places: Places
) -> None:
    shutil.rmtree(places.inbox)
    assert watch.wake.wait(20)
    assert not watch.refresh()
    assert "no folder" in watch.words
    places.inbox.mkdir()
    assert watch.refresh()
    (places.inbox / "a.json").write_bytes(JSON)
    eventually(lambda: arrival(watch, places.inbox / "a.json") is Arrival.CLOSED)


def test_an_inbox_that_another_replaced_is_watched_in_its_stead(
    watch: Watch, places: Places
) -> None:
    old = places.root / "old"
    os.rename(places.inbox, old)
    places.inbox.mkdir()
    assert watch.refresh()
    (old / "b.json").write_bytes(JSON)
    (places.inbox / "a.json").write_bytes(JSON)
    eventually(lambda: arrival(watch, places.inbox / "a.json") is Arrival.CLOSED)
    assert arrival(watch, places.inbox / "b.json") is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE])
def test_a_machine_without_watches_to_give_is_told_and_scanned(
    places: Places, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse() -> object:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(watching, "_new_observer", refuse)
    watch = Watch(places=places, wake=threading.Event())
    assert not watch.refresh()
    assert not watch.refresh()
    assert "max_user_watches" in watch.words
    watch.stop()


def test_the_real_limit_of_instances_is_told(places: Places) -> None:
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if not limit.exists() or int(limit.read_text()) > 1024:
        pytest.skip("there is no limit to reach")
    watches: list[Watch] = []
    try:
        while len(watches) <= int(limit.read_text()):
            watches.append(Watch(places=places, wake=threading.Event()))
            if not watches[-1].refresh():
                break
        assert "scanned instead" in watches[-1].words
    finally:
        for watch in watches:
            watch.stop()


def test_no_refresh_is_called_an_error(
    watch: Watch, places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        shutil.rmtree(places.inbox)
        for folder in places.folders():
            folder.mkdir(exist_ok=True)
        (places.inbox / "a.json").touch()
        assert watch.refresh()
    emitter = logging.getLogger("watchdog.observers.inotify")
    emitter.error("InotifyEmitter.queue_events() called when the thread is inactive")
    emitter.error("something else")
    assert [record.getMessage() for record in caplog.records] == ["something else"]


def test_stopping_ends_every_thread(places: Places) -> None:
    before = threading.active_count()
    watch = Watch(places=places, wake=threading.Event())
    assert watch.refresh()
    watch.stop()
    assert threading.active_count() == before
    assert not watch.is_watching


def test_more_hints_than_are_kept_forget_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_MOST_HINTS", 10)
    book = HintBook(threading.Event(), lambda: 1.0)
    for index in range(100):
        book.on_any_event(FileClosedEvent(f"/in/{index}.json"))
    assert book.of("/in/89.json") is None
    assert book.of("/in/90.json") is not None
    book.on_any_event(FileModifiedEvent("/in/90.json"))
    assert book.of("/in/90.json") is None


def test_a_write_in_progress_and_strangers_wake_nobody() -> None:
    wake = threading.Event()
    book = HintBook(wake, lambda: 1.0)
    book.on_any_event(FileModifiedEvent("/in/a.json"))
    book.on_any_event(FileClosedEvent("/in/clip.mp4"))
    book.on_any_event(FileMovedEvent("/in/a.part", "/in/b.part"))
    assert not wake.is_set()
    book.on_any_event(FileMovedEvent("/in/a.part", "/in/a.json"))
    assert wake.is_set()
