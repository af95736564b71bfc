"""Numbers and patterned text on which pydantic and JSON Schema agree.

JSON knows one kind of number: 2 and 2.0 are the same integer, `true` is no number, and
text is never one. Patterns match the whole text on both sides.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("number_type", "expected a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("number_type", "expected a finite number")
    return value


def _integer(value: Any) -> Any:
    if isinstance(_number(value), float):
        if not value.is_integer():
            raise PydanticCustomError("int_type", "expected a whole number")
        return int(value)
    return value


Number = Annotated[float | int, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
"""A JSON number, kept as written: 5 stays 5, 0.1 stays 0.1."""

Int = Annotated[int, BeforeValidator(_integer), WithJsonSchema({"type": "integer"})]
"""A JSON integer; 2.0 is one too."""


def Pattern(regex: str) -> Any:  # noqa: N802 - reads as a type where it is used
    """Metadata for text that matches `regex` (anchored with ^ and $) as a whole."""
    compiled = re.compile(regex)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise PydanticCustomError("string_pattern_mismatch", "has not the expected form")
        return text

    # pydantic's own engine would accept a newline before "$"; ours decides, the schema tells.
    return _Patterned(check, regex)


class _Patterned:
    """AfterValidator for pydantic, `pattern` for the JSON Schema."""

    def __init__(self, check: Any, regex: str) -> None:
        self.check = check
        self.regex = regex

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return AfterValidator(self.check).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> Any:
        return {**handler(core), "pattern": self.regex}
