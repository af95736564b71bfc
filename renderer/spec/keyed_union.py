"""Unions told apart by a key: the one member whose key is present is the one that is meant.

Errors are then those of that member alone, and editors complete the fields of that member.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema


@dataclass(frozen=True, slots=True)
class KeyedUnion:
    """Annotation of a union: `keys` in the order of its members.

    Told by presence of the key, or with `by_value_of` by the value of that field
    (`default` when it is absent).
    """

    keys: tuple[str, ...]
    by_value_of: str = ""
    default: str = ""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        members = dict(zip(self.keys, self._members(source), strict=True))
        choices = {key: handler.generate_schema(member) for key, member in members.items()}
        return core_schema.tagged_union_schema(
            choices,
            discriminator=self._key_of,
            custom_error_type="no_kind",
            custom_error_message=self._complaint(),
            metadata={"pydantic_js_functions": [self._json_schema(choices)]},
        )

    def _members(self, source: Any) -> tuple[Any, ...]:
        return get_args(source)

    def _key_of(self, value: Any) -> str | None:
        if not isinstance(value, Mapping):
            fields = getattr(type(value), "model_fields", {})
            if self.by_value_of:
                return getattr(value, self.by_value_of, None)
            return next((key for key in self.keys if key in fields), None)
        if self.by_value_of:
            kind = value.get(self.by_value_of, self.default)
            return kind if isinstance(kind, str) and kind in self.keys else None
        return next((key for key in self.keys if key in value), None)

    def _complaint(self) -> str:
        names = ", ".join(self.keys[:-1]) + " or " + self.keys[-1]
        if self.by_value_of:
            return f"{self.by_value_of} must be {names}"
        return f"one of {names} is needed here"

    def _json_schema(self, choices: Mapping[str, core_schema.CoreSchema]) -> Any:
        def build(core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
            chain: dict[str, Any] | bool = False  # none of the keys: refused
            for key, choice in reversed(list(choices.items())):
                chain = {"if": self._test(key), "then": handler(choice), "else": chain}
            field = self.by_value_of
            names: dict[str, Any] = (
                {field: {"enum": list(self.keys), "default": self.default}}
                if field
                else dict.fromkeys(self.keys, True)
            )
            tests = chain if isinstance(chain, dict) else {}
            return {"type": "object", "properties": names, **tests}

        return build

    def _test(self, key: str) -> dict[str, Any]:
        if not self.by_value_of:
            return {"required": [key]}
        test: dict[str, Any] = {"properties": {self.by_value_of: {"const": key}}}
        return test if key == self.default else {**test, "required": [self.by_value_of]}
