"""What is right about a wrong document, so that it can be checked in the same run."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from renderer.errors import Fault, Path

_CLIP_DEPTH = len(("tracks", 0, "clips", 0))


def without_fields(value: Any, faults: Iterable[Fault]) -> Any:
    """The document without its wrong fields."""
    sound = copy.deepcopy(value)
    for path in {fault.path for fault in faults if fault.path}:
        holder = _at(sound, path[:-1])
        if isinstance(holder, dict) and path[-1] != "id":  # others may point at an id
            holder.pop(path[-1], None)
    return sound


def without_clips(value: Any, faults: Iterable[Fault]) -> Any:
    """The document with an empty text, of the same id, in place of each wrong clip."""
    sound = copy.deepcopy(value)
    for path in {fault.path[:_CLIP_DEPTH] for fault in faults}:
        clips = _at(sound, path[:-1])
        if len(path) == _CLIP_DEPTH and isinstance(clips, list):
            wrong = _at(sound, path)
            name = wrong.get("id") if isinstance(wrong, dict) else None
            clips[int(path[-1])] = {"text": "", "id": name}
    return sound


def _at(value: Any, path: Path) -> Any:
    for part in path:
        is_key = isinstance(value, dict) and part in value
        is_index = isinstance(value, list) and isinstance(part, int) and part < len(value)
        value = value[part] if is_key or is_index else None
    return value
