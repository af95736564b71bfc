"""Settings: what the environment says, checked before anything uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

from daemon.retention import CacheBudget, Retention, keep_setting
from renderer.errors import UsageError
from renderer.limits import Limits, setting_of
from renderer.store import LocalStore


def limits_of(environment: Mapping[str, str]) -> Limits:
    """The limits, each perhaps changed by its `REELKILN_...`. Raises UsageError."""
    limits = Limits()
    for field in fields(Limits):
        default = getattr(limits, field.name)
        number = whole_number(environment, setting_of(field.name), default)
        limits = replace(limits, **{field.name: number})
    return limits


def retention_of(environment: Mapping[str, str]) -> Retention:
    """How long things are kept, by `REELKILN_KEEP_..._DAYS`. Raises UsageError."""
    kept = Retention()
    for field in fields(Retention):
        days = whole_number(environment, keep_setting(field.name), getattr(kept, field.name))
        kept = replace(kept, **{field.name: days})
    return kept


def cache_budget_of(environment: Mapping[str, str]) -> CacheBudget:
    """What a daemon's store may hold. Raises UsageError."""
    return CacheBudget(
        max_bytes=whole_number(environment, "REELKILN_CACHE_MAX_BYTES", 0),
        max_age_days=whole_number(environment, "REELKILN_CACHE_MAX_AGE_DAYS", 0),
    )


def whole_number(environment: Mapping[str, str], name: str, default: int) -> int:
    """The setting of that name. Raises UsageError when it is no whole number."""
    text = environment.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit()):
        raise UsageError(f"{name}={text} is not a whole number")
    return int(text) if text else default


def store_root(environment: Mapping[str, str]) -> Path:
    """Where the command line keeps its store: REELKILN_STORE, else the user's caches."""
    cache = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(environment.get("REELKILN_STORE") or Path(cache) / "reelkiln")


def open_store(environment: Mapping[str, str]) -> LocalStore:
    """The store of the command line. Raises UsageError when its folder cannot be used."""
    root = store_root(environment)
    try:
        return LocalStore(root)
    except OSError as error:
        raise UsageError(
            f"the store {root} cannot be used: {error.strerror}",
            hint="set REELKILN_STORE to a folder that you may write",
        ) from error


def template_folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The operator's own folders of templates: REELKILN_PROMPTS, several separated by `:`."""
    return tuple(Path(text) for text in environment.get("REELKILN_PROMPTS", "").split(":") if text)
