"""What retrying and caching add to a storage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.storage import Storage, Stored
from daemon.storage.around import Around
from daemon.storage.caching import Caching
from daemon.storage.errors import KeyTaken, KeyUnknown, StorageUnavailable
from daemon.storage.retrying import Retrying
from tests.daemon.storage.conftest import Served
from tests.daemon.storage_contract import MIB, bytes_of, new_key, read, send

_AS_THEY_ARE = frozenset({"inner", "presign", "part_url", "local_path", "delete_many"})


class Failing(Around):
    """A storage whose every call fails first, before it did its work or after."""

    def __init__(self, inner: Storage, *, after: bool) -> None:
        super().__init__(inner)
        self._after, self._calls = after, Counter[str]()

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or name in (
            "inner",
            "presign",
            "part_url",
            "local_path",
            "delete_many",
        ):
            return found

        def flaky(*given: Any, **more: Any) -> Any:
            self._calls[name] += 1
            if self._calls[name] > 1:
                return found(*given, **more)
            if self._after:
                found(*given, **more)
            raise StorageUnavailable("not just now")

        return flaky


@pytest.mark.parametrize("after", [False, True])
def test_what_fails_once_is_tried_again_and_done_once(
    served: Served, tmp_path: Path, after: bool
) -> None:
    storage = Retrying(Failing(served.storage, after=after), wait_s=0.001)
    key, path = new_key(), tmp_path / "f"
    path.write_bytes(b"in a file")
    assert storage.put(key, b"bytes").size_bytes == 5
    assert storage.exists(key)
    assert read(storage, key) == b"bytes"
    storage.put_file(new_key(), path)
    joined = new_key()
    upload = storage.begin(joined, media_type="video/mp4")
    send(storage.part_url(joined, upload, 1), b"part")
    assert storage.complete(joined, upload, storage.list_parts(joined, upload)).size_bytes == 4
    assert storage.head(joined).media_type == "video/mp4"
    assert storage.local_path(joined) is not None
    storage.delete(key)
    assert not storage.exists(key)
    assert storage.delete_many([joined]) == {joined: None}
    storage.abort(joined, upload)


def test_another_ones_bytes_are_never_taken_for_ours(served: Served) -> None:
    key = new_key()
    served.storage.put(key, b"other")
    with pytest.raises(KeyTaken):
        Retrying(Failing(served.storage, after=False), wait_s=0.001).put(key, b"bytes")


def test_what_stays_away_is_told_after_the_last_try(served: Served) -> None:
    class Down(Around):
        tries = 0

        def head(self, key: str) -> Stored:
            self.tries += 1
            raise StorageUnavailable("down")

    down = Down(served.storage)
    with pytest.raises(StorageUnavailable):
        Retrying(down, attempts=3, wait_s=0.001).head(new_key())
    assert down.tries == 3


class Breaking(Around):
    """A storage whose connection is lost after each piece."""

    def open_range(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        pieces = self.inner.open_range(key, start, end)

        def broken() -> Iterator[bytes]:
            yield next(pieces)
            if next(pieces, None) is not None:
                raise StorageUnavailable("the line went dead")

        return broken()


def test_a_read_goes_on_where_it_broke(served: Served) -> None:
    key, data = new_key(), bytes_of(3 * MIB + 5)
    served.storage.put(key, data)
    storage = Retrying(Breaking(served.storage), attempts=6, wait_s=0.001)
    assert read(storage, key) == data
    assert read(storage, key, 7, 2 * MIB) == data[7 : 2 * MIB]


class Counting(Around):
    """A storage that counts what is read from it."""

    reads = 0

    def open_range(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        self.reads += 1
        return self.inner.open_range(key, start, end)


def test_what_was_read_is_near_until_it_changes(served: Served, tmp_path: Path) -> None:
    far = Counting(served.storage)
    near = Caching(far, tmp_path / "near", max_bytes=MIB)
    key = new_key()
    near.put(key, b"first")
    assert [read(near, key), read(near, key, 1, 3), far.reads] == [b"first", b"ir", 1]
    served.storage.delete(key)
    served.storage.put(key, b"after")
    assert [read(near, key), far.reads] == [b"after", 2]
    served.storage.delete(key)
    with pytest.raises(KeyUnknown):
        read(near, key)


def test_the_near_disk_keeps_to_its_size_and_to_what_was_read_last(
    served: Served, tmp_path: Path
) -> None:
    far = Counting(served.storage)
    near = Caching(far, tmp_path / "near", max_bytes=250)
    a, b, c, large = (new_key() for _ in range(4))
    for key, data in ((a, b"a" * 100), (b, b"b" * 100), (c, b"c" * 100), (large, b"l" * 251)):
        near.put(key, data)
    for key in (a, b, a, c):
        read(near, key)
    assert far.reads == 3
    read(near, a)
    assert far.reads == 3
    read(near, b)
    assert far.reads == 4
    read(near, large)
    read(near, large)
    assert far.reads == 6
    kept = [path.stat().st_size for path in (tmp_path / "near").iterdir() if path.is_file()]
    assert sum(kept) <= 250


def test_bytes_that_were_damaged_on_the_way_are_not_kept(served: Served, tmp_path: Path) -> None:
    class Damaging(Around):
        is_damaging = True

        def open_range(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
            return iter([b"fault"]) if self.is_damaging else self.inner.open_range(key, start, end)

    far = Damaging(served.storage)
    near = Caching(far, tmp_path / "near", max_bytes=MIB)
    key = new_key()
    near.put(key, b"right")
    with pytest.raises(StorageUnavailable, match="other bytes"):
        read(near, key)
    far.is_damaging = False
    assert read(near, key) == b"right"
