"""Storage in an S3 bucket: obstore carries the bytes, boto3 signs and keeps uploads in parts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from daemon.signing import HOUR_S
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
    refuse_parts,
)
from daemon.storage.errors import (
    KeyTaken,
    KeyUnknown,
    StorageRefused,
    StorageUnavailable,
    UploadUnknown,
)
from daemon.storage.keys import checked_key
from daemon.storage.s3_errors import aws_errors, object_errors
from renderer.digest import digest_of_stream
from renderer.errors import ReelkilnError, UsageError

if TYPE_CHECKING:
    from obstore import GetResult

UNKNOWN_TYPE = "application/octet-stream"
_PIECE_BYTES = 16 << 20  # what is put at once, and so held in memory
_DELETES_AT_ONCE = 8


class S3Storage:
    """The keys below `prefix` of a bucket. `store` is obstore's, `client` boto3's view of it.

    `public` is the address that stands in front of public keys.
    """

    def __init__(
        self, store: Any, client: Any, *, bucket: str, prefix: str = "", public: str = ""
    ) -> None:
        self._store, self._client = store, client
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        self._public = public.rstrip("/")

    def put(self, key: str, data: bytes, *, media_type: str = "") -> Stored:
        """As `Storage.put`."""
        return self._put(checked_key(key), data, media_type)

    def put_file(self, key: str, path: Path, *, media_type: str = "", move: bool = False) -> Stored:
        """As `Storage.put_file`; over 16 MiB it goes in parts."""
        if path.is_symlink() or not path.is_file():
            raise UsageError(f"{path} is no plain file", hint="give the file itself")
        if path.stat().st_size <= _PIECE_BYTES:
            stored = self._put(checked_key(key), path.read_bytes(), media_type)
        else:
            stored = self._put_in_parts(checked_key(key), path, media_type)
        if move:
            path.unlink()
        return stored

    def open_range(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """As `Storage.open_range`."""
        if (start, end) == (0, None):
            return _pieces(self._get(key, {}), key)
        start, last = checked_range(key, start, end, self.head(key).size_bytes)
        return _pieces(self._get(key, {"range": (start, last)}), key)

    def head(self, key: str) -> Stored:
        """As `Storage.head`."""
        found = self._get(key, {"head": True})
        meta, about = found.meta, found.attributes
        return Stored(
            key=key, size_bytes=meta["size"], sha256=about.get("sha256", ""),
            media_type=about.get("Content-Type", UNKNOWN_TYPE),
            modified=meta["last_modified"].timestamp(), etag=(meta["e_tag"] or "").strip('"'),
        )  # fmt: skip

    def exists(self, key: str) -> bool:
        """As `Storage.exists`."""
        try:
            self.head(key)
        except KeyUnknown:
            return False
        return True

    def delete(self, key: str) -> None:
        """As `Storage.delete`."""
        import obstore

        with object_errors(checked_key(key)):
            obstore.delete(self._store, key)

    def delete_many(self, keys: Sequence[str]) -> Mapping[str, ReelkilnError | None]:
        """As `Storage.delete_many`."""
        with ThreadPoolExecutor(_DELETES_AT_ONCE) as pool:
            return dict(zip(keys, pool.map(self._delete_told, keys), strict=True))

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """As `Storage.list`."""
        import obstore

        folder = checked_key(prefix) if prefix else None
        with object_errors(prefix):
            metas = [meta for batch in obstore.list(self._store, prefix=folder) for meta in batch]
        # Servers that keep folders list by folder; S3 itself lists by bytes.
        for meta in sorted(metas, key=lambda meta: meta["path"].encode()):
            yield Listed(
                key=meta["path"], size_bytes=meta["size"],
                modified=meta["last_modified"].timestamp(),
            )  # fmt: skip

    @property
    def is_here(self) -> bool:
        """As `Storage.is_here`."""
        return False

    def local_path(self, key: str) -> Path | None:
        """As `Storage.local_path`: there is none."""
        checked_key(key)
        return None

    def presign(
        self, method: Method, key: str, *, expires_s: int = HOUR_S, media_type: str = "",
        size_bytes: int | None = None, sha256: str = "", file_name: str = "",
    ) -> Signed:  # fmt: skip
        """As `Storage.presign`."""
        wanted = self._at(checked_key(key))
        if method == "GET":
            if file_name:
                named = f"attachment; filename*=UTF-8''{quote(file_name, safe='')}"
                wanted["ResponseContentDisposition"] = named
            return self._signed("get_object", wanted, expires_s, {})
        headers = _put_headers(media_type, sha256)
        wanted |= _put_terms(media_type, size_bytes, sha256)
        return self._signed("put_object", wanted, expires_s, headers)

    def public_url(self, key: str) -> str | None:
        """As `Storage.public_url`."""
        checked_key(key)
        return f"{self._public}/{quote(key)}" if self._public else None

    def begin(self, key: str, *, media_type: str = "") -> str:
        """As `Storage.begin`."""
        if self.exists(key):
            raise KeyTaken(key)
        return self._begun(key, media_type, {})

    def part_url(
        self, key: str, upload_id: str, number: int, *, expires_s: int = HOUR_S,
        size_bytes: int | None = None,
    ) -> Signed:  # fmt: skip
        """As `Storage.part_url`."""
        wanted = self._at(checked_key(key), UploadId=upload_id, PartNumber=checked_number(number))
        if size_bytes is not None:
            wanted["ContentLength"] = size_bytes
        return self._signed("upload_part", wanted, expires_s, {})

    def list_parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """As `Storage.list_parts`."""
        wanted = self._at(checked_key(key), UploadId=upload_id)
        found: list[dict[str, Any]] = []
        with aws_errors(key):
            for page in self._client.get_paginator("list_parts").paginate(**wanted):
                found += page.get("Parts", ())
        return _latest(found)

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> Stored:
        """As `Storage.complete`."""
        named = [{"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in parts]
        # Servers differ in what they make of parts that are missing, small or out of order.
        refuse_parts(key, parts, self.list_parts(key, upload_id))
        with aws_errors(checked_key(key)):
            self._client.complete_multipart_upload(
                **self._at(key, UploadId=upload_id), MultipartUpload={"Parts": named},
                IfNoneMatch="*",
            )  # fmt: skip
        return self.head(key)

    def abort(self, key: str, upload_id: str) -> None:
        """As `Storage.abort`."""
        try:
            with aws_errors(checked_key(key)):
                self._client.abort_multipart_upload(**self._at(key, UploadId=upload_id))
        except UploadUnknown:
            return

    def _put(self, key: str, data: bytes, media_type: str) -> Stored:
        import obstore

        sha256 = hashlib.sha256(data).hexdigest()
        about = {"sha256": sha256, "Content-Type": media_type or UNKNOWN_TYPE}
        with object_errors(key, is_put=True):
            obstore.put(self._store, key, data, attributes=about, mode="create",
                        use_multipart=False)  # fmt: skip
        return self.head(key)

    def _put_in_parts(self, key: str, path: Path, media_type: str) -> Stored:
        if self.exists(key):
            raise KeyTaken(key)
        with path.open("rb") as stream:
            sha256 = digest_of_stream(stream)
        upload_id = self._begun(key, media_type, {"sha256": sha256})
        try:
            self._send_parts(key, upload_id, path)
            return self.complete(key, upload_id, self.list_parts(key, upload_id))
        except BaseException:
            with _unless_unavailable():
                self.abort(key, upload_id)
            raise

    def _send_parts(self, key: str, upload_id: str, path: Path) -> None:
        # 10 000 parts are the most there may be: large files go in larger ones.
        size = max(_PIECE_BYTES, -(-path.stat().st_size // 9_000))
        with path.open("rb") as stream, aws_errors(key):
            number = 0
            while data := stream.read(size):
                number += 1
                self._client.upload_part(
                    **self._at(key, UploadId=upload_id, PartNumber=number), Body=data
                )

    def _begun(self, key: str, media_type: str, metadata: Mapping[str, str]) -> str:
        with aws_errors(key):
            told = self._client.create_multipart_upload(
                **self._at(key), ContentType=media_type or UNKNOWN_TYPE, Metadata=dict(metadata)
            )
        return str(told["UploadId"])

    def _get(self, key: str, options: Any) -> GetResult:
        import obstore

        with object_errors(checked_key(key)):
            return obstore.get(self._store, key, options=options)

    def _signed(
        self, operation: str, wanted: dict[str, Any], expires_s: int, headers: Mapping[str, str]
    ) -> Signed:
        with aws_errors(wanted["Key"]):
            url = self._client.generate_presigned_url(
                operation, Params=wanted, ExpiresIn=checked_seconds(expires_s)
            )
        method = "GET" if operation == "get_object" else "PUT"
        return Signed(url=url, method=method, headers=headers)

    def _at(self, key: str, **more: Any) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": self._prefix + key, **more}

    def _delete_told(self, key: str) -> ReelkilnError | None:
        try:
            self.delete(key)
        except ReelkilnError as error:
            return error
        return None


def _latest(found: Sequence[Mapping[str, Any]]) -> tuple[Part, ...]:
    """The parts by number. Some servers list each that was ever sent: the last one counts."""
    by_number = {
        part["PartNumber"]: Part(
            number=part["PartNumber"], size_bytes=part["Size"], etag=part["ETag"].strip('"')
        )
        for part in sorted(found, key=lambda part: part["LastModified"])
    }  # fmt: skip
    return tuple(by_number[number] for number in sorted(by_number))


def _put_terms(media_type: str, size_bytes: int | None, sha256: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {"IfNoneMatch": "*"}
    if media_type:
        wanted["ContentType"] = media_type
    if size_bytes is not None:
        wanted["ContentLength"] = size_bytes
    if sha256:
        wanted["ChecksumSHA256"] = _base64(sha256)
        wanted["Metadata"] = {"sha256": sha256}
    return wanted


def _put_headers(media_type: str, sha256: str) -> dict[str, str]:
    headers = {"If-None-Match": "*"}
    if media_type:
        headers["Content-Type"] = media_type
    if sha256:
        headers |= {"x-amz-checksum-sha256": _base64(sha256), "x-amz-meta-sha256": sha256}
    return headers


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _pieces(found: GetResult, key: str) -> Iterator[bytes]:
    with object_errors(key):
        for piece in found.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(piece)


@contextmanager
def _unless_unavailable() -> Iterator[None]:
    """The first fault is the one to tell; what is left behind is swept by the bucket's rule."""
    try:
        yield
    except (StorageUnavailable, StorageRefused):
        return
