"""Variables: `{{name}}` in parsed values becomes the value of the variable, with its type.

A text that is one placeholder takes the variable's value and type; inside other text the
value is written out. `{{a.b}}` looks into mappings. Values of variables are taken as they
are: a placeholder in one is refused, so nothing can refer to itself. `\\{{` is a plain `{{`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from renderer.errors import Fault, Path
from renderer.limits import Limits, over_limit
from renderer.spec.suggest import did_you_mean

_PLACEHOLDER = re.compile(r"(\\?)\{\{(?:\s*([A-Za-z0-9_.-]+)\s*\}\})?")
_SHOWN = 40
VARIABLE_CODES = frozenset({"unknown-variable", "nested-variable", "bad-placeholder"})


def substitute(
    value: Mapping[str, Any], overrides: Mapping[str, Any], limits: Limits
) -> tuple[dict[str, Any], list[Fault]]:
    """The document with all placeholders filled in, and what is wrong with them.

    `overrides` win over the document's own `variables`, which stay as they are.
    """
    own = value.get("variables")
    variables = {**(own if isinstance(own, Mapping) else {}), **overrides}
    faults = _nested_faults(variables)
    filler = _Filler(_unescaped(variables), limits, faults)
    filled = {
        key: item if key == "variables" else filler.fill(item, (key,))
        for key, item in value.items()
    }
    return filled, faults


class _Filler:
    """Walks a document; what is put in stays within the limits of a document."""

    def __init__(self, variables: Mapping[str, Any], limits: Limits, faults: list[Fault]) -> None:
        self.variables = variables
        self.limits = limits
        self.faults = faults
        self.sizes: dict[str, tuple[int, int]] = {}
        self.values = 0
        self.characters = 0

    def fill(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return {key: self.fill(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str) and "{{" in value:
            return self.fill_text(value, path)
        return value

    def fill_text(self, text: str, path: Path) -> Any:
        whole = _PLACEHOLDER.fullmatch(text)
        if whole and whole[2] and not whole[1]:
            return self.look_up(whole[2], path)

        wrong: list[int] = []

        def written(match: re.Match[str]) -> str:
            if match[1]:
                return match[0][1:]
            if not match[2]:
                wrong.append(match.start())
                return ""
            return _as_text(self.look_up(match[2], path))

        filled = _PLACEHOLDER.sub(written, text)
        if wrong:
            self.faults.append(_not_a_placeholder(text[wrong[0] : wrong[0] + _SHOWN], path))
        return filled

    def look_up(self, name: str, path: Path) -> Any:
        if self.is_over(path):
            return ""
        found, value = _found(name, self.variables)
        if not found:
            hint = did_you_mean(name, self.variables) or 'add it under "variables", or give --var'
            message = f'no variable is called "{name[:_SHOWN]}"'
            fault = Fault(code="unknown-variable", path=path, message=message, hint=hint)
            self.faults.append(fault)
            return ""
        self.spend(name, value, path)
        return value

    def spend(self, name: str, value: Any, path: Path) -> None:
        if name not in self.sizes:
            self.sizes[name] = _size(value)
        values, characters = self.sizes[name]
        self.values += values
        self.characters += characters
        if self.is_over(path):
            limit = "max_nodes" if self.values > self.limits.max_nodes else "max_document_bytes"
            message = over_limit("what the variables put in", limit, getattr(self.limits, limit))
            self.faults.append(Fault(code="too-many-values", path=path, message=message))

    def is_over(self, path: Path) -> bool:
        limits = self.limits
        return self.values > limits.max_nodes or self.characters > limits.max_document_bytes


def _found(name: str, variables: Mapping[str, Any]) -> tuple[bool, Any]:
    if name in variables:
        return True, variables[name]
    here: Any = variables
    for part in name.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return False, None
        here = here[part]
    return True, here


def _size(value: Any) -> tuple[int, int]:
    """How many values `value` holds, itself counted, and how many characters of text."""
    if isinstance(value, (Mapping, list)):
        items = list(value.values()) if isinstance(value, Mapping) else value
        sizes = [_size(item) for item in items]
        return 1 + sum(size[0] for size in sizes), sum(size[1] for size in sizes)
    return 1, len(value) if isinstance(value, str) else 1


def _nested_faults(variables: Mapping[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    todo: list[tuple[Any, Path]] = [(variables, ("variables",))]
    while todo:
        value, path = todo.pop()
        if isinstance(value, Mapping):
            todo += [(item, (*path, key)) for key, item in value.items()]
        elif isinstance(value, list):
            todo += [(item, (*path, index)) for index, item in enumerate(value)]
        elif isinstance(value, str) and any(not m[1] for m in _PLACEHOLDER.finditer(value)):
            message = "the value of a variable cannot refer to variables"
            hint = r"write the value out; \{{ is a plain {{"
            faults.append(Fault(code="nested-variable", path=path, message=message, hint=hint))
    return faults


def _unescaped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _unescaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unescaped(item) for item in value]
    return value.replace(r"\{{", "{{") if isinstance(value, str) else value


def _not_a_placeholder(text: str, path: Path) -> Fault:
    shown, closing, _ = text.partition("}}")
    return Fault(
        code="bad-placeholder",
        path=path,
        message=f'"{shown}{closing}" is not a placeholder such as {{{{name}}}}',
        hint=r"names are of letters, digits, _ . and -; \{{ is a plain {{",
    )


def _as_text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
