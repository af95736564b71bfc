"""What can go wrong between us and a storage.

KeyRefused          storage-key-refused       the key has not the form of keys
KeyUnknown          storage-key-unknown       nothing is there
KeyTaken            storage-key-taken         something is there, and nothing is overwritten
UploadUnknown       storage-upload-unknown    no such upload in parts, or it has ended
UploadRefused       upload-refused            the bytes are not what was announced
RangeOutside        storage-range-outside     no byte of the range is there
StorageRefused      storage-refused           it does not take our credentials or our request
StorageUnavailable  storage-unavailable       it does not answer; trying again may help
"""

from __future__ import annotations

from renderer.errors import ReelkilnError


class KeyRefused(ReelkilnError):
    """A key that has not the form of keys."""

    code = "storage-key-refused"
    http_status = 400


class KeyUnknown(ReelkilnError):
    """Nothing is stored under the key."""

    code = "storage-key-unknown"
    http_status = 404

    def __init__(self, key: str) -> None:
        super().__init__(f"nothing is stored as {key}", hint="it was deleted, or never arrived")


class KeyTaken(ReelkilnError):
    """Something is stored under the key already."""

    code = "storage-key-taken"
    http_status = 409

    def __init__(self, key: str) -> None:
        super().__init__(
            f"something is stored as {key} already, and nothing is overwritten",
            hint="delete it first, or store it under another key",
        )


class UploadUnknown(ReelkilnError):
    """There is no such upload in parts: it was completed, aborted, or never begun."""

    code = "storage-upload-unknown"
    http_status = 404

    def __init__(self, key: str) -> None:
        super().__init__(f"no such upload of {key} is under way", hint="begin a new one")


class UploadRefused(ReelkilnError):
    """What was sent is not what was announced."""

    code = "upload-refused"
    http_status = 422


class NotArrived(UploadRefused):
    """The bytes are not there yet; nothing is lost."""

    code = "upload-not-arrived"
    http_status = 409


class RangeOutside(ReelkilnError):
    """No byte of the range is there."""

    code = "storage-range-outside"
    http_status = 416

    def __init__(self, key: str, size_bytes: int) -> None:
        super().__init__(f"{key} has {size_bytes} bytes, none of them in that range")
        self.size_bytes = size_bytes


class StorageRefused(ReelkilnError):
    """The storage does not take our credentials or our request."""

    code = "storage-refused"
    http_status = 502


class StorageUnavailable(ReelkilnError):
    """The storage does not answer, or says that it cannot just now."""

    code = "storage-unavailable"
    http_status = 503
    retryable = True
