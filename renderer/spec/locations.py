"""pydantic's locations as paths of the document: union tags and branch labels are dropped.

The core schema of the model is walked along with the location, so that a tag is never
mistaken for a field of the same name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from renderer.errors import Path
from renderer.spec.keyed_union import METADATA, KeyedUnion

_Schema = Mapping[str, Any]
_WRAPPERS = frozenset({
    "default", "nullable", "model", "definitions", "function-before", "function-after",
    "function-wrap", "model-field",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One branch of a plain union that was tried: where the union is, and which branch."""

    path: Path
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a document and what the model holds there.

    `names` are the fields of the model at the place, `union` the keyed union that chose
    that model, `kind` its key; `at_key` when a key of a mapping is meant.
    """

    path: Path = ()
    branches: tuple[Branch, ...] = ()
    names: frozenset[str] = frozenset()
    union: KeyedUnion | None = None
    kind: str = ""
    examples: tuple[Any, ...] = ()
    at_key: bool = False


class Locator:
    """Finds places in the documents of one model. The model is read when something is sought."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @cached_property
    def _root(self) -> _Schema:
        return TypeAdapter(self._model).core_schema

    @cached_property
    def _definitions(self) -> Mapping[str, _Schema]:
        return {part["ref"]: part for part in self._root.get("definitions", ()) if "ref" in part}

    @cached_property
    def _choices(self) -> Mapping[KeyedUnion, Mapping[str, _Schema]]:
        return dict(_unions_in(self._root))

    def locate(self, loc: tuple[str | int, ...]) -> Location:
        """The place of a pydantic `loc`."""
        found = next(self._walk(self._root, loc, Location()), None)
        return found or Location(path=tuple(loc))

    def siblings(self, union: KeyedUnion, name: str) -> tuple[str, ...]:
        """Keys of the members of `union` that have a field `name`."""
        choices = self._choices[union]
        return tuple(key for key in union.keys if name in self._names(choices[key]))

    def names_in(self, union: KeyedUnion) -> frozenset[str]:
        """All fields of all members of `union`."""
        return frozenset().union(*map(self._names, self._choices[union].values()))

    def _walk(self, schema: _Schema, loc: tuple[Any, ...], here: Location) -> Iterator[Location]:
        """All readings of `loc` from `schema` on, likeliest first."""
        schema = self._bare(schema)
        kind = schema["type"]
        if kind == "tagged-union" and not (loc and loc[0] in schema["choices"]):
            here = replace(here, union=_union_of(schema))
        if not loc:
            yield replace(here, names=self._names(schema) or here.names)
        elif kind == "model-fields":
            yield from self._field(schema, loc, here)
        elif kind == "union":
            yield from self._branch(schema, loc, here)
        elif kind == "tagged-union" and loc[0] in schema["choices"]:
            inner = replace(here, union=_union_of(schema), kind=str(loc[0]))
            yield from self._walk(schema["choices"][loc[0]], loc[1:], inner)
        elif kind == "list" and isinstance(loc[0], int):
            yield from self._walk(schema.get("items_schema", _ANY), loc[1:], _into(here, loc[0]))
        elif kind == "dict":
            yield from self._entry(schema, loc, here)

    def _field(self, schema: _Schema, loc: tuple[Any, ...], here: Location) -> Iterator[Location]:
        fields = _fields(schema)
        if loc[0] in fields:
            yield from self._walk(fields[loc[0]], loc[1:], _into(here, loc[0], schema))
        elif len(loc) == 1 and isinstance(loc[0], str):
            inner = _into(here, loc[0])
            yield replace(
                inner, names=frozenset(fields), union=here.union, kind=here.kind, at_key=True
            )

    def _branch(self, schema: _Schema, loc: tuple[Any, ...], here: Location) -> Iterator[Location]:
        branch = Branch(path=here.path, label=str(loc[0]))
        inner = replace(here, branches=(*here.branches, branch))
        choices = [c[0] if isinstance(c, tuple) else c for c in schema["choices"]]
        named = [choice for choice in choices if self._model_name(choice) == branch.label]
        for choice in named or choices:
            yield from self._walk(choice, loc[1:], inner)

    def _entry(self, schema: _Schema, loc: tuple[Any, ...], here: Location) -> Iterator[Location]:
        inner = _into(here, loc[0])
        if loc[1:] == ("[key]",):
            yield replace(inner, at_key=True)
        else:
            yield from self._walk(schema.get("values_schema", _ANY), loc[1:], inner)

    def _bare(self, schema: _Schema) -> _Schema:
        while schema["type"] in _WRAPPERS or schema["type"] == "definition-ref":
            if schema["type"] == "definition-ref":
                schema = self._definitions[schema["schema_ref"]]
            else:
                schema = schema["schema"]
        return schema

    def _model_name(self, schema: _Schema) -> str | None:
        while schema["type"] in _WRAPPERS or schema["type"] == "definition-ref":
            if schema["type"] == "definition-ref":
                schema = self._definitions[schema["schema_ref"]]
            elif schema["type"] == "model":
                return str(schema["cls"].__name__)
            else:
                schema = schema["schema"]
        return None

    def _names(self, schema: _Schema) -> frozenset[str]:
        bare = self._bare(schema)
        return frozenset(_fields(bare)) if bare["type"] == "model-fields" else frozenset()


_ANY: _Schema = {"type": "any"}


def _fields(schema: _Schema) -> dict[str, _Schema]:
    return {field.get("validation_alias", name): field for name, field in schema["fields"].items()}


def _unions_in(schema: Any) -> Iterator[tuple[KeyedUnion, Mapping[str, _Schema]]]:
    """Every keyed union of a core schema with the schemas of its members."""
    if isinstance(schema, Mapping):
        if schema.get("type") == "tagged-union" and (union := _union_of(schema)):
            yield union, schema["choices"]
        for part in schema.values():
            yield from _unions_in(part)
    elif isinstance(schema, (list, tuple)):
        for part in schema:
            yield from _unions_in(part)


def _union_of(schema: _Schema) -> KeyedUnion | None:
    found = schema.get("metadata", {}).get(METADATA)
    return found if isinstance(found, KeyedUnion) else None


def _into(here: Location, part: Any, schema: _Schema | None = None) -> Location:
    """One part further in; what was known of the place above no longer holds."""
    examples = _examples(schema, part) if schema else here.examples
    return Location(path=(*here.path, part), branches=here.branches, examples=examples)


def _examples(schema: _Schema, part: Any) -> tuple[Any, ...]:
    metadata = _fields(schema)[part].get("metadata", {})
    updates = metadata.get("pydantic_js_updates", {})
    return tuple(updates.get("examples", ()))
