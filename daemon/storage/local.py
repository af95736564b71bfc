"""Storage in a folder: a file for each key, its type and digest in extended attributes.

A disk without such attributes keeps the bytes alone: the type is then unknown, and so is the
digest. What is being written lies under `.new/`, uploads in parts under `.uploads/`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from daemon.fs import RealFs
from daemon.signing import HOUR_S, LONGEST_S, SigningKey
from daemon.storage.contract import (
    CHUNK_BYTES,
    Listed,
    Method,
    Part,
    Signed,
    Stored,
    checked_number,
    checked_range,
    checked_seconds,
)
from daemon.storage.errors import (
    KeyTaken,
    KeyUnknown,
    StorageUnavailable,
    UploadRefused,
    UploadUnknown,
)
from daemon.storage.keys import checked_key
from daemon.storage.local_parts import LocalParts
from daemon.storage.orders import Order, order_of, order_url
from renderer.digest import digest_of_stream
from renderer.disk import full_disk_told, private_folder, sweep_folders
from renderer.errors import ReelkilnError, UsageError

UNKNOWN_TYPE = "application/octet-stream"
_NEW = "new-"
_ABANDONED_S = LONGEST_S + 24 * 3600
_NO_ATTRIBUTES = frozenset({errno.ENOTSUP, errno.EPERM, errno.ENODATA, errno.E2BIG, errno.ENOSPC})
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_TAKEN = (FileExistsError, NotADirectoryError, IsADirectoryError)


class LocalStorage:
    """The storage in `root`. `base_url` stands in front of signed paths, `public` of public ones.

    `keys` gives the keys that links are signed with, the one in use first. What dead processes
    were writing is removed at the start, and so are uploads that outlived every link to them.
    """

    def __init__(
        self, root: Path, *, keys: Callable[[], Sequence[SigningKey]],
        clock: Callable[[], float], base_url: str = "", public: str = "",
    ) -> None:  # fmt: skip
        self.root = root
        self._keys, self._clock = keys, clock
        self._base_url, self._public = base_url.rstrip("/"), public.rstrip("/")
        self._fs = RealFs()
        self._parts = LocalParts(root / ".uploads", self._fs)
        (root / ".new").mkdir(parents=True, exist_ok=True)
        sweep_folders(root / ".new", _NEW)
        self._parts.sweep(clock() - _ABANDONED_S)

    def put(self, key: str, data: bytes, *, media_type: str = "") -> Stored:
        """As `Storage.put`."""
        checked_key(key)
        with self.receiving() as path:
            path.write_bytes(data)
            return self._publish(key, path, media_type, hashlib.sha256(data).hexdigest())

    def put_file(self, key: str, path: Path, *, media_type: str = "", move: bool = False) -> Stored:
        """As `Storage.put_file`."""
        self._see_free(checked_key(key))
        status = _plain(path)
        if move and status.st_nlink == 1 and status.st_dev == self.root.stat().st_dev:
            return self._publish(key, path, media_type, _digest(path))
        with self.receiving() as copy:
            stored = self._publish(key, copy, media_type, _copied([path], copy))
        if move:
            path.unlink()
        return stored

    @contextmanager
    def receiving(self) -> Iterator[Path]:
        """A name for a file that is being written on the disk of the storage; gone at the end."""
        with full_disk_told(self.root), private_folder(self.root / ".new", _NEW) as folder:
            yield folder / "data"

    def open_range(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """As `Storage.open_range`."""
        number = self._opened(key)
        try:
            start, last = checked_range(key, start, end, os.fstat(number).st_size)
        except BaseException:
            os.close(number)
            raise
        return _pieces(number, key, start, last)

    def head(self, key: str) -> Stored:
        """As `Storage.head`."""
        number = self._opened(key)
        try:
            return _stored(key, number)
        finally:
            os.close(number)

    def exists(self, key: str) -> bool:
        """As `Storage.exists`."""
        found = self._fs.stat(self._path(key))
        return found is not None and stat.S_ISREG(found.st_mode)

    def delete(self, key: str) -> None:
        """As `Storage.delete`."""
        path = self._path(key)
        with suppress(NotADirectoryError, IsADirectoryError):
            self._fs.unlink(path)
        if path.parent.is_dir():
            self._fs.sync_folder(path.parent)

    def delete_many(self, keys: Sequence[str]) -> Mapping[str, ReelkilnError | None]:
        """As `Storage.delete_many`."""
        return {key: _refusal(self.delete, key) for key in keys}

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """As `Storage.list`."""
        top = self._path(prefix) if prefix else self.root
        found = sorted(_files(top), key=lambda path: os.fsencode(path.relative_to(self.root)))
        for path in found:
            status = self._fs.stat(path)
            if status is not None and stat.S_ISREG(status.st_mode):  # it may be gone meanwhile
                yield Listed(
                    key=path.relative_to(self.root).as_posix(), size_bytes=status.st_size,
                    modified=status.st_mtime,
                )  # fmt: skip

    @property
    def is_here(self) -> bool:
        """As `Storage.is_here`."""
        return True

    def local_path(self, key: str) -> Path | None:
        """As `Storage.local_path`."""
        path = self._path(key)
        return path if self.exists(key) else None

    def presign(
        self, method: Method, key: str, *, expires_s: int = HOUR_S, media_type: str = "",
        size_bytes: int | None = None, sha256: str = "", file_name: str = "",
    ) -> Signed:  # fmt: skip
        """As `Storage.presign`; the path alone when no `base_url` was given."""
        order = Order(
            method=method, key=checked_key(key), media_type=media_type, size_bytes=size_bytes,
            sha256=sha256, file_name=file_name,
        )  # fmt: skip
        wanted = {"Content-Type": media_type} if media_type and method == "PUT" else {}
        return self._signed(order, expires_s, wanted)

    def public_url(self, key: str) -> str | None:
        """As `Storage.public_url`."""
        checked_key(key)
        return f"{self._public}/{quote(key)}" if self._public else None

    def begin(self, key: str, *, media_type: str = "") -> str:
        """As `Storage.begin`."""
        self._see_free(checked_key(key))
        return self._parts.begin(key, media_type)

    def part_url(
        self, key: str, upload_id: str, number: int, *, expires_s: int = HOUR_S,
        size_bytes: int | None = None,
    ) -> Signed:  # fmt: skip
        """As `Storage.part_url`."""
        self._parts.folder(checked_key(key), upload_id)
        order = Order(
            method="PUT", key=key, upload_id=upload_id, part=checked_number(number),
            size_bytes=size_bytes,
        )  # fmt: skip
        return self._signed(order, expires_s, {})

    def list_parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """As `Storage.list_parts`."""
        return self._parts.list(checked_key(key), upload_id)

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> Stored:
        """As `Storage.complete`."""
        files = self._parts.files(checked_key(key), upload_id, parts)
        media_type = self._parts.media_type(key, upload_id)
        self._see_free(key)
        with self.receiving() as path:
            try:
                sha256 = _copied(files, path)
            except FileNotFoundError as error:  # another call completed or aborted it meanwhile
                raise UploadUnknown(key) from error
            stored = self._publish(key, path, media_type, sha256)
        self._parts.forget(upload_id)
        return stored

    def abort(self, key: str, upload_id: str) -> None:
        """As `Storage.abort`."""
        with suppress(UploadUnknown):
            self._parts.folder(checked_key(key), upload_id)
            self._parts.forget(upload_id)

    def order_of(self, method: str, path: str, query: str) -> Order:
        """What a signed request allows; path and query raw, as they came. Raises LinkRefused."""
        return order_of(self._keys(), path, query, now=self._clock(), method=method)

    def receive(self, order: Order, path: Path, sha256: str) -> str:
        """Keep a body that was received, if it is what was signed for; its tag.

        `sha256` is that of the body. Raises UploadRefused, KeyTaken, UploadUnknown.
        """
        size = path.stat().st_size
        if order.size_bytes not in (None, size):
            raise UploadRefused(f"{size} bytes came where {order.size_bytes} were announced")
        if order.sha256 not in ("", sha256):
            raise UploadRefused(f"the bytes have the sha256 {sha256}, not the announced one")
        if order.upload_id:
            return self._parts.put(order.key, order.upload_id, order.part, path, sha256)
        return self._publish(order.key, path, order.media_type, sha256).etag

    def _signed(self, order: Order, expires_s: int, headers: Mapping[str, str]) -> Signed:
        url = order_url(self._keys(), order, now=self._clock(), seconds=checked_seconds(expires_s))
        return Signed(url=self._base_url + url, method=order.method, headers=headers)

    def _publish(self, key: str, path: Path, media_type: str, sha256: str) -> Stored:
        """Give a whole file its key, durably."""
        number = os.open(path, _READ)
        try:
            _describe(number, media_type, sha256)
            os.fsync(number)
            self._named(key, path)
            return _stored(key, number)
        finally:
            os.close(number)

    def _named(self, key: str, path: Path) -> None:
        target = self._path(key)
        try:
            self._make_folders(target.parent)
            self._fs.rename_new(path, target)
        except _TAKEN as error:
            raise KeyTaken(key) from error
        self._fs.sync_folder(target.parent)

    def _make_folders(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folders(folder.parent)
        self._fs.make_folder(folder)
        self._fs.sync_folder(folder.parent)

    def _see_free(self, key: str) -> None:
        """Refuse early what would be refused late. Raises KeyTaken."""
        if self.exists(key):
            raise KeyTaken(key)

    def _path(self, key: str) -> Path:
        return self.root / checked_key(key)

    def _opened(self, key: str) -> int:
        try:
            number = os.open(self._path(key), _READ)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise KeyUnknown(key) from error
        except OSError as error:
            raise StorageUnavailable(f"{key} cannot be read: {error.strerror}") from error
        if stat.S_ISREG(os.fstat(number).st_mode):
            return number
        os.close(number)
        raise KeyUnknown(key)


def _plain(path: Path) -> os.stat_result:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{path} is no plain file", hint="give the file itself, not a link to it")
    return status


def _files(top: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(top):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names if not name.startswith("."))


def _pieces(number: int, key: str, start: int, end: int) -> Iterator[bytes]:
    with os.fdopen(number, "rb", buffering=0) as stream:
        stream.seek(start)
        while start < end:
            data = stream.read(min(CHUNK_BYTES, end - start))
            if not data:
                raise StorageUnavailable(f"{key} was cut short while it was read")
            start += len(data)
            yield data


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return digest_of_stream(stream)


def _copied(sources: Sequence[Path], target: Path) -> str:
    """Copy files into one; the digest of it."""
    digest = hashlib.sha256()
    with target.open("xb") as out:
        for source in sources:
            with source.open("rb") as stream:
                while data := stream.read(CHUNK_BYTES):
                    digest.update(data)
                    out.write(data)
    return digest.hexdigest()


def _describe(number: int, media_type: str, sha256: str) -> None:
    for name, value in (("media_type", media_type), ("sha256", sha256)):
        try:
            os.setxattr(number, f"user.reelkiln.{name}", value.encode())
        except OSError as error:
            if error.errno not in _NO_ATTRIBUTES:
                raise


def _described(number: int, name: str) -> str:
    try:
        return os.getxattr(number, f"user.reelkiln.{name}").decode()
    except OSError as error:
        if error.errno not in _NO_ATTRIBUTES:
            raise
        return ""


def _stored(key: str, number: int) -> Stored:
    status, sha256 = os.fstat(number), _described(number, "sha256")
    return Stored(
        key=key, size_bytes=status.st_size, sha256=sha256, modified=status.st_mtime,
        media_type=_described(number, "media_type") or UNKNOWN_TYPE,
        etag=sha256 or f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}",
    )  # fmt: skip


def _refusal(act: Callable[[str], None], key: str) -> ReelkilnError | None:
    try:
        act(key)
    except ReelkilnError as error:
        return error
    except OSError as error:
        return StorageUnavailable(f"{key} cannot be deleted: {error.strerror}")
    return None
