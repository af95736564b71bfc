"""The fields of a schema as Markdown tables, for the language reference in docs/spec.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from renderer.spec.schema import PLACEHOLDER


def reference(schema: Mapping[str, Any]) -> str:
    """A heading and a table for each kind of thing in the schema, in alphabetical order."""
    definitions = schema["$defs"]
    parts = [_part(name, part, definitions) for name, part in sorted(definitions.items())]
    return "\n".join(part for part in parts if part)


def _part(name: str, part: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "properties" not in part:
        return ""
    required = set(part.get("required", ()))
    rows = ["| field | value | what it says | default |", "|---|---|---|---|"]
    fields = sorted(part["properties"].items(), key=lambda field: field[0] not in required)
    for field, body in fields:
        default = "needed" if field in required else _default(body)
        value = ", ".join(dict.fromkeys(_forms(body, definitions)))
        rows.append(f"| `{field}` | {value} | {body['description']} | {default} |")
    return "\n".join([f"### {name}", "", part["description"], "", *rows, ""])


def _default(body: Mapping[str, Any]) -> str:
    value = body.get("default")
    return "" if value is None or isinstance(value, (dict, list)) else f"`{json.dumps(value)}`"


def _forms(body: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[str]:
    """What may stand there, in a word or two each."""
    if "$ref" in body:
        yield from _named(body["$ref"].rpartition("/")[2], definitions)
    elif "if" in body:
        while "if" in body:
            yield from _forms(body["then"], definitions)
            body = body["else"]
    elif "anyOf" in body and "type" not in body:
        for part in body["anyOf"]:
            yield from _forms(part, definitions)
    elif "enum" in body or "const" in body:
        yield from (f"`{word}`" for word in body.get("enum", [body.get("const")]))
    elif body.get("type") == "array":
        yield "list of " + " or ".join(_forms(body.get("items", {}), definitions))
    elif body.get("type", "null") != "null":
        yield _plain(body)


def _named(name: str, definitions: Mapping[str, Any]) -> Iterator[str]:
    if "properties" in definitions[name]:
        yield f"[{name}](#{name.lower()})"
    elif name != PLACEHOLDER:
        yield name


def _plain(body: Mapping[str, Any]) -> str:
    words = {"string": "text", "object": "mapping", "boolean": "`true` or `false`"}
    word = words.get(body["type"], body["type"])
    low = body.get("minimum", body.get("exclusiveMinimum"))
    high = body.get("maximum", body.get("exclusiveMaximum"))
    return word if low is None else f"{word} {low:g}–{high:g}"
