"""A storage that tries again what may go well then: the one place where that is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import stamina

from daemon.storage.around import Around
from daemon.storage.contract import Listed, Part, Storage, Stored
from daemon.storage.errors import KeyTaken, StorageUnavailable, UploadUnknown
from renderer.digest import digest_of_bytes, digest_of_stream
from renderer.errors import ReelkilnError

_T = TypeVar("_T")


class Retrying(Around):
    """`inner`, each call of it made up to `attempts` times; waits start at `wait_s` seconds."""

    def __init__(self, inner: Storage, *, attempts: int = 4, wait_s: float = 0.2) -> None:
        super().__init__(inner)
        self._attempts, self._wait_s = attempts, wait_s

    def put(self, key: str, data: bytes, *, media_type: str = "") -> Stored:
        """As `Storage.put`."""
        return self._made(
            lambda: self.inner.put(key, data, media_type=media_type),
            lambda: self._own(key, len(data), lambda: digest_of_bytes(data)),
        )

    def put_file(self, key: str, path: Path, *, media_type: str = "", move: bool = False) -> Stored:
        """As `Storage.put_file`."""
        stored = self._made(
            lambda: self.inner.put_file(key, path, media_type=media_type, move=move),
            lambda: self._own(key, path.stat().st_size, lambda: _digest(path)),
        )
        if move:
            path.unlink(missing_ok=True)
        return stored

    def open_range(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """As `Storage.open_range`; it goes on where it broke, unless the bytes were replaced."""
        first = self._again(lambda: self.inner.open_range(key, start, end))
        return self._going_on(first, key, start, end)

    def head(self, key: str) -> Stored:
        """As `Storage.head`."""
        return self._again(lambda: self.inner.head(key))

    def exists(self, key: str) -> bool:
        """As `Storage.exists`."""
        return self._again(lambda: self.inner.exists(key))

    def delete(self, key: str) -> None:
        """As `Storage.delete`."""
        self._again(lambda: self.inner.delete(key))

    def delete_many(self, keys: Sequence[str]) -> Mapping[str, ReelkilnError | None]:
        """As `Storage.delete_many`; only what failed is tried again."""
        told = dict(self.inner.delete_many(keys))
        for key in [key for key, error in told.items() if error and error.retryable]:
            try:
                self.delete(key)
                told[key] = None
            except ReelkilnError as error:
                told[key] = error
        return told

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """As `Storage.list`; a list that broke is begun again, behind what was told."""
        last = b""
        for attempt in self._attempting():
            with attempt:
                for entry in self.inner.list(prefix):
                    if entry.key.encode() > last:
                        last = entry.key.encode()
                        yield entry

    def begin(self, key: str, *, media_type: str = "") -> str:
        """As `Storage.begin`; one begun twice leaves an empty upload to be swept."""
        return self._again(lambda: self.inner.begin(key, media_type=media_type))

    def list_parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """As `Storage.list_parts`."""
        return self._again(lambda: self.inner.list_parts(key, upload_id))

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> Stored:
        """As `Storage.complete`."""
        size = sum(part.size_bytes for part in parts)
        return self._made(
            lambda: self.inner.complete(key, upload_id, parts),
            lambda: self._own(key, size, lambda: ""),
        )

    def abort(self, key: str, upload_id: str) -> None:
        """As `Storage.abort`."""
        self._again(lambda: self.inner.abort(key, upload_id))

    def _again(self, act: Callable[[], _T]) -> _T:
        for attempt in self._attempting():
            with attempt:
                return act()
        raise AssertionError  # the last attempt returns or raises

    def _made(self, act: Callable[[], Stored], own: Callable[[], Stored | None]) -> Stored:
        """Make something that can be made once; `own` finds it if an answer got lost."""
        for attempt in self._attempting():
            with attempt:
                try:
                    return act()
                except (KeyTaken, UploadUnknown):
                    found = own() if attempt.num > 1 else None
                    if found is None:
                        raise
                    return found
        raise AssertionError  # the last attempt returns or raises

    def _own(self, key: str, size: int, sha256: Callable[[], str]) -> Stored | None:
        """What is stored there, if it is what we meant to store."""
        found, meant = self.inner.head(key), sha256()
        is_same = found.size_bytes == size and (not meant or found.sha256 in ("", meant))
        return found if is_same else None

    def _going_on(
        self, pieces: Iterator[bytes], key: str, start: int, end: int | None
    ) -> Iterator[bytes]:
        at, tag = start, ""
        for attempt in self._attempting():
            with attempt:
                if attempt.num > 1:
                    tag = self._same(key, tag)
                    pieces = self.inner.open_range(key, at, end)
                for piece in pieces:
                    at += len(piece)
                    yield piece
                return

    def _same(self, key: str, tag: str) -> str:
        found = self.inner.head(key).etag
        if tag not in ("", found):
            raise KeyTaken(key)
        return found

    def _attempting(self) -> stamina._core._RetryContextIterator:
        return stamina.retry_context(
            on=_is_worth_it, attempts=self._attempts, timeout=None,
            wait_initial=self._wait_s, wait_jitter=self._wait_s, wait_max=5.0,
        )  # fmt: skip


def _is_worth_it(error: Exception) -> bool:
    return isinstance(error, StorageUnavailable)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return digest_of_stream(stream)
