"""Modules that the operator registered: `[modules.NAME]` in reelkiln.toml, and those that ship."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from daemon.child.job_request import Module
from renderer.errors import UsageError

SETTING, FILE = "REELKILN_CONFIG", "reelkiln.toml"
SHIPPED: Mapping[str, Module] = MappingProxyType(
    {"loudness-report": Module(command=(sys.executable, "-P", "-m", "daemon.modules.loudness"))}
)
"""Registered in every daemon, unless the file says something else of the name."""

_FIELDS = tuple(field.name for field in fields(Module))
_LONGEST_S = 2 * 3600  # as long as any job has before the length of its film is known


def modules_of(root: Path, environment: Mapping[str, str]) -> Mapping[str, Module]:
    """The modules of a root, by name. Raises UsageError for a file that is not understood.

    The file is `reelkiln.toml` in the root, or what REELKILN_CONFIG names, which must then exist.
    """
    named = environment.get(SETTING, "").strip()
    path = Path(named) if named else root / FILE
    try:
        text = path.read_text(encoding="utf-8")
        said = tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError) as error:
        if named:
            raise UsageError(f"{SETTING} names {path}, which is not there") from error
        return SHIPPED
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint="see docs/modules.md") from error
    own = said.get("modules", {})
    if not isinstance(own, dict):
        raise UsageError(f"{path}: modules is a table of tables", hint="see docs/modules.md")
    return {**SHIPPED, **{name: _module(path, name, one) for name, one in sorted(own.items())}}


def _module(path: Path, name: str, said: Any) -> Module:
    where = f"{path}: [modules.{name}]"
    if not isinstance(said, dict) or not _is_list_of_texts(said.get("command")):
        raise UsageError(f'{where} needs a command, as ["{{python}}", "{{folder}}/script.py"]')
    if unknown := sorted(said.keys() - set(_FIELDS)):
        raise UsageError(f"{where} has no {unknown[0]}", hint=f"it has {', '.join(_FIELDS)}")
    for field in ("timeout_s", "memory_bytes", "file_bytes"):
        value = said.get(field, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UsageError(f"{where}: {field} is a whole number above 0, not {value!r}")
    if said.get("timeout_s", 1) > _LONGEST_S:
        raise UsageError(f"{where}: timeout_s is {_LONGEST_S} at most")
    given = said.get("environment", {})
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
        raise UsageError(f"{where}: environment is a table of texts")
    places = {"{python}": sys.executable, "{folder}": str(path.absolute().parent)}
    return Module(**{**said, "command": tuple(_filled(one, places) for one in said["command"])})


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _filled(word: str, places: Mapping[str, str]) -> str:
    for mark, place in places.items():
        word = word.replace(mark, place)
    return word
