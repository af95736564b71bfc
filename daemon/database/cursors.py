"""Cursors: the place after the last row of a page, as a word for clients to bring back. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re

from renderer.errors import UsageError

_ID = re.compile(r"[0-9A-Z]{26}")


def cursor_after(created_at: float, row_id: str) -> str:
    """The word for the rows that follow."""
    plain = json.dumps([float(created_at).hex(), row_id])
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[float, str]:
    """The inverse of `cursor_after`. Raises UsageError for any other word."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        created_at, row_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not _ID.fullmatch(row_id):
            raise ValueError("not an id")
        return float.fromhex(created_at), row_id
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{cursor!r} is not a cursor", hint="use the cursor of the page before, unchanged"
        ) from error
