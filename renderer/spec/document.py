"""A document: plain values, and the place in the text that each of them came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import json_source_map
import yaml

from renderer.errors import Fault, Path, Position, SpecInvalid
from renderer.limits import Limits, over_limit
from renderer.spec.yaml12 import compose, read_nodes

Places = Mapping[Path, tuple[Position, Position]]
"""Position of the key (or item) and of the value, by path."""

_WINDOW = 100
_CUT = "the document ends before it is complete"
_CUT_HINT = "is the file still being written?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Plain JSON values with their text. `name` is the file's name, for messages."""

    name: str
    text: str
    format: str
    value: Any

    def locate(self, fault: Fault) -> Fault:
        """The fault with its position and an excerpt with a caret."""
        position = fault.position or self._position(fault)
        if position is None:
            return fault
        return replace(fault, position=position, excerpt=excerpt(self.text, position))

    def _position(self, fault: Fault) -> Position | None:
        places = self.places()
        for length in range(len(fault.path), -1, -1):
            found = places.get(fault.path[:length])
            if found:
                whole = length == len(fault.path)
                return found[0] if fault.at_key or not whole else found[1]
        return None

    def places(self) -> Places:
        """All positions; worked out anew at each call, since it is asked only on faults."""
        if self.format == "json":
            return _json_places(self.text)
        node = compose(self.text)
        return read_nodes(node).places if node is not None else {}


def parse_document(data: bytes, *, name: str, limits: Limits) -> Document:
    """Read JSON or YAML strictly. Raises SpecInvalid with positioned faults."""
    if len(data) > limits.max_document_bytes:
        what = f"a document of {len(data)} bytes"
        message = over_limit(what, "max_document_bytes", limits.max_document_bytes)
        raise SpecInvalid([Fault(code="document-too-large", message=message)], document=name)
    text = _decode(data, name)
    kind = _format_of(name, text)
    document = Document(name=name, text=text, format=kind, value=None)
    _refuse_empty(document)
    value = _parse_json(document, limits) if kind == "json" else _parse_yaml(document, limits)
    if not isinstance(value, dict):
        fault = Fault(
            code="wrong-type",
            message="a document is a mapping of fields",
            position=Position(line=1, column=1),
        )
        raise SpecInvalid([document.locate(fault)], document=name)
    return replace(document, value=value)


def excerpt(text: str, position: Position) -> str:
    """The line of a position with a caret under its column."""
    lines = text.splitlines() or [""]
    line = lines[min(position.line, len(lines)) - 1].replace("\t", " ")
    start = max(0, position.column - 1 - _WINDOW // 2) if len(line) > _WINDOW else 0
    shown = line[start : start + _WINDOW]
    return f"{shown}\n{' ' * (position.column - 1 - start)}^"


def _decode(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        fault = Fault(
            code="bad-utf8",
            message=f"byte 0x{data[error.start]:02x} is not UTF-8",
            hint="save the file as UTF-8",
            position=_position_at(before, len(before)),
        )
        raise SpecInvalid([fault], document=name) from error
    if "\x00" in text:
        position = _position_at(text, text.index("\x00"))
        fault = Fault(code="bad-character", message="a NUL character", position=position)
        raise SpecInvalid([fault], document=name)
    return text


def _format_of(name: str, text: str) -> str:
    suffix = name.lower().rpartition(".")[2]
    if suffix in ("json", "yaml", "yml"):
        return "json" if suffix == "json" else "yaml"
    return "json" if text.lstrip()[:1] in ("{", "[") else "yaml"


def _refuse_empty(document: Document) -> None:
    if not document.text.strip():
        fault = Fault(code="empty-document", message="the document is empty", hint=_CUT_HINT)
        _refuse(document, replace(fault, position=Position(line=1, column=1)))


def _refuse(document: Document, fault: Fault) -> NoReturn:
    raise SpecInvalid([document.locate(fault)], document=document.name)


class _Duplicate(Exception):
    pass


def _parse_json(document: Document, limits: Limits) -> Any:
    text = document.text
    deep = _too_deep(text, limits.max_depth)
    if deep is not None:
        _refuse(document, _depth_fault(_position_at(text, deep), limits))
    duplicates: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(items)
        if len(seen) < len(items):
            keys = [key for key, _ in items]
            duplicates.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return seen

    def constant(word: str) -> NoReturn:
        raise _Duplicate(word)

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        _refuse(document, _json_fault(error, text))
    except _Duplicate as error:
        word = str(error)
        position = _position_at(text, text.index(word))
        message = f"{word} is not a JSON number"
        _refuse(document, Fault(code="not-finite", message=message, position=position))
    except ValueError as error:  # a number with more digits than Python reads
        _refuse(document, Fault(code="bad-number", message=str(error)))
    if duplicates:
        _refuse(document, _duplicate_fault(text, duplicates[0]))
    faults = [document.locate(fault) for fault in _odd_values(value, ())]
    if faults:
        raise SpecInvalid(faults, document=document.name)
    return value


def _json_fault(error: json.JSONDecodeError, text: str) -> Fault:
    position = Position(line=error.lineno, column=error.colno)
    is_cut = error.pos >= len(text.rstrip()) or "Unterminated string" in error.msg
    if is_cut and text.lstrip()[:1] in ("{", "["):
        return Fault(code="half-written", message=_CUT, hint=_CUT_HINT, position=position)
    message = error.msg[0].lower() + error.msg[1:]
    return Fault(code="bad-json", message=f"not JSON: {message}", position=position)


def _duplicate_fault(text: str, key: str) -> Fault:
    found = [m.start() for m in re.finditer(re.escape(json.dumps(key)) + r"\s*:", text)]
    found = found or [m.start() for m in re.finditer(re.escape(f'"{key}"') + r"\s*:", text)]
    at = found[1] if len(found) > 1 else 0
    return Fault(
        code="duplicate-key",
        message=f'the field "{key}" is written twice',
        hint="keep one of them",
        position=_position_at(text, at),
    )


def _odd_values(value: Any, path: Path) -> Iterator[Fault]:
    todo = [(value, path)]
    while todo:
        item, where = todo.pop()
        if isinstance(item, dict):
            todo += [(child, (*where, key)) for key, child in item.items()]
        elif isinstance(item, list):
            todo += [(child, (*where, index)) for index, child in enumerate(item)]
        elif isinstance(item, float) and item in (float("inf"), float("-inf")):
            yield Fault(code="not-finite", path=where, message="the number is too large")
        elif isinstance(item, int) and abs(item) > 2**53:
            yield Fault(code="bad-number", path=where, message="the number is too large")
        elif isinstance(item, str) and re.search("[\ud800-\udfff]", item):
            yield Fault(code="bad-character", path=where, message="half a surrogate pair")


def _too_deep(text: str, allowed: int) -> int | None:
    depth, in_string, skip = 0, False, False
    for index, char in enumerate(text):
        if in_string:
            if skip:
                skip = False
            elif char == "\\":
                skip = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            if depth > allowed:
                return index
        elif char in "]}":
            depth -= 1
    return None


def _depth_fault(position: Position | None, limits: Limits) -> Fault:
    message = over_limit("nesting", "max_depth", limits.max_depth)
    return Fault(code="too-deep", message=message, position=position)


def _parse_yaml(document: Document, limits: Limits) -> Any:
    try:
        # Flow brackets nest without indentation, so depth is known before the parser recurses.
        deep = _flow_too_deep(document.text, limits.max_depth)
        if deep is not None:
            _refuse(document, _depth_fault(_position_at(document.text, deep), limits))
        node = compose(document.text)
    except yaml.MarkedYAMLError as error:
        _refuse(document, _yaml_fault(error, document.text))
    except yaml.YAMLError as error:
        _refuse(document, Fault(code="bad-yaml", message=f"not YAML: {error}"))
    if node is None:
        _refuse(document, Fault(code="empty-document", message="the document is empty"))
    reading = read_nodes(node, max_depth=limits.max_depth, max_nodes=limits.max_nodes)
    faults = [*reading.faults, *_odd_values(reading.value, ())]
    if faults:
        raise SpecInvalid([document.locate(f) for f in faults], document=document.name)
    return reading.value


def _flow_too_deep(text: str, allowed: int) -> int | None:
    depth = 0
    for match in re.finditer(r"[\[\]{}]", text):
        depth += 1 if match.group() in "[{" else -1
        depth = max(depth, 0)
        if depth > 20 * allowed:
            return match.start()
    return None


def _yaml_fault(error: yaml.MarkedYAMLError, text: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    position = Position(line=mark.line + 1, column=mark.column + 1) if mark else None
    problem = error.problem or error.context or "the text has not the form of YAML"
    if "\\t" in problem:
        problem, hint = "a tab where YAML wants spaces", "indent with spaces"
    elif mark and mark.line >= len(text.rstrip().splitlines()):
        problem, hint = _CUT, _CUT_HINT
    else:
        hint = "put text that holds a colon, # or braces into quotes"
    return Fault(code="bad-yaml", message=f"not YAML: {problem}", hint=hint, position=position)


def _json_places(text: str) -> Places:
    places: dict[Path, tuple[Position, Position]] = {}
    value = json.loads(text)
    for pointer, entry in json_source_map.calculate(text).items():
        path = _path_of(pointer, value)
        start = entry.value_start
        here = Position(line=start.line + 1, column=start.column + 1)
        key = entry.key_start
        at_key = Position(line=key.line + 1, column=key.column + 1) if key else here
        places[path] = (at_key, here)
    return places


def _path_of(pointer: str, value: Any) -> Path:
    path: list[str | int] = []
    for part in pointer.split("/")[1:]:
        key: str | int = part.replace("~1", "/").replace("~0", "~")
        key = int(key) if isinstance(value, list) else key
        value = value[key]
        path.append(key)
    return tuple(path)


def _position_at(text: str, index: int) -> Position:
    before = text[:index]
    return Position(line=before.count("\n") + 1, column=index - (before.rfind("\n") + 1) + 1)
