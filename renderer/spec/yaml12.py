"""YAML read by the core rules of YAML 1.2: `no` is a word, `1:30` is text, `012` is twelve."""

from __future__ import annotations

import re
from typing import Any

from renderer.errors import Fault, Path, Position
from renderer.limits import Limits
from renderer.spec.positions import Lines, Reading
from renderer.spec.scalars import number_fault, too_deep, written_twice
from renderer.spec.yaml_nodes import Node, build_tree

_INT = re.compile(r"[-+]?[0-9]+")
_RADIX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


def read_yaml(text: str, limits: Limits) -> Reading:
    """Value, faults and places of a YAML text. Never raises for what the text holds."""
    lines = Lines(text)
    tree = build_tree(text, lines, limits)
    reading = Reading(faults=tree.faults, is_whole=tree.is_whole)
    if tree.root is None:
        if not tree.faults:
            message = "the document is empty"
            fault = Fault(code="empty-document", message=message, position=lines.at(0))
            reading.faults.append(fault)
        return reading
    walker = _Walker(lines, limits, reading)
    try:
        reading.value = walker.read(tree.root, (), tree.root.position)
    except _TooDeep as error:
        reading.is_whole = False
        reading.faults.append(error.fault)
    return reading


class _TooDeep(Exception):
    """Aliases written out nest too deep; the walk ends."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class _Walker:
    """Expands aliases, each use with its own path; the tree has counted the values."""

    def __init__(self, lines: Lines, limits: Limits, reading: Reading) -> None:
        self.lines = lines
        self.limits = limits
        self.reading = reading

    def read(self, node: Node, path: Path, key_position: Position) -> Any:
        if len(path) > self.limits.max_depth:
            raise _TooDeep(too_deep(path, key_position, self.limits))
        self.reading.places.setdefault(path, (key_position, node.position))
        if node.kind == "mapping":
            return self.mapping(node, path)
        if node.kind == "list":
            items = enumerate(node.items)
            return [self.read(item, (*path, index), item.position) for index, item in items]
        return self.scalar(node, path) if node.is_plain else node.text

    def mapping(self, node: Node, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        starts: dict[str, Position] = {}
        for key_node, value_node in node.pairs:
            if not self.is_key(key_node, path):
                continue
            key = key_node.text
            if key in starts:
                fault = written_twice(path, key, starts[key], key_node.position)
                self.reading.faults.append(fault)
            starts.setdefault(key, key_node.position)
            found[key] = self.read(value_node, (*path, key), key_node.position)
        return found

    def is_key(self, node: Node, path: Path) -> bool:
        message, hint = "", f'write "{node.text}" in quotes if it is a name'
        if node.kind != "scalar":
            message, hint = "a key must be text", self.placeholder_hint(path)
        elif node.is_plain and node.text == "<<":
            message, hint = "merge keys (<<) are not part of YAML 1.2", "write the fields out"
        elif node.is_plain and node.text in ("", "~"):
            message, hint = "a key is missing", "a field is written name: value"
        elif node.is_plain and _is_number_or_word(node.text):
            message = f"the key {node.text[:40]} is not text"
        if message:
            self.fault("bad-key", path, message, node.position, hint)
        return not message

    def placeholder_hint(self, path: Path) -> str:
        place = self.reading.places.get(path)
        is_placeholder = place is not None and self.lines.text_from(place[1]).startswith("{{")
        return 'a placeholder needs quotes in YAML: "{{name}}"' if is_placeholder else ""

    def scalar(self, node: Node, path: Path) -> Any:
        text = node.text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text) or _FLOAT.fullmatch(text):
            return self.number(text, node, path)
        if _RADIX.fullmatch(text) and len(text) < 400:
            return self.number(str(int(text, 0)), node, path)
        if _NOT_FINITE.fullmatch(text):
            self.fault("not-finite", path, f"{text} is not a finite number", node.position)
        return text

    def number(self, written: str, node: Node, path: Path) -> int | float:
        fault = number_fault(written)
        if fault:
            self.fault(fault.code, path, fault.message, node.position, fault.hint)
            return 0
        return int(written) if _INT.fullmatch(written) else float(written)

    def fault(self, code: str, path: Path, message: str, at: Position, hint: str = "") -> None:
        fault = Fault(code=code, path=path, message=message, hint=hint, position=at)
        self.reading.faults.append(fault)


def _is_number_or_word(text: str) -> bool:
    return text in _WORDS or any(
        form.fullmatch(text) for form in (_INT, _FLOAT, _RADIX, _NOT_FINITE)
    )
