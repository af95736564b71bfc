"""Signatures of Standard Webhooks 1.0.0, one for each secret that is still in use."""

from __future__ import annotations

import base64
import binascii
import re
import secrets as chance
from collections.abc import Mapping
from datetime import UTC, datetime

from standardwebhooks import Webhook

from renderer.errors import UsageError

_SECRET = re.compile(r"^whsec_([A-Za-z0-9+/]+={0,2})$")
_LEAST_BYTES, _MOST_BYTES = 24, 64
MAKE_ONE = "make one: reelkiln webhooks secret"


def secrets_of(text: str, setting: str) -> tuple[str, ...]:
    """The secrets of a setting, separated by blanks, newest first; they are never repeated.

    Raises UsageError for what is no `whsec_` and base64 of 24 to 64 bytes.
    """
    found = tuple(text.split())
    for number, secret in enumerate(found, 1):
        if not is_secret(secret):
            raise UsageError(
                f"{setting}: secret {number} of {len(found)} is not whsec_ and then base64 of "
                f"{_LEAST_BYTES} to {_MOST_BYTES} bytes",
                hint=MAKE_ONE,
            )
    return found


def new_secret() -> str:
    """A secret of 32 bytes that nobody can guess."""
    return "whsec_" + base64.b64encode(chance.token_bytes(32)).decode()


def is_secret(text: str) -> bool:
    """Whether a text is a secret as the standard writes them."""
    found = _SECRET.match(text)
    if found is None:
        return False
    try:
        key = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        return False
    return _LEAST_BYTES <= len(key) <= _MOST_BYTES


def signed(
    secrets: tuple[str, ...], message_id: str, seconds: int, body: bytes
) -> Mapping[str, str]:
    """The headers of one attempt at `seconds` since 1970; `secrets` must not be empty."""
    moment = datetime.fromtimestamp(seconds, UTC)
    text = body.decode("utf-8")
    signatures = [Webhook(secret).sign(message_id, moment, text) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }
