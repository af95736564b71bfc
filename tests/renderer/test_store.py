"""LocalStore keeps the contract, and its own duties on a disk."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from renderer.errors import SourceChanged, StorageFull, StoreCorrupt
from renderer.steps import Output, StepResult
from renderer.store import LocalStore
from renderer.store import local as store_module
from tests.renderer.store_contract import KEY, StoreContract, aged, put, sha


class TestLocalStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalStore:
        return LocalStore(tmp_path / "store")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def own(store: LocalStore, sha256: str) -> Path:
    return store.root / "objects" / sha256[:2] / sha256


def damaged(store: LocalStore, data: bytes) -> str:
    """An object `segment`, of a recorded step, whose file now holds `data`."""
    output = put(store, b"segment")
    store.record(KEY, StepResult(outputs={"video": output}))
    place = own(store, output.sha256)
    place.unlink()
    place.write_bytes(data)
    return output.sha256


@pytest.mark.parametrize("data", [b"", b"segmenT", b"segm"])
def test_a_damaged_object_is_set_aside_never_given_never_deleted(
    store: LocalStore, data: bytes
) -> None:
    sha256 = damaged(store, data)
    with pytest.raises(StoreCorrupt) as caught:
        store.path(sha256)
    (aside,) = (store.root / "corrupt").iterdir()
    assert aside.read_bytes() == data
    assert str(aside) in caught.value.message
    assert store.lookup(KEY) is None
    put(store, b"segment")
    assert store.lookup(KEY) is not None
    assert store.path(sha256).read_bytes() == b"segment"


def test_a_cut_object_hides_its_step_before_anybody_reads_it(store: LocalStore) -> None:
    damaged(store, b"segm")
    assert store.lookup(KEY) is None


def test_putting_the_right_bytes_heals_a_damaged_object(store: LocalStore) -> None:
    sha256 = damaged(store, b"segmenT")
    put(store, b"segment")
    assert store.path(sha256).read_bytes() == b"segment"


def test_objects_are_read_in_full_once_a_process(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = put(store, b"segment").sha256
    read: list[str] = []
    real = store_module.digest_of_stream
    monkeypatch.setattr(store_module, "digest_of_stream", lambda s: read.append("x") or real(s))
    store.path(sha256)
    assert read == []  # this process wrote it
    other = LocalStore(store.root)
    other.path(sha256)
    other.path(sha256)
    assert read == ["x"]


def test_an_object_written_to_in_place_is_read_in_full_again(store: LocalStore) -> None:
    path = store.path(put(store, b"segment").sha256)
    path.chmod(0o644)
    path.write_bytes(b"segmenT")
    with pytest.raises(StoreCorrupt):
        store.path(sha(b"segment"))


def test_a_file_just_written_is_hashed_again_since_it_may_still_change(
    store: LocalStore, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"first frames")
    store.borrow(path)
    assert not list((store.root / "stats").glob("*/*"))


def test_any_flipped_byte_of_a_note_makes_it_unknown(store: LocalStore) -> None:
    store.record(KEY, StepResult(outputs={}, facts={"luma_max": 235}))
    place = store.root / "steps" / KEY[:2] / f"{KEY}.note"
    whole = place.read_bytes()
    for at in range(len(whole)):
        place.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert store.lookup(KEY) is None, at
    for length in range(len(whole)):
        place.write_bytes(whole[:length])
        assert store.lookup(KEY) is None, length
    place.write_bytes(whole)
    assert store.lookup(KEY) is not None


def test_a_note_under_another_name_is_not_that_note(store: LocalStore) -> None:
    store.record(KEY, StepResult(outputs={}))
    place = store.root / "steps" / KEY[:2] / f"{KEY}.note"
    other = "cd" * 32
    (store.root / "steps" / "cd").mkdir()
    shutil.copy(place, store.root / "steps" / "cd" / f"{other}.note")
    assert store.lookup(other) is None


def test_an_old_file_is_hashed_once_across_processes(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"long film")
    time.sleep(0.15)  # old enough for its clock to have moved on
    assert store.borrow(path).sha256 == sha(b"long film")
    monkeypatch.setattr(store_module, "digest_of_stream", lambda stream: "hashed again")
    assert LocalStore(store.root).borrow(path).sha256 == sha(b"long film")


@pytest.mark.parametrize("age", [0, 0.15])
def test_a_change_that_keeps_size_and_date_is_still_found(
    store: LocalStore, tmp_path: Path, age: float
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"one")
    aged(path)
    time.sleep(age)
    then = path.stat().st_mtime_ns
    store.borrow(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(then, then))
    with pytest.raises(SourceChanged, match=r"clip\.mp4 holds other bytes"):
        store.path(sha(b"one"))


def test_a_borrowed_file_that_vanished_is_named(store: LocalStore, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"one")
    store.borrow(path)
    path.unlink()
    with pytest.raises(SourceChanged, match=r"clip\.mp4 cannot be read"):
        store.path(sha(b"one"))


def test_nothing_is_left_in_the_work_folder(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    store.put_file(tmp_path / "f")
    put(store, b"y")
    store.record(KEY, StepResult(outputs={}))
    with pytest.raises(FileNotFoundError):
        store.put_file(tmp_path / "absent")
    assert list((store.root / "work").iterdir()) == []


HOLD = """
import sys, time
from pathlib import Path
from renderer.store import LocalStore
from renderer.store import local as store_module
from tests.renderer.store_contract import put
store = LocalStore(Path(sys.argv[1]))
with store.workdir() as folder:
    put(store, b"from the child")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_work_of_a_killed_process_is_removed_and_that_of_the_living_is_kept(
    store: LocalStore,
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.root)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child, store.workdir() as mine:
        folder = Path(child.stdout.readline().strip())
        LocalStore(store.root)
        assert folder.is_dir()
        child.send_signal(signal.SIGKILL)
        child.wait()
        LocalStore(store.root)
        assert not folder.exists()
        assert mine.is_dir()


def put_many(root: Path) -> None:
    store = LocalStore(root)
    for number in range(30):
        output = put(store, bytes([number]) * 5000)
        store.record(KEY, StepResult(outputs={"video": output}, facts={"n": number}))
        assert store.lookup(KEY) is not None


def test_two_processes_may_write_the_same_keys(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=put_many, args=(tmp_path / "s",)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0]
    store = LocalStore(tmp_path / "s")
    for number in range(30):
        store.path(sha(bytes([number]) * 5000))
    assert store.lookup(KEY) is not None


def test_a_file_too_large_for_the_disk_leaves_nothing(tmp_path: Path) -> None:
    store, large = LocalStore(tmp_path / "s"), tmp_path / "large"
    large.write_bytes(b"x" * 2000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StorageFull):
            store.put_file(large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(StoreCorrupt):
        store.path(sha(b"x" * 2000))
    assert list((store.root / "work").iterdir()) == []


def test_usage_counts_what_is_there(store: LocalStore) -> None:
    assert store.usage().size_bytes == 0
    output = put(store, b"x" * 1000)
    store.record(KEY, StepResult(outputs={"video": output}))
    usage = store.usage()
    assert (usage.objects, usage.steps) == (1, 1)
    assert usage.size_bytes > 1000


def test_pruning_removes_what_was_used_longest_ago(store: LocalStore) -> None:
    kept = {}
    for number in range(4):
        output = put(store, bytes([number]) * 1000)
        kept[number] = aged(own(store, output.sha256), 1000 - number)
    store.path(sha(bytes([0]) * 1000))  # used again: now the newest
    pruned = store.prune(2000)
    assert [kept[number].exists() for number in range(4)] == [True, False, False, True]
    assert (pruned.removed_bytes, pruned.left_bytes, pruned.in_use_bytes) == (2000, 2000, 0)
    assert store.prune(0).left_bytes == 0


def test_pruning_by_age_removes_what_was_not_used_for_so_long(store: LocalStore) -> None:
    old, young = put(store, b"o" * 1000), put(store, b"y" * 1000)
    aged(own(store, old.sha256), 7200)
    aged(own(store, young.sha256), 3000)
    assert store.prune(None, max_age_s=7300).removed_bytes == 0
    assert store.prune(None, max_age_s=3600).removed_bytes == 1000
    assert own(store, young.sha256).exists()
    assert store.prune(500, max_age_s=3600).left_bytes == 0


def test_pruning_spares_what_a_render_under_way_counts_on(store: LocalStore) -> None:
    old = put(store, b"o" * 1000)
    store.record(KEY, StepResult(outputs={"video": old}))
    idle = put(store, b"i" * 1000)
    for path in (*(store.root / "objects").glob("*/*"), *(store.root / "steps").glob("*/*")):
        aged(path)
    with store.workdir():
        assert store.lookup(KEY) is not None
        new = put(store, b"n" * 1000)
        pruned = LocalStore(store.root).prune(0)
        assert pruned.in_use_bytes == pruned.left_bytes > 2000
        assert store.lookup(KEY) is not None
        store.path(new.sha256)
        assert not own(store, idle.sha256).exists()
    store.prune(0)
    assert store.lookup(KEY) is None


def test_a_render_does_not_begin_in_the_middle_of_a_pruning(store: LocalStore) -> None:
    began = threading.Event()

    def begin() -> None:
        with store.workdir():
            began.set()

    with store._pruning(store_module.fcntl.LOCK_EX):
        waiting = threading.Thread(target=begin)
        waiting.start()
        assert not began.wait(0.1)
    waiting.join(10)
    assert began.is_set()
    assert Output(sha256=sha(b""), size_bytes=0) == put(store, b"")
