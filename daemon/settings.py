"""Settings: what the environment says, checked before anything uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

from renderer.errors import UsageError
from renderer.limits import Limits, setting_of
from renderer.store import LocalStore


def limits_of(environment: Mapping[str, str]) -> Limits:
    """The limits, each perhaps changed by its `REELKILN_...`. Raises UsageError."""
    limits = Limits()
    for field in fields(Limits):
        text = environment.get(setting_of(field.name))
        if text is not None:
            if not text.isdigit():
                raise UsageError(f"{setting_of(field.name)}={text} is not a whole number")
            limits = replace(limits, **{field.name: int(text)})
    return limits


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
