"""The lock beside a spec: `<stem>.lock.json`, and how sources have drifted from it."""

from __future__ import annotations

import json
from pathlib import Path

from renderer.errors import Fault, UsageError
from renderer.inputs import Inputs, inputs_from_json
from renderer.sources.remote import spoken

_CHANGED = "source-changed"
_UPDATE = "restore the file, or accept it with: reelkiln lock"


def lock_path(spec: Path) -> Path:
    """Where the lock of a spec lies. Raises UsageError for a spec without a place."""
    if str(spec) == "-":
        raise UsageError("a spec from standard input has no lock", hint="save it to a file first")
    return spec.with_name(f"{spec.stem}.lock.json")


def read_lock(path: Path) -> Inputs:
    """The pins of a lock file. Raises UsageError when there is none that can be read."""
    try:
        return inputs_from_json(json.loads(path.read_bytes()))
    except FileNotFoundError as error:
        raise UsageError(f"there is no lock {path}", hint="make it: reelkiln lock SPEC") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        words = f"the lock {path} cannot be read ({type(error).__name__}: {error})"
        raise UsageError(words, hint="make it anew: delete it, then reelkiln lock SPEC") from error


def write_lock(path: Path, inputs: Inputs) -> None:
    """Write a lock in a form that diffs well, in one rename. Raises UsageError."""
    part = path.with_name(f".{path.name}.part")
    text = json.dumps(inputs.as_json(), indent=2, sort_keys=True, ensure_ascii=False)
    try:
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise UsageError(f"the lock {path} cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)


def drift(source: str, sha256: str, lock: Inputs) -> Fault | None:
    """What is wrong when a source that is now `sha256` is not what the lock says."""
    locked = lock.pins.get(source)
    if locked is not None and locked.sha256 == sha256:
        return None
    if locked is None:
        words = f"{spoken(source)} is not in the lock; it is now {sha256}"
        return Fault(code=_CHANGED, message=words, hint="add it with: reelkiln lock")
    words = f"{spoken(source)} changed: the lock says {locked.sha256}, now {sha256}"
    return Fault(code=_CHANGED, message=words, hint=_UPDATE)


def changes(old: Inputs, new: Inputs) -> tuple[str, ...]:
    """What a new lock says differently, a line for each source."""
    lines = []
    for source in sorted({*old.pins, *new.pins}):
        before, after = old.pins.get(source), new.pins.get(source)
        if before is None and after is not None:
            lines.append(f"new: {spoken(source)} {after.sha256}")
        elif after is None and before is not None:
            lines.append(f"gone: {spoken(source)} {before.sha256}")
        elif before and after and before.sha256 != after.sha256:
            lines.append(f"changed: {spoken(source)} {before.sha256} -> {after.sha256}")
    return tuple(lines)
