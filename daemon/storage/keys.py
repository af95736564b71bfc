"""Keys: what a stored thing may be called. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from daemon.storage.errors import KeyRefused

_MAX_BYTES = 512
_MAX_SEGMENT_BYTES = 200  # a file's name has 255, and some are lengthened while written


def checked_key(key: str) -> str:
    """The key, if it is one. Raises KeyRefused.

    Segments parted by `/`, none empty, none beginning with a dot; printable characters other
    than the backslash; at most 512 bytes of UTF-8 (200 a segment).
    """
    fault = _fault(key)
    if fault:
        raise KeyRefused(f"the key {key[:80]!r} {fault}", hint="such as uploads/2026-01-31/film")
    return key


def upload_key(upload_id: str, now: float, job_id: str = "") -> str:
    """Where an upload of that day lies, or what a job made."""
    if job_id:
        return checked_key(f"generated/{job_id}/{upload_id}")
    day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    return checked_key(f"uploads/{day}/{upload_id}")


def _fault(key: str) -> str:
    try:
        size = max(map(len, (part.encode() for part in key.split("/"))))
    except UnicodeEncodeError:
        return "holds half of a surrogate pair"
    if len(key.encode()) > _MAX_BYTES:
        return f"is longer than {_MAX_BYTES} bytes"
    if size > _MAX_SEGMENT_BYTES:
        return f"has a segment of over {_MAX_SEGMENT_BYTES} bytes"
    if not all(part and not part.startswith(".") for part in key.split("/")):
        return "has a segment that is empty or begins with a dot"
    if "\\" in key or not key.isprintable():
        return "holds a backslash or a control character"
    return ""
