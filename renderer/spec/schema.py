"""The JSON Schema of a model: draft 2020-12, readable in an editor, the same bytes every time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

DRAFT = "https://json-schema.org/draft/2020-12/schema"
PLACEHOLDER = "Placeholder"
"""The definition of a text with a `{{name}}` in it, which may stand for any scalar."""

_Schema = dict[str, Any]
_NAMED = ("properties", "patternProperties", "$defs", "dependentSchemas")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = (
    "items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else",
)  # fmt: skip
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_ABOUT = ("title", "description", "default", "examples")
_NEVER_FILLED_IN = frozenset({"reelkiln", "kind", "$schema", "variables"})
_ORDER = (
    "$schema", "$id", "$ref", "title", "description", "type", "const", "enum", "pattern",
    "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "minLength", "maxLength",
    "minItems", "maxItems", "items", "required", "properties", "patternProperties",
    "propertyNames", "additionalProperties", "not", "anyOf", "oneOf", "allOf",
    "if", "then", "else", "default", "examples", "$defs",
)  # fmt: skip


def json_schema(
    model: Any, *, schema_id: str, title: str, description: str, fillable: bool = True
) -> _Schema:
    """The schema of what `model` (a model or an annotated union) accepts as a document.

    A text with a placeholder may stand wherever a scalar may, since editors see documents
    before variables are filled in; `filled_in` gives the schema of what they become. What is
    not `fillable` knows no variables.
    """
    raw = TypeAdapter(model).json_schema(mode="validation", by_alias=True)
    definitions = {name: _tidy(part) for name, part in sorted(raw.pop("$defs", {}).items())}
    whole = {**_tidy(raw), "$defs": definitions}
    _Fields(definitions, fillable).complete(whole)
    head = {"$schema": DRAFT, "$id": schema_id, "title": title, "description": description}
    if fillable:
        definitions[PLACEHOLDER] = _placeholder()
    return _in_order({**whole, **head, "$defs": dict(sorted(definitions.items()))})


def _placeholder() -> _Schema:
    return {
        "title": "Placeholder",
        "description": "A text in which `{{name}}` becomes the value of a variable.",
        "type": "string",
        "pattern": r"\{\{[^{}]+\}\}",
        "examples": ["{{name}}"],
    }


def filled_in(schema: Mapping[str, Any]) -> _Schema:
    """The schema for documents whose variables are filled in: its verdict is the model's."""
    return {**schema, "$defs": {**schema["$defs"], PLACEHOLDER: False}}


def dumps(schema: Mapping[str, Any]) -> str:
    """The schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _tidy(schema: Any) -> Any:
    """One schema in standard words, and the schemas inside it."""
    if not isinstance(schema, Mapping):
        return schema
    tidy: _Schema = {}
    for word, value in schema.items():
        tidy[_BOUNDS.get(word, str(word))] = _inside(word, value)
    tidy.pop("discriminator", None)
    if "patternProperties" in tidy:
        # The model refuses keys of another form; without this the schema would not.
        tidy.setdefault("additionalProperties", False)
    return _in_order(tidy)


def _inside(word: str, value: Any) -> Any:
    if word in _NAMED:
        return {name: _tidy(schema) for name, schema in value.items()}
    if word in _LISTED:
        return [_tidy(schema) for schema in value]
    return _tidy(value) if word in _SINGLE else value


class _Fields:
    """Completes every field for editors: examples of its values, placeholders allowed."""

    def __init__(self, definitions: Mapping[str, _Schema], fillable: bool) -> None:
        self.definitions = definitions
        self.fillable = fillable

    def complete(self, schema: Any) -> None:
        """Complete the fields of `schema` and of the schemas inside it, in place."""
        if not isinstance(schema, dict):
            return
        for part in _parts(schema):
            self.complete(part)
        if "additionalProperties" in schema:  # a model, not the test of an "if"
            fields = schema.get("properties", {})
            schema |= {"properties": {name: self.field(name, fields[name]) for name in fields}}
        if self.fillable and "items" in schema and self.holds_scalar(schema["items"]):
            schema["items"] = _or_placeholder(schema["items"])

    def field(self, name: str, field: _Schema) -> _Schema:
        """The field with title and examples, and open to placeholders if it holds a scalar."""
        if "examples" not in field:
            field = {**field, "examples": self.examples(field)}
        field = {"title": name.replace("_", " ").capitalize(), **field}
        is_fixed = not self.fillable or name in _NEVER_FILLED_IN
        return field if is_fixed or not self.holds_scalar(field) else _or_placeholder(field)

    def holds_scalar(self, schema: Any) -> bool:
        """Whether a constrained scalar may stand here; text of any form needs no help."""
        if not isinstance(schema, Mapping) or schema.get("type") in ("object", "array", "null"):
            return False
        if "$ref" in schema:
            return self.holds_scalar(self.target(schema))
        if "anyOf" in schema and "type" not in schema:
            return any(self.holds_scalar(part) for part in schema["anyOf"])
        return schema.get("type") != "string" or bool({"enum", "pattern", "anyOf"} & set(schema))

    def examples(self, schema: Mapping[str, Any]) -> list[Any]:
        """What may stand here: the default, the words of a choice, else of what is referred to."""
        if schema.get("examples"):
            return list(schema["examples"])
        choices = [c for c in schema.get("enum", [schema.get("const")]) if c is not None]
        default = [schema["default"]] if schema.get("default") is not None else []
        if choices or default or schema.get("type") == "boolean":
            return choices[:3] or (default if schema.get("type") != "boolean" else [True])
        parts = [self.target(schema)] if "$ref" in schema else schema.get("anyOf", [])
        found = [self.examples(part) for part in parts if part.get("type") != "null"]
        return next((examples for examples in found if examples), [])

    def target(self, schema: Mapping[str, Any]) -> _Schema:
        return self.definitions[schema["$ref"].rpartition("/")[2]]


def _parts(schema: Mapping[str, Any]) -> Iterator[Any]:
    """The schemas directly inside a schema."""
    for word, value in schema.items():
        if word in _NAMED:
            yield from value.values()
        elif word in _LISTED:
            yield from value
        elif word in _SINGLE:
            yield value


def _or_placeholder(schema: _Schema) -> _Schema:
    about = {word: schema[word] for word in _ABOUT if word in schema}
    rest = {word: value for word, value in schema.items() if word not in about}
    choices = rest["anyOf"] if set(rest) == {"anyOf"} else [rest]
    return _in_order({**about, "anyOf": [*choices, {"$ref": f"#/$defs/{PLACEHOLDER}"}]})


def _in_order(schema: Mapping[str, Any]) -> _Schema:
    rank = {word: index for index, word in enumerate(_ORDER)}
    return dict(sorted(schema.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0])))
