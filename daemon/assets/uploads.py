"""Uploads: promised with size and digest, sent straight to the storage, and proven before use.

    pending ──▶ available        its bytes are what was promised
       └──────▶ refused          they are not, and are gone

The record of each is a file of its own, so that a restart forgets nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

from daemon.assets.upload_checks import measured
from daemon.fs import Fs, replace_file
from daemon.signing import HOUR_S
from daemon.storage.contract import Part, Signed, Storage
from daemon.storage.errors import (
    KeyTaken,
    KeyUnknown,
    NotArrived,
    StorageRefused,
    StorageUnavailable,
    UploadRefused,
    UploadUnknown,
)
from daemon.storage.files import as_file
from daemon.storage.keys import upload_key
from renderer.errors import ReelkilnError, UsageError
from renderer.limits import Limits, over_limit

_ID = re.compile(r"[0-9A-Z]{26}")
_MAX_RECORD = 1 << 16
_LEAST_PART = 8 << 20
_PARTS_AIMED_AT = 1_000
_SWEEP_EVERY_S = 3600.0
KEPT_S = 8 * 24 * 3600.0  # a day longer than any link of it

PENDING, AVAILABLE, REFUSED = "pending", "available", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The record of one upload.

    `media_type`, `size_bytes` and `sha256` are promised until it is available, and proven from
    then on. `parts_id` is the storage's name of an upload in parts, `part_bytes` the size of
    each but the last. `file_name` is what the client calls it, and nothing else. `asset_id` is
    what became of it. `created_at` in seconds since 1970, UTC. `duration_ms` is found out.
    `fulfils` is the pending asset that it is for, `job_id` the job that promised that, and
    `holder` who ran the job when the upload began.
    """

    upload_id: str
    key: str
    owner: str
    media_type: str
    size_bytes: int
    sha256: str
    file_name: str = ""
    parts_id: str = ""
    part_bytes: int = 0
    state: str = PENDING
    reason: str = ""
    asset_id: str = ""
    created_at: float = 0.0
    duration_ms: int | None = None
    world: str = ""
    fulfils: str = ""
    job_id: str = ""
    holder: str = ""

    @property
    def parts(self) -> int:
        """How many parts it has; 0 when it goes in one piece."""
        return -(-self.size_bytes // self.part_bytes) if self.part_bytes else 0

    def part_size(self, number: int) -> int:
        """The bytes of a part. Raises UsageError for a number that it has not."""
        if not 1 <= number <= self.parts:
            raise UsageError(
                f"part {number} is not one of this upload", hint=f"number them 1 to {self.parts}"
            )
        return min(self.part_bytes, self.size_bytes - (number - 1) * self.part_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a client says that it will send, and what for: see `Upload`."""

    media_type: str
    size_bytes: int
    sha256: str
    file_name: str = ""
    world: str = ""
    fulfils: str = ""
    job_id: str = ""
    holder: str = ""


class Fulfils(Protocol):
    """Whoever makes assets of uploads."""

    def fulfil_upload(self, upload: Upload) -> str:
        """Take a proven upload; the id of its asset. Called again after a crash: idempotent."""
        ...

    def stands_on(self, upload: Upload) -> bool:
        """Whether an asset is made of its bytes, whatever its own record says."""
        ...


class NoAssets:
    """No catalog: uploads are what they are."""

    def fulfil_upload(self, upload: Upload) -> str:
        """As `Fulfils.fulfil_upload`."""
        return ""

    def stands_on(self, upload: Upload) -> bool:
        """As `Fulfils.stands_on`."""
        return False


class Uploads:
    """The uploads of one daemon, their records in `folder`."""

    def __init__(
        self, *, storage: Storage, folder: Path, fs: Fs, clock: Callable[[], float],
        new_id: Callable[[], str], limits: Limits, assets: Fulfils,
    ) -> None:  # fmt: skip
        self.storage = storage
        self._folder, self._fs, self._clock, self._new_id = folder, fs, clock, new_id
        self._limits, self._assets = limits, assets
        self._swept_at = float("-inf")
        folder.mkdir(parents=True, exist_ok=True)

    def promise(self, promise: Promise, owner: str, *, in_parts: bool = False) -> Upload:
        """Begin an upload. Raises UsageError for one that is too large, or is empty."""
        self._see_size(promise)
        self._sweep_at_times()
        upload_id, now = self._new_id(), self._clock()
        upload = Upload(
            upload_id=upload_id, key=upload_key(upload_id, now, promise.job_id), owner=owner,
            created_at=now, **asdict(promise),
        )  # fmt: skip
        if in_parts:
            upload = replace(
                upload,
                parts_id=self.storage.begin(upload.key, media_type=promise.media_type),
                part_bytes=max(_LEAST_PART, -(-promise.size_bytes // _PARTS_AIMED_AT)),
            )
        self._write(upload)
        return upload

    def find(self, upload_id: str) -> Upload | None:
        """The upload of that id."""
        if not _ID.fullmatch(upload_id):
            return None
        try:
            return _upload(json.loads(self._fs.read(self._record(upload_id), _MAX_RECORD)))
        except FileNotFoundError:
            return None

    def put_url(self, upload: Upload, expires_s: int = HOUR_S) -> Signed:
        """The request that sends the whole of it."""
        return self.storage.presign(
            "PUT", upload.key, expires_s=expires_s, media_type=upload.media_type,
            size_bytes=upload.size_bytes, sha256=upload.sha256,
        )  # fmt: skip

    def get_url(self, upload: Upload, expires_s: int = HOUR_S) -> Signed:
        """The request that fetches it. Raises UploadRefused while it is not available."""
        if upload.state != AVAILABLE:
            raise UploadRefused(f"the upload is {upload.state}", hint="complete it first")
        return self.storage.presign(
            "GET", upload.key, expires_s=expires_s, file_name=upload.file_name
        )

    def part_url(self, upload: Upload, number: int, expires_s: int = HOUR_S) -> Signed:
        """The request that sends one part. Raises UsageError, UploadUnknown."""
        size = upload.part_size(number)
        return self.storage.part_url(
            upload.key, upload.parts_id, number, expires_s=expires_s, size_bytes=size
        )

    def arrived(self, upload: Upload) -> tuple[Part, ...]:
        """The parts that are there; none when it goes in one piece, or has ended."""
        if upload.state != PENDING or not upload.parts_id:
            return ()
        try:
            return self.storage.list_parts(upload.key, upload.parts_id)
        except UploadUnknown:
            return ()

    def complete(self, upload: Upload) -> Upload:
        """Prove the bytes and make an asset of them; what was completed stays so.

        Raises UploadRefused when they are not what was promised (they are removed then),
        NotArrived while they are not all there (they stay).
        """
        if upload.state == AVAILABLE:
            return upload
        if upload.state == REFUSED:
            raise UploadRefused(upload.reason, hint="begin a new upload")
        self._join(upload)
        try:
            done = self._proven(upload)
        except ReelkilnError as error:
            if error.retryable or isinstance(error, NotArrived):
                raise
            self._refuse(upload, error)
            raise
        done = replace(done, asset_id=self._assets.fulfil_upload(done))
        self._write(done)
        return done

    def remove(self, upload: Upload) -> None:
        """Forget an upload and its bytes. Raises UploadRefused when an asset stands on them."""
        if upload.asset_id or self._assets.stands_on(upload):
            asset_id = upload.asset_id or upload.fulfils or upload.upload_id
            raise UploadRefused(
                "an asset is made of this upload", hint=f"delete the asset {asset_id}"
            )
        if upload.parts_id:
            self.storage.abort(upload.key, upload.parts_id)
        self.storage.delete(upload.key)
        self._fs.unlink(self._record(upload.upload_id))

    def sweep(self, older_than_s: float = KEPT_S) -> None:
        """Remove uploads that were promised so long ago, and never completed."""
        for name in self._fs.names(self._folder):
            upload = self.find(name.removesuffix(".json"))
            if upload is None or upload.state == AVAILABLE:
                continue
            is_old = self._clock() - upload.created_at >= older_than_s
            if is_old and not self._assets.stands_on(upload):  # who took it died before saying so
                self.remove(upload)

    def _sweep_at_times(self) -> None:
        """Those who begin uploads pay for those who never ended theirs."""
        if self._clock() - self._swept_at < _SWEEP_EVERY_S:
            return
        self._swept_at = self._clock()
        with suppress(StorageUnavailable, StorageRefused):  # whoever begins is not to blame
            self.sweep()

    def _see_size(self, promise: Promise) -> None:
        limit = self._limits.max_source_bytes
        if promise.size_bytes > limit:
            raise UsageError(
                over_limit(f"{promise.size_bytes} bytes", "max_source_bytes", limit),
                hint="send less",
            )
        if promise.size_bytes < 1:
            raise UsageError("an upload of no bytes", hint="is the file complete?")

    def _join(self, upload: Upload) -> None:
        """Make one thing of the parts, unless another call has: keys are never given twice."""
        if not upload.parts_id or self.storage.exists(upload.key):
            return
        try:
            parts = self.storage.list_parts(upload.key, upload.parts_id)
            _see_all(upload, parts)
            self.storage.complete(upload.key, upload.parts_id, parts)
        except (KeyTaken, UploadUnknown, NotArrived):
            if not self.storage.exists(upload.key):
                raise

    def _proven(self, upload: Upload) -> Upload:
        """The upload with what its bytes are. Raises UploadRefused."""
        try:
            found = self.storage.head(upload.key)
        except KeyUnknown as error:
            raise NotArrived("the bytes have not arrived", hint="send them first") from error
        if found.size_bytes != upload.size_bytes:
            raise UploadRefused(
                f"{found.size_bytes} bytes came where {upload.size_bytes} were promised"
            )
        with as_file(self.storage, upload.key, self._folder / ".scratch") as path:
            facts = measured(path, upload.media_type, upload.sha256, self._limits)
        return replace(
            upload, state=AVAILABLE, media_type=facts.media_type, duration_ms=facts.duration_ms
        )

    def _refuse(self, upload: Upload, error: ReelkilnError) -> None:
        self.storage.delete(upload.key)
        self._write(replace(upload, state=REFUSED, reason=error.message))

    def _record(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.json"

    def _write(self, upload: Upload) -> None:
        data = json.dumps(asdict(upload)).encode()
        replace_file(self._fs, self._record(upload.upload_id), data, self._new_id())


def _see_all(upload: Upload, parts: Sequence[Part]) -> None:
    missing = sorted(set(range(1, upload.parts + 1)) - {part.number for part in parts})
    if missing:
        some = ", ".join(map(str, missing[:20]))
        raise NotArrived(f"these parts have not arrived: {some}", hint="send them")


def _upload(data: Mapping[str, Any]) -> Upload:
    known = {field.name for field in fields(Upload)} & data.keys()
    return Upload(**{name: data[name] for name in known})
