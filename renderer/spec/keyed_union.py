"""Unions told apart by a key: the one member whose key is present is the one that is meant.

Errors are then those of that member alone, and editors complete the fields of that member.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from renderer.spec.suggest import listed

METADATA = "keyed_union"
"""Under this name the annotation is found again in the metadata of its core schema."""


@dataclass(frozen=True, slots=True)
class KeyedUnion:
    """Annotation of a union of models: `keys` in the order of its members.

    Told by presence of the key (the first one present wins, the others are then unknown
    fields), or with `by_value_of` by the value of that field; when the field is absent,
    `default` is meant, or with no default nothing is.
    """

    keys: tuple[str, ...]
    by_value_of: str = ""
    default: str = ""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        members = dict(zip(self.keys, get_args(source), strict=True))
        return core_schema.tagged_union_schema(
            {key: handler.generate_schema(member) for key, member in members.items()},
            discriminator=self.key_of,
            custom_error_type="no_kind",
            custom_error_message=self.complaint(),
            metadata={"pydantic_js_functions": [_JsonSchema(self, members)], METADATA: self},
        )

    def key_of(self, value: Any) -> str | None:
        """The key of the member that `value` (a mapping or a model) is; None for neither."""
        if isinstance(value, BaseModel):
            return self._key_of_model(value)
        if not isinstance(value, Mapping):
            return None
        if self.by_value_of:
            kind = value.get(self.by_value_of, self.default)
            return kind if isinstance(kind, str) and kind in self.keys else None
        return next((key for key in self.keys if key in value), None)

    def complaint(self) -> str:
        """What is said when no member is meant."""
        if self.by_value_of:
            return f"{self.by_value_of} must be {listed(self.keys)}"
        return f"one of {listed(self.keys)} is needed here"

    def _key_of_model(self, value: BaseModel) -> str | None:
        if self.by_value_of:
            kind = getattr(value, self.by_value_of, None)
            return kind if kind in self.keys else None
        names = {field.alias or name for name, field in type(value).model_fields.items()}
        return next((key for key in self.keys if key in names), None)


@dataclass(frozen=True, slots=True)
class _JsonSchema:
    """Turns pydantic's `oneOf` of the members into an if/then chain with the same verdict."""

    union: KeyedUnion
    members: Mapping[str, type[BaseModel]]

    def __call__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        branches = dict(zip(self.union.keys, handler(core)["oneOf"], strict=True))
        chain: dict[str, Any] = self._otherwise()
        for key in reversed(self.union.keys):
            test = {"if": self._test(key), "then": branches[key]}
            chain = {**test, "else": chain} if chain else test
        return {"type": "object", "properties": self._properties(), **chain}

    def _properties(self) -> dict[str, Any]:
        union = self.union
        if not union.by_value_of:
            return {key: self._description(key) for key in union.keys}
        default = {"default": union.default} if union.default else {}
        return {union.by_value_of: {"enum": list(union.keys), **default}}

    def _description(self, key: str) -> dict[str, Any]:
        member = self.members[key]
        for name, field in member.model_fields.items():
            if (field.alias or name) == key and field.description:
                return {"description": field.description}
        return {}

    def _test(self, key: str) -> dict[str, Any]:
        kind = self.union.by_value_of
        if not kind:
            return {"required": [key]}
        test: dict[str, Any] = {"properties": {kind: {"const": key}}}
        return test if key == self.union.default else {**test, "required": [kind]}

    def _otherwise(self) -> dict[str, Any]:
        """What holds when no member is meant: never satisfied, and it says why."""
        if not self.union.by_value_of:
            return {"anyOf": [{"required": [key]} for key in self.union.keys]}
        return {"required": [self.union.by_value_of]}
