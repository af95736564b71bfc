"""Who may call, as the environment says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from renderer.errors import UsageError

SHARED_KEY = "REELKILN_API_KEY"
_SHORTEST = 16
_DAY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """How callers are known. `is_loopback` is whether only this machine reaches the API.

    `shared_key` renders and reads for the owner of the folder's drops. With `is_registering`
    anybody makes an account, else admins do.
    """

    is_loopback: bool = True
    shared_key: str = field(default="", repr=False)
    is_registering: bool = False
    session_s: float = 14 * _DAY_S
    secure_cookies: bool = False
    max_queued: int = 10_000
    logins_per_minute: int = 10


def access_settings(environment: Mapping[str, str], *, is_loopback: bool) -> AccessSettings:
    """What the environment says. Raises UsageError for what makes no sense.

    Cookies ask for https unless only this machine reaches the API.
    """
    return AccessSettings(
        is_loopback=is_loopback,
        shared_key=_shared_key(environment.get(SHARED_KEY, "")),
        is_registering=_chosen(environment, "REELKILN_REGISTRATION", "closed", "open"),
        session_s=_number(environment, "REELKILN_SESSION_DAYS", 14) * _DAY_S,
        secure_cookies=_chosen(
            environment, "REELKILN_COOKIES", "plain", "secure", is_default=not is_loopback
        ),
        max_queued=_number(environment, "REELKILN_MAX_QUEUED", 10_000),
    )


def _shared_key(text: str) -> str:
    if text and (len(text) < _SHORTEST or not text.isascii() or not text.isprintable()):
        raise UsageError(
            f"{SHARED_KEY} has at least {_SHORTEST} characters, all of them plain ASCII",
            hint="make one with: openssl rand -hex 32",
        )
    return text


def _chosen(
    environment: Mapping[str, str], name: str, off: str, on: str, *, is_default: bool = False
) -> bool:
    text = environment.get(name) or (on if is_default else off)
    if text not in (off, on):
        raise UsageError(f"{name}={text} is neither {on} nor {off}")
    return text == on


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise UsageError(f"{name}={text} is not a whole number above 0")
    return int(text)
