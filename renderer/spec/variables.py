"""Variables: `{{name}}` in parsed values becomes the value of the variable, with its type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from renderer.errors import Fault, Path
from renderer.spec.suggest import did_you_mean

_PLACEHOLDER = re.compile(r"(\\?)\{\{\s*([A-Za-z0-9_.-]*)\s*\}\}")


def substitute(
    value: Mapping[str, Any], overrides: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Fault]]:
    """The document with all placeholders filled in, and faults of unknown names.

    A text that is one placeholder takes the variable's type; inside other text the value is
    written out. The `variables` themselves stay as they are; `\\{{` is a literal `{{`.
    """
    own = value.get("variables")
    variables = {**(own if isinstance(own, Mapping) else {}), **overrides}
    faults: list[Fault] = []
    filled = {
        key: item if key == "variables" else _fill(item, (key,), variables, faults)
        for key, item in value.items()
    }
    return filled, faults


def _fill(value: Any, path: Path, variables: Mapping[str, Any], faults: list[Fault]) -> Any:
    if isinstance(value, dict):
        return {k: _fill(v, (*path, k), variables, faults) for k, v in value.items()}
    if isinstance(value, list):
        return [_fill(v, (*path, n), variables, faults) for n, v in enumerate(value)]
    if isinstance(value, str) and "{{" in value:
        return _fill_text(value, path, variables, faults)
    return value


def _fill_text(text: str, path: Path, variables: Mapping[str, Any], faults: list[Fault]) -> Any:
    whole = _PLACEHOLDER.fullmatch(text)
    if whole and not whole.group(1):
        return _look_up(whole.group(2), path, variables, faults)

    def written(match: re.Match[str]) -> str:
        if match.group(1):
            return match.group()[1:]
        found = _look_up(match.group(2), path, variables, faults)
        return _as_text(found)

    return _PLACEHOLDER.sub(written, text)


def _look_up(name: str, path: Path, variables: Mapping[str, Any], faults: list[Fault]) -> Any:
    here: Any = variables
    for part in name.split("."):
        if not isinstance(here, Mapping) or part not in here:
            hint = did_you_mean(name, variables) or 'add it under "variables"'
            message = f'no variable is called "{name}"'
            faults.append(Fault(code="unknown-variable", path=path, message=message, hint=hint))
            return ""
        here = here[part]
    return here


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
