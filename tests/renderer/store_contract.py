"""The contract of every Store. An implementation subclasses it and gives `store`."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from renderer.errors import SourceChanged, StoreCorrupt
from renderer.steps import Output, StepResult
from renderer.store import Store

KEY = "ab" * 32
ABSENT = "0" * 64


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def aged(path: Path, seconds: int = 3600) -> Path:
    """The file as if nobody had changed it for an hour."""
    then = time.time_ns() - seconds * 10**9
    os.utime(path, ns=(then, then))
    return path


def put(store: Store, data: bytes) -> Output:
    """Keep bytes, by way of a file."""
    with store.workdir() as folder:
        (folder / "data").write_bytes(data)
        return store.put_file(folder / "data", move=True)


class StoreContract:
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        raise NotImplementedError

    @pytest.mark.parametrize("data", [b"", b"a", b"frames" * 400_000])
    def test_bytes_come_back_as_they_went_in(self, store: Store, data: bytes) -> None:
        output = put(store, data)
        assert output == store.put_bytes(data) == Output(sha256=sha(data), size_bytes=len(data))
        assert store.path(output.sha256).read_bytes() == data

    @pytest.mark.parametrize("move", [False, True])
    def test_a_file_comes_back_and_is_gone_only_when_moved(
        self, store: Store, tmp_path: Path, move: bool
    ) -> None:
        for _ in range(2):  # the second time the object is already there
            source = tmp_path / "made.mp4"
            source.write_bytes(b"film")
            output = store.put_file(source, move=move)
            assert output == Output(sha256=sha(b"film"), size_bytes=4)
            assert source.exists() is not move
        assert store.path(output.sha256).read_bytes() == b"film"

    def test_moving_a_symlink_keeps_the_bytes_and_spares_the_target(
        self, store: Store, tmp_path: Path
    ) -> None:
        (tmp_path / "real").write_bytes(b"film")
        link = tmp_path / "link"
        link.symlink_to(tmp_path / "real")
        output = store.put_file(link, move=True)
        assert not store.path(output.sha256).is_symlink()
        assert (tmp_path / "real").read_bytes() == b"film"
        assert not link.is_symlink()

    def test_an_absent_object_is_a_clear_error(self, store: Store) -> None:
        with pytest.raises(StoreCorrupt, match=ABSENT):
            store.path(ABSENT)

    @pytest.mark.parametrize("name", ["../../etc/passwd", "", "AB" * 32, "0" * 63, "é" * 64])
    def test_only_digests_are_names(self, store: Store, name: str) -> None:
        with pytest.raises(ValueError, match="digest"):
            store.path(name)
        with pytest.raises(ValueError, match="digest"):
            store.lookup(name)
        with pytest.raises(ValueError, match="digest"):
            store.record(name, StepResult(outputs={}))

    def test_a_recorded_step_is_found_again(self, store: Store) -> None:
        output = put(store, b"segment")
        store.record(KEY, StepResult(outputs={"video": output}, facts={"frames": 5, "é": [1]}))
        assert store.lookup(KEY) == StepResult(
            outputs={"video": output}, facts={"frames": 5, "é": [1]}, reused=True
        )
        assert store.lookup("cd" * 32) is None

    def test_a_step_whose_object_never_came_is_unknown(self, store: Store) -> None:
        missing = Output(sha256=sha(b"never"), size_bytes=5)
        store.record(KEY, StepResult(outputs={"video": missing}))
        assert store.lookup(KEY) is None

    def test_a_step_whose_object_has_another_size_is_unknown(self, store: Store) -> None:
        output = put(store, b"segment")
        wrong = Output(sha256=output.sha256, size_bytes=8)
        store.record(KEY, StepResult(outputs={"video": wrong}))
        assert store.lookup(KEY) is None

    def test_recording_again_replaces(self, store: Store) -> None:
        store.record(KEY, StepResult(outputs={}, facts={"try": 1}))
        store.record(KEY, StepResult(outputs={}, facts={"try": 2}))
        known = store.lookup(KEY)
        assert known is not None
        assert known.facts == {"try": 2}

    def test_a_borrowed_file_is_an_object(self, store: Store, tmp_path: Path) -> None:
        outside = tmp_path / "clip.mp4"
        outside.write_bytes(b"mine")
        output = store.borrow(outside)
        assert output == Output(sha256=sha(b"mine"), size_bytes=4)
        assert store.path(output.sha256).read_bytes() == b"mine"

    def test_a_borrowed_file_is_never_given_with_other_bytes(
        self, store: Store, tmp_path: Path
    ) -> None:
        outside = tmp_path / "clip.mp4"
        outside.write_bytes(b"mine")
        store.borrow(aged(outside))
        outside.write_bytes(b"thin")
        given = b"mine"  # from a copy, or else nothing is given
        with suppress(SourceChanged):
            given = store.path(sha(b"mine")).read_bytes()
        assert given == b"mine"

    def test_a_file_that_was_only_touched_is_still_the_object(
        self, store: Store, tmp_path: Path
    ) -> None:
        outside = tmp_path / "clip.mp4"
        outside.write_bytes(b"mine")
        output = store.borrow(outside)
        aged(outside)
        assert store.path(output.sha256).read_bytes() == b"mine"

    def test_borrowing_follows_the_file(self, store: Store, tmp_path: Path) -> None:
        path = tmp_path / "clip.mp4"
        for data in (b"one", b"two", b"three"):
            path.write_bytes(data)
            assert store.borrow(path).sha256 == sha(data)
            assert store.borrow(path).sha256 == sha(data)

    def test_our_own_copy_serves_when_the_borrowed_file_is_gone(
        self, store: Store, tmp_path: Path
    ) -> None:
        outside = tmp_path / "clip.mp4"
        outside.write_bytes(b"mine")
        store.borrow(outside)
        store.put_file(outside)
        outside.unlink()
        assert store.path(sha(b"mine")).read_bytes() == b"mine"

    def test_a_work_folder_is_private_and_goes_away(self, store: Store) -> None:
        with store.workdir() as first, store.workdir() as second:
            assert first != second
            assert list(first.iterdir()) == []
            (first / "part").write_bytes(b"x")
        assert not first.exists()
        assert not second.exists()

    def test_a_work_folder_goes_away_after_an_error(self, store: Store) -> None:
        with pytest.raises(RuntimeError), store.workdir() as folder:
            raise RuntimeError
        assert not folder.exists()

    @given(kind=st.sampled_from(["facts", "plans"]), name=st.text(), text=st.text())
    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    def test_notes_are_kept_by_kind_and_name(
        self, store: Store, kind: str, name: str, text: str
    ) -> None:
        store.remember(kind, name, {"text": text})
        assert store.recall(kind, name) == {"text": text}
        assert store.recall(kind, name + "?") is None
        store.remember(kind, name, {})
        assert store.recall(kind, name) == {}

    def test_threads_may_put_the_same_bytes_at_once(self, store: Store) -> None:
        data = [bytes([n]) * 100_000 for n in range(4)]
        gate = threading.Barrier(8)

        def keep(number: int) -> Output:
            gate.wait()
            return put(store, data[number % 4])

        with ThreadPoolExecutor(8) as pool:
            outputs = list(pool.map(keep, range(8)))
        for number, output in enumerate(outputs):
            assert store.path(output.sha256).read_bytes() == data[number % 4]
