"""Numbers and written forms on which pydantic and JSON Schema agree.

JSON knows one kind of number: 2 and 2.0 are the same integer, `true` is no number, and
text is never one. Bounds are given with pydantic's `Field(ge=..., le=..., gt=..., lt=...)`;
`schema.json_schema` publishes them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class _JsonNumber:
    """Takes JSON numbers only and keeps them as written; integers as `int` if asked."""

    is_integer: bool

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        check = _integer if self.is_integer else _number
        # Said on this inner schema, so that bounds given outside are added, not lost.
        return core_schema.no_info_plain_validator_function(
            check, metadata={"pydantic_js_functions": [self._json_schema]}
        )

    def _json_schema(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "integer" if self.is_integer else "number"}


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("number_type", "expected a number")
    if not math.isfinite(value):
        raise PydanticCustomError("number_type", "expected a finite number")
    return value


def _integer(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise PydanticCustomError("int_type", "expected a whole number")
    return int(number)


Number = Annotated[float | int, _JsonNumber(is_integer=False)]
"""A JSON number, kept as written: 5 stays 5, 0.1 stays 0.1."""

Int = Annotated[int, _JsonNumber(is_integer=True)]
"""A JSON integer; 2.0 is one too and becomes 2."""


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "expected a number")
    return int(value) if isinstance(value, float) and value.is_integer() else value


NotBool = BeforeValidator(_no_bool)
"""For `Annotated[Literal[1], NotBool]`: JSON holds 1.0 equal to 1, and `true` to neither."""


@dataclass(frozen=True, slots=True)
class _Written:
    """Our own engine for pydantic; `enum` and `pattern` for the JSON Schema."""

    regex: re.Pattern[str] | None
    words: tuple[str, ...]
    form: str

    def check(self, text: str) -> str:
        if text in self.words or (self.regex is not None and self.regex.fullmatch(text)):
            return text
        context = {"form": self.form, "words": self.words}
        raise PydanticCustomError("bad_form", "has not the expected form", context)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return AfterValidator(self.check).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler(core)
        if self.regex is None:
            return {**schema, "enum": list(self.words)}
        # Python lets "$" match before a last line break, ECMAScript does not: say it aloud.
        pattern = {"pattern": self.regex.pattern, "not": {"pattern": r"\n"}}
        if not self.words:
            return {**schema, **pattern}
        return {**schema, "anyOf": [{"enum": list(self.words)}, pattern]}


_UNPORTABLE = re.compile(r"\\[dDwWsSbBAZzpP0-9]|\(\?(?!:)|[*+?}]\+|\\n|\n")
_ESCAPED_OR_CLASS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]")


def Written(regex: str = "", *, form: str, words: tuple[str, ...] = ()) -> Any:  # noqa: N802 - reads as a type
    """Annotation of text that is one of `words`, or matches `regex` as a whole.

    `form` says for messages what is meant: "a time such as 5s or 1:02.5". `regex` is written
    in what Python and ECMAScript share: anchored with ^ and $, no `.`, no classes such as
    `\\d` (they differ on Unicode), no look-around. Raises ValueError.
    """
    if not regex:
        return _Written(None, words, form)
    if not (regex.startswith("^") and regex.endswith("$")) or regex.endswith(r"\$"):
        raise ValueError(f"the pattern {regex!r} is not anchored with ^ and $")
    bare = _ESCAPED_OR_CLASS.sub("x", regex)
    if _UNPORTABLE.search(regex) or "." in bare or _has_open_choice(bare):
        raise ValueError(f"the pattern {regex!r} means different things in Python and ECMAScript")
    return _Written(re.compile(regex), words, form)


def _has_open_choice(regex: str) -> bool:
    """Whether a `|` stands outside all groups, where ^ and $ bind to one side only."""
    depth = 0
    for character in regex:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "|" and depth == 0:
            return True
    return False
