"""Documents drawn from a JSON Schema, right ones and ones that are wrong in one or two places."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from renderer.spec.schema import PLACEHOLDER

_NAMES = st.sampled_from(["a", "b", "intro", "x-1", "voice"])
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2, 0.0, 1.0, 1.5, -0.5, 100.0, 2**53, 1e6, 1_000_001, 1e-9, 1e300,
    "", " ", "0", "1", "5", "5s", "5 s", "2.5s", ".5", "5.", "250ms", "1:30", "1:99", "1:02:03.5",
    "48f", "4.8f", "-1", "auto", "end", "Auto", "after:a", "after:", "with:a b", "red", "Red",
    "#fff", "#ff", "#FFFFFF", "#1234567", "5%", "-5%", "5.12345%", "50%x40%", "1920x1080", "4k",
    "0x10", "100000x1", "30000/1001", "30/0", "a b", "a\n", "5s\n", "red\n", "é", "٣", "{{n}}",
    "video", "longform", "none", "left", "x" * 81, "x" * 301, [], {}, [[]], [1], ["red"],
    ["red", "#000"], {"x": 1}, {"after": "a"}, {"like": "title"}, {"fade": 1}, {"image": "a"},
]  # fmt: skip


class Drawer:
    """Draws documents that a schema accepts."""

    def __init__(self, draw: st.DrawFn, schema: Mapping[str, Any]) -> None:
        self.draw = draw
        self.definitions = schema["$defs"]

    def value(self, schema: Mapping[str, Any], depth: int = 0) -> Any:
        if "$ref" in schema:
            return self.value(self.definitions[schema["$ref"].rpartition("/")[2]], depth)
        if "if" in schema:
            return self.value(self.draw(st.sampled_from(branches(schema))), depth)
        if "anyOf" in schema:
            usable = [
                part for part in schema["anyOf"] if not part.get("$ref", "").endswith(PLACEHOLDER)
            ]
            return self.value(self.draw(st.sampled_from(usable)), depth)
        if "const" in schema or "enum" in schema:
            return self.draw(st.sampled_from(schema.get("enum") or [schema["const"]]))
        if "pattern" in schema:
            return self.draw(st.from_regex(schema["pattern"].replace("$", r"\Z"), fullmatch=True))
        drawers = {
            "object": self.mapping, "array": self.items, "string": self.text,
            "number": self.number, "integer": self.number,
            "boolean": lambda schema, depth: self.draw(st.booleans()),
            "null": lambda schema, depth: None,
        }  # fmt: skip
        return drawers[schema["type"]](schema, depth) if "type" in schema else 7

    def mapping(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        fields = schema.get("properties", {})
        if not fields and isinstance(schema.get("additionalProperties"), dict):
            names = self.draw(st.lists(_NAMES, max_size=2, unique=True))
            return {name: self.value(schema["additionalProperties"], depth + 1) for name in names}
        required = set(schema.get("required", ()))
        optional = sorted(set(fields) - required)
        chosen = (
            self.draw(st.lists(st.sampled_from(optional), max_size=4 - depth // 2, unique=True))
            if optional
            else []
        )
        return {name: self.value(fields[name], depth + 1) for name in [*sorted(required), *chosen]}

    def items(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        count = self.draw(st.integers(least, min(least + 2, schema.get("maxItems", 99))))
        return [self.value(schema.get("items", {}), depth + 1) for _ in range(count)]

    def text(self, schema: Mapping[str, Any], depth: int) -> str:
        least = schema.get("minLength", 0)
        return self.draw(
            st.text("aé {}%:\n", min_size=least, max_size=min(12, schema.get("maxLength", 12)))
        )

    def number(self, schema: Mapping[str, Any], depth: int) -> Any:
        low = schema.get("minimum", schema.get("exclusiveMinimum", -1000) + 1)
        high = schema.get("maximum", schema.get("exclusiveMaximum", 1001) - 1)
        whole = (
            st.integers(int(low) + (low % 1 > 0), int(high)) if high - low >= 1 else st.just(high)
        )
        if schema["type"] == "integer":
            return self.draw(whole | whole.map(float))
        return self.draw(st.sampled_from([low, high]) | whole | st.floats(low, high))


def branches(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The `then` of every `if` in a chain."""
    found = []
    while "if" in schema:
        found.append(schema["then"])
        schema = schema["else"]
    return found


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside a document."""
    found = [path] if path else []
    parts = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in parts:
        found += places(item, (*path, key))
    return found


def broken(draw: st.DrawFn, document: Any, near: list[float]) -> Any:
    """The document with one thing changed, dropped or added; it may still be right."""
    document = copy.deepcopy(document)
    path = draw(st.sampled_from(places(document)))
    holder = document
    for part in path[:-1]:
        holder = holder[part]
    action = draw(st.sampled_from(["change", "change", "near", "drop", "add", "list"]))
    if action == "drop":
        del holder[path[-1]]
    elif action == "add" and isinstance(holder, dict):
        names = [
            "image",
            "text",
            "colour",
            "gap",
            "start",
            "volume",
            "style",
            "size",
            "bogus",
            "kind",
            "a b",
        ]
        holder[draw(st.sampled_from(names))] = draw(st.sampled_from(ODD))
    elif action == "near":
        number = draw(st.sampled_from(near))
        holder[path[-1]] = draw(
            st.sampled_from([number, -number, number + 1, number - 0.01, float(number)])
        )
    elif action == "list":
        holder[path[-1]] = [holder[path[-1]]]
    else:
        holder[path[-1]] = draw(st.sampled_from(ODD))
    return document
