"""A storage around another: it passes everything on, and what it changes is told below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from daemon.signing import HOUR_S
from daemon.storage.contract import Listed, Method, Part, Signed, Storage, Stored
from renderer.errors import ReelkilnError


class Around:
    """`inner`, as it is."""

    def __init__(self, inner: Storage) -> None:
        self.inner = inner

    def put(self, key: str, data: bytes, *, media_type: str = "") -> Stored:
        """As `Storage.put`."""
        return self.inner.put(key, data, media_type=media_type)

    def put_file(self, key: str, path: Path, *, media_type: str = "", move: bool = False) -> Stored:
        """As `Storage.put_file`."""
        return self.inner.put_file(key, path, media_type=media_type, move=move)

    def open_range(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """As `Storage.open_range`."""
        return self.inner.open_range(key, start, end)

    def head(self, key: str) -> Stored:
        """As `Storage.head`."""
        return self.inner.head(key)

    def exists(self, key: str) -> bool:
        """As `Storage.exists`."""
        return self.inner.exists(key)

    def delete(self, key: str) -> None:
        """As `Storage.delete`."""
        self.inner.delete(key)

    def delete_many(self, keys: Sequence[str]) -> Mapping[str, ReelkilnError | None]:
        """As `Storage.delete_many`."""
        return self.inner.delete_many(keys)

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """As `Storage.list`."""
        return self.inner.list(prefix)

    @property
    def is_here(self) -> bool:
        """As `Storage.is_here`."""
        return self.inner.is_here

    def local_path(self, key: str) -> Path | None:
        """As `Storage.local_path`."""
        return self.inner.local_path(key)

    def presign(
        self, method: Method, key: str, *, expires_s: int = HOUR_S, media_type: str = "",
        size_bytes: int | None = None, sha256: str = "", file_name: str = "",
    ) -> Signed:  # fmt: skip
        """As `Storage.presign`."""
        return self.inner.presign(
            method, key, expires_s=expires_s, media_type=media_type, size_bytes=size_bytes,
            sha256=sha256, file_name=file_name,
        )  # fmt: skip

    def public_url(self, key: str) -> str | None:
        """As `Storage.public_url`."""
        return self.inner.public_url(key)

    def begin(self, key: str, *, media_type: str = "") -> str:
        """As `Storage.begin`."""
        return self.inner.begin(key, media_type=media_type)

    def part_url(
        self, key: str, upload_id: str, number: int, *, expires_s: int = HOUR_S,
        size_bytes: int | None = None,
    ) -> Signed:  # fmt: skip
        """As `Storage.part_url`."""
        return self.inner.part_url(
            key, upload_id, number, expires_s=expires_s, size_bytes=size_bytes
        )

    def list_parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """As `Storage.list_parts`."""
        return self.inner.list_parts(key, upload_id)

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> Stored:
        """As `Storage.complete`."""
        return self.inner.complete(key, upload_id, parts)

    def abort(self, key: str, upload_id: str) -> None:
        """As `Storage.abort`."""
        self.inner.abort(key, upload_id)
