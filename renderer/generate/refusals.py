"""Answers of providers that are no picture, as errors that say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from renderer.errors import (
    BadProviderRequest,
    ContentPolicy,
    DailyQuota,
    ModelGone,
    NoImage,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from renderer.user_text import safe_text

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")
_PASSING = frozenset({408, 409, 425, 499})
_SHOWN = 300


def seconds_of(text: object) -> float | None:
    """The seconds of `53s` or `0.5s`, as RetryInfo writes them; None for anything else."""
    match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    return float(match[1]) if match else None


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After header; None when it has none or names a date."""
    text = headers.get("retry-after", "").strip()
    return float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) else None


def refusal(
    status: int, said: str, *, who: str, reason: str = "", retry_after: float | None = None
) -> ProviderRefused:
    """The error for an HTTP status, where nothing more is known."""
    words = f"{who} answered {status}: {_told(said)}"
    if status in (401, 403):
        hint = "check the key, and that it may use this model"
        return ProviderAuth(words, hint=hint, reason=reason)
    if status == 404:
        hint = "the model or the address is not there (any more): set another one"
        return ModelGone(words, hint=hint, reason=reason)
    if status == 429:
        hint = "wait, ask for fewer pictures at once, or raise the quota"
        return RateLimited(words, hint=hint, reason=reason, retry_after=retry_after)
    if status >= 500 or status in _PASSING:
        hint = "try again later"
        return ProviderUnavailable(words, hint=hint, reason=reason, retry_after=retry_after)
    hint = "check model, version and address of the provider"
    return BadProviderRequest(words, hint=hint, reason=reason)


def day_is_over(who: str, said: str, reason: str) -> DailyQuota:
    """The quota of the day is used up."""
    hint = "go on tomorrow, raise the quota, or choose another provider"
    return DailyQuota(f"{who}: the quota is used up: {_told(said)}", hint=hint, reason=reason)


def forbidden(who: str, reason: str, said: str = "") -> ContentPolicy:
    """The rules of the provider forbid it."""
    more = f": {_told(said)}" if said else ""
    hint = "word the prompt otherwise, or choose another provider"
    return ContentPolicy(f"{who} declined for its rules ({reason}){more}", hint=hint, reason=reason)


def pictureless(who: str, why: str, reason: str = "") -> NoImage:
    """There is no picture in the answer, or none that can be used."""
    hint = "describe something that can be seen, or try again"
    return NoImage(f"{who} gave no picture: {_told(why)}", hint=hint, reason=reason)


def keyless(who: str, setting: str) -> ProviderAuth:
    """No key was given; nobody is asked."""
    return ProviderAuth(f"{who} needs a key", hint=f"set {setting}, or choose offline")


def unreached(who: str, why: object) -> ProviderUnavailable:
    """There was no whole answer."""
    hint = "check the address and the network, or try again later"
    return ProviderUnavailable(f"{who} could not be asked: {why}", hint=hint)


def _told(said: Any) -> str:
    return safe_text(str(said), at_most=_SHOWN) or "without a word"
