"""YAML read by the rules of YAML 1.2: `no` is a word, `1:30` is text, `012` is twelve.

Nodes are walked by our own code, so that every value has its place, a key is written once,
and aliases cannot multiply without bound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from renderer.errors import Fault, Path, Position
from renderer.limits import over_limit

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_CORE = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Reading:
    """What a walk over the nodes found."""

    value: Any = None
    faults: list[Fault] = field(default_factory=list)
    places: dict[Path, tuple[Position, Position]] = field(default_factory=dict)
    nodes: int = 0


def compose(text: str) -> yaml.Node | None:
    """The node tree of the one document in `text`. Raises yaml.YAMLError."""
    return yaml.compose(text, Loader=_Loader)


def read_nodes(node: yaml.Node, *, max_depth: int = 1000, max_nodes: int = 10**6) -> Reading:
    """Values, places and faults of a node tree."""
    reading = Reading()
    walker = _Walker(reading, max_depth, max_nodes)
    reading.value = walker.read(node, (), _place(node), 0)
    return reading


class _Walker:
    def __init__(self, reading: Reading, max_depth: int, max_nodes: int) -> None:
        self.reading = reading
        self.max_depth = max_depth
        self.max_nodes = max_nodes
        self.stopped = False

    def read(self, node: yaml.Node, path: Path, key_place: Position, depth: int) -> Any:
        here = _place(node)
        self.reading.places.setdefault(path, (key_place, here))
        self.reading.nodes += 1
        if self.stopped or not self._allowed(node, path, depth):
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            items = enumerate(node.value)
            return [self.read(item, (*path, n), _place(item), depth + 1) for n, item in items]
        assert isinstance(node, yaml.ScalarNode)  # the only kind left
        return self._scalar(node, path)

    def _allowed(self, node: yaml.Node, path: Path, depth: int) -> bool:
        if self.reading.nodes > self.max_nodes:
            message = over_limit("the document, aliases written out,", "max_nodes", self.max_nodes)
            self._fault("too-many-values", path, message)
            self.stopped = True
            return False
        if depth > self.max_depth:
            self._fault("too-deep", path, over_limit("nesting", "max_depth", self.max_depth))
            self.stopped = True
            return False
        return True

    def _mapping(self, node: yaml.MappingNode, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            place = _place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault("bad-key", path, "a key must be text", place)
                continue
            if key == "<<":
                self._fault("bad-key", path, "merge keys (<<) are not part of YAML 1.2", place)
                continue
            if key in result:
                message = f'the field "{key}" is written twice'
                self._fault("duplicate-key", path, message, place, "keep one of them")
                continue
            result[key] = self.read(value_node, (*path, key), place, depth + 1)
        return result

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        text = node.value
        if _is_tagged(node):
            self._fault("bad-tag", path, f"the tag {node.tag} is not allowed here")
            return None
        if node.style is not None and node.style != "":
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text, 0) if text[:2] in ("0x", "0o") else _integer(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _NOT_FINITE.fullmatch(text):
            self._fault("not-finite", path, f"{text} is not a finite number")
            return None
        return text

    def _fault(
        self, code: str, path: Path, message: str, place: Position | None = None, hint: str = ""
    ) -> None:
        fault = Fault(code=code, path=path, message=message, hint=hint, position=place)
        self.reading.faults.append(fault)


def _integer(text: str) -> int | float:
    return int(text) if len(text) < 400 else float("inf")


def _is_tagged(node: yaml.Node) -> bool:
    return not node.tag.startswith(_CORE) or node.tag.startswith(_CORE + "python")


def _place(node: yaml.Node) -> Position:
    return Position(line=node.start_mark.line + 1, column=node.start_mark.column + 1)
