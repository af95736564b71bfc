"""A first look into a drop: the same file still, no writer, and its text. Never blocks."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import StrEnum

from daemon.watching.drops import Signature
from daemon.watching.leases import has_writer


class Glanced(StrEnum):
    """What came of it."""

    READ = "read"
    GONE = "gone"
    CHANGED = "changed"  # not the file of the signature
    HELD = "held"  # somebody has it open for writing
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """The outcome; `text` when it was read, `reason` when it could not be."""

    outcome: Glanced
    text: bytes = b""
    reason: str = ""


def signature_of(status: os.stat_result) -> Signature:
    """The signature of a file by its status."""
    return Signature(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def glance(folder: int, name: str, expected: Signature) -> Glance:
    """Open `name` below the open folder, and read it if it is what is expected."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        return Glance(outcome=Glanced.GONE)
    except OSError as error:  # refused now, perhaps not later: EACCES, EBUSY, ESTALE, ETXTBSY
        return Glance(outcome=Glanced.UNREADABLE, reason=error.strerror or str(error))
    try:
        return _read(descriptor, expected)
    except OSError as error:
        return Glance(outcome=Glanced.UNREADABLE, reason=error.strerror or str(error))
    finally:
        os.close(descriptor)


def _read(descriptor: int, expected: Signature) -> Glance:
    if not _is_still(descriptor, expected):
        return Glance(outcome=Glanced.CHANGED)
    if has_writer(descriptor):
        return Glance(outcome=Glanced.HELD)
    text = os.read(descriptor, expected.size)
    if len(text) != expected.size or not _is_still(descriptor, expected):
        return Glance(outcome=Glanced.CHANGED)
    return Glance(outcome=Glanced.READ, text=text)


def _is_still(descriptor: int, expected: Signature) -> bool:
    status = os.fstat(descriptor)
    return stat.S_ISREG(status.st_mode) and signature_of(status) == expected
