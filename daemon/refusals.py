"""Drops that will never be read, each with the fault for its error file."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from daemon.watching.drops import Drop
from renderer.errors import Fault
from renderer.limits import over_limit

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A drop to be moved to `rejected/`, beside the `fault` that says why. It was not read."""

    drop: Drop
    fault: Fault


def refusal_of_kind(drop: Drop, mode: int) -> Refused | None:
    """The refusal of what is no regular file; what a link points to is not looked at."""
    if stat.S_ISREG(mode):
        return None
    what = next((words for is_kind, words in _KINDS if is_kind(mode)), "no regular file")
    fault = Fault(
        code="drop-not-a-file",
        message=f"the drop is {what}, not a file",
        hint="copy the spec itself into the inbox",
    )
    return Refused(drop=drop, fault=fault)


def refusal_of_size(drop: Drop, max_bytes: int) -> Refused | None:
    """The refusal of a file that is too large to be a spec."""
    if drop.signature.size <= max_bytes:
        return None
    what = f"a document of {drop.signature.size} bytes"
    fault = Fault(
        code="document-too-large",
        message=over_limit(what, "max_document_bytes", max_bytes),
        hint="name media by their path; they are not part of the spec",
    )
    return Refused(drop=drop, fault=fault)


def refusal_of_empty(drop: Drop, folder: int) -> Refused | None:
    """The refusal of an empty file, unless a browser is still writing `<name>.part` for it."""
    try:
        os.stat(drop.name + ".part", dir_fd=folder, follow_symlinks=False)
    except OSError:  # also a name that would be too long to be there
        fault = Fault(
            code="empty-document",
            message="the file stayed empty",
            hint="write it under another name and rename it when it is complete",
        )
        return Refused(drop=drop, fault=fault)
    return None


def unreadable(drop: Drop, reason: str) -> Refused:
    """The refusal of a file that could not be opened for so long that it is no accident."""
    fault = Fault(
        code="drop-unreadable",
        message=f"the file cannot be read: {reason}",
        hint="let the daemon's user read it (chmod a+r), and move it back to the inbox",
    )
    return Refused(drop=drop, fault=fault)
