"""What every storage does. `tests/daemon/storage_contract.py` tests what is said here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from daemon.signing import HOUR_S, LONGEST_S
from daemon.storage.errors import RangeOutside, UploadRefused
from renderer.errors import ReelkilnError, UsageError

CHUNK_BYTES = 1 << 20
LEAST_PART_BYTES = 5 << 20
"""A part of an upload has at least so many bytes, except for the last one."""
MOST_PARTS = 10_000

Method = Literal["GET", "PUT"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One stored thing. `sha256` is empty where only its bytes can say.

    `modified` is in seconds since 1970, UTC; `etag` changes when the bytes do.
    """

    key: str
    size_bytes: int
    media_type: str
    sha256: str
    modified: float
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a list says of a stored thing. `modified` in seconds since 1970, UTC."""

    key: str
    size_bytes: int
    modified: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of an upload that has arrived; `number` counts from 1."""

    number: int
    size_bytes: int
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request that whoever has it may make for a while, with exactly these headers."""

    url: str = field(repr=False)
    method: str
    headers: Mapping[str, str]


class Storage(Protocol):
    """Bytes by key. Nothing is ever overwritten; whole files are never held in memory.

    - Every method checks its key (KeyRefused) and may raise StorageUnavailable, which is worth
      another try, and StorageRefused, which is not.
    - A key appears with all of its bytes or not at all, whoever dies meanwhile.
    - No key may be the folder of another.
    """

    def put(self, key: str, data: bytes, *, media_type: str = "") -> Stored:
        """Keep a few bytes. Raises KeyTaken."""
        ...

    def put_file(self, key: str, path: Path, *, media_type: str = "", move: bool = False) -> Stored:
        """Keep the bytes of a plain file; with `move` it is gone afterwards. Raises KeyTaken."""
        ...

    def open_range(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `end`, by pieces.

        Raises KeyUnknown and RangeOutside before the first piece.
        """
        ...

    def head(self, key: str) -> Stored:
        """What is known of a stored thing. Raises KeyUnknown."""
        ...

    def exists(self, key: str) -> bool:
        """Whether something is stored there."""
        ...

    def delete(self, key: str) -> None:
        """Remove it; what is not there is no error."""
        ...

    def delete_many(self, keys: Sequence[str]) -> Mapping[str, ReelkilnError | None]:
        """Remove each, and say for each why it could not be."""
        ...

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """What is stored below a folder (all, when empty), by the bytes of its key."""
        ...

    @property
    def is_here(self) -> bool:
        """Whether what is stored can be read in place: `local_path` finds it."""
        ...

    def local_path(self, key: str) -> Path | None:
        """A file to read in place, None where there is none; it goes when the key does."""
        ...

    def presign(
        self, method: Method, key: str, *, expires_s: int = HOUR_S, media_type: str = "",
        size_bytes: int | None = None, sha256: str = "", file_name: str = "",
    ) -> Signed:  # fmt: skip
        """A request without credentials, for an hour, and seven days at most.

        A PUT is refused unless type, size and digest are those that are given here, and when
        the key is taken. A GET may come as an attachment called `file_name`.
        """
        ...

    def public_url(self, key: str) -> str | None:
        """Where anybody reads it, if the operator made the storage public."""
        ...

    def begin(self, key: str, *, media_type: str = "") -> str:
        """Begin an upload in parts; its id. The parts are unseen until it is completed."""
        ...

    def part_url(
        self, key: str, upload_id: str, number: int, *, expires_s: int = HOUR_S,
        size_bytes: int | None = None,
    ) -> Signed:  # fmt: skip
        """A request that sends one part; a part may be sent again."""
        ...

    def list_parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """The parts that have arrived, by number. Raises UploadUnknown."""
        ...

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> Stored:
        """Make one thing of these parts.

        Raises UploadUnknown, KeyTaken, and UploadRefused for parts that are not there, have
        another tag, are out of order, or are too small.
        """
        ...

    def abort(self, key: str, upload_id: str) -> None:
        """Forget an upload and its parts; one that is not under way is no error."""
        ...


def checked_seconds(expires_s: int) -> int:
    """The seconds that a link may last. Raises UsageError."""
    if not 1 <= expires_s <= LONGEST_S:
        raise UsageError(
            f"a link for {expires_s} s is not possible", hint=f"ask for 1 to {LONGEST_S} seconds"
        )
    return expires_s


def checked_number(number: int) -> int:
    """The number of a part. Raises UsageError."""
    if not 1 <= number <= MOST_PARTS:
        raise UsageError(f"part {number} is not possible", hint=f"number them 1 to {MOST_PARTS}")
    return number


def refuse_parts(key: str, parts: Sequence[Part], there: Sequence[Part]) -> None:
    """Raises UploadRefused when these parts make no whole; `there` are those that arrived."""
    fault = _parts_fault(parts, {part.number: part for part in there})
    if fault:
        raise UploadRefused(f"the upload of {key} cannot be completed: {fault}")


def checked_range(key: str, start: int, end: int | None, size: int) -> tuple[int, int]:
    """The range as it is in so many bytes. Raises RangeOutside."""
    last = size if end is None else min(end, size)
    if start < 0 or start > last or (start == last and (start, end) != (0, None)):
        raise RangeOutside(key, size)
    return start, last


def _parts_fault(parts: Sequence[Part], there: Mapping[int, Part]) -> str:
    numbers = [part.number for part in parts]
    if not parts:
        return "there are no parts"
    if numbers != sorted(set(numbers)):
        return "the parts are not in order"
    for part in parts:
        found = there.get(part.number)
        if found is None or found.etag != part.etag:
            return f"part {part.number} is not there, or has another tag"
        if part.number != numbers[-1] and found.size_bytes < LEAST_PART_BYTES:
            return f"part {part.number} is under {LEAST_PART_BYTES} bytes"
    return ""
