"""ZIP archives with the same bytes every time: stored, sorted, dated 1980.

The layout follows from names, sizes and CRCs alone, so an archive can be compared byte by
byte without being written again. The bytes are made here and not by `zipfile`, whose
choices may differ between versions of Python.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 1 << 20

_LARGE = 0xFFFFFFFF  # from here on a number goes into a ZIP64 field
_MANY = 0xFFFF
_ELSEWHERE, _ELSEWHERE_16 = 0xFFFFFFFF, 0xFFFF  # "see the ZIP64 field"
_DATE = (1 << 5) | 1  # 1 January 1980
_UNIX = 3 << 8
_MODE = 0o100644 << 16
_UTF8 = 1 << 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What a pass over some bytes gives."""

    size_bytes: int
    sha256: str
    crc32: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in an archive; `name` is relative, parted by `/`."""

    name: str
    size_bytes: int
    crc32: int


def copy_summed(source: BinaryIO, target: BinaryIO | None, limit: int = -1) -> Sums:
    """Sums of at most `limit` bytes of `source` (all if negative), copied to `target`."""
    digest, crc, size = hashlib.sha256(), 0, 0
    while chunk := source.read(CHUNK_BYTES if limit < 0 else min(CHUNK_BYTES, limit - size)):
        digest.update(chunk)
        crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        if target is not None:
            target.write(chunk)
    return Sums(size_bytes=size, sha256=digest.hexdigest(), crc32=crc)


def write_zip(out: Path, members: Sequence[Member], files: Mapping[str, Path]) -> None:
    """Write the archive of `members` to the new file `out`; `files` are by member name."""
    with out.open("xb") as target:
        for member in sorted(members, key=_by_name):
            target.write(local_header(member))
            with files[member.name].open("rb") as source:
                copy_summed(source, target)
        target.write(directory(members))


def local_header(member: Member) -> bytes:
    """What stands in front of a member's content."""
    name, size, extra = member.name.encode(), member.size_bytes, b""
    if size >= _LARGE:
        extra, size = struct.pack("<HHQQ", 1, 16, size, size), _ELSEWHERE
    fields = (45 if extra else 20, _UTF8, 0, 0, _DATE, member.crc32, size, size)
    return struct.pack("<4s5H3L2H", b"PK\3\4", *fields, len(name), len(extra)) + name + extra


def directory(members: Sequence[Member]) -> bytes:
    """All that follows the last content: one entry for each member, and the end."""
    entries, offset = [], 0
    for member in sorted(members, key=_by_name):
        entries.append(_central(member, offset))
        offset += len(local_header(member)) + member.size_bytes
    listing = b"".join(entries)
    return listing + _end(len(entries), len(listing), offset)


def _by_name(member: Member) -> str:
    return member.name


def _central(member: Member, offset: int) -> bytes:
    name, size, extra = member.name.encode(), member.size_bytes, b""
    if max(size, offset) >= _LARGE:
        extra = struct.pack("<HHQQQ", 1, 24, size, size, offset)
        size = offset = _ELSEWHERE
    version = 45 if extra else 20
    fields = (_UNIX | version, version, _UTF8, 0, 0, _DATE, member.crc32, size, size)
    lengths = (len(name), len(extra), 0, 0, 0)
    head = struct.pack("<4s6H3L5H2L", b"PK\1\2", *fields, *lengths, _MODE, offset)
    return head + name + extra


def _end(count: int, length: int, offset: int) -> bytes:
    if count < _MANY and max(length, offset) < _LARGE:
        return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, offset, 0)
    record = struct.pack(
        "<4sQ2H2L4Q", b"PK\6\6", 44, _UNIX | 45, 45, 0, 0, count, count, length, offset
    )
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, offset + length, 1)
    blank = (_ELSEWHERE_16, _ELSEWHERE_16, _ELSEWHERE, _ELSEWHERE)
    return record + locator + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, *blank, 0)
