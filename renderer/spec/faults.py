"""pydantic's findings as faults: stable codes, human words, paths without union tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from renderer.errors import Fault, Path
from renderer.spec.suggest import did_you_mean

_CODES = {
    "extra_forbidden": "unknown-field",
    "missing": "missing-field",
    "no_kind": "no-kind",
    "literal_error": "not-one-of",
    "string_pattern_mismatch": "bad-format",
    "string_too_short": "too-short",
    "string_too_long": "too-long",
    "too_short": "too-few",
    "too_long": "too-many",
    "greater_than": "out-of-range",
    "greater_than_equal": "out-of-range",
    "less_than": "out-of-range",
    "less_than_equal": "out-of-range",
}


def faults_from_pydantic(error: ValidationError, value: Any, fields: Iterable[str]) -> list[Fault]:
    """One fault for each wrong place. `fields` are all field names, for did-you-mean."""
    known = frozenset(fields)
    by_path: dict[Path, list[Mapping[str, Any]]] = {}
    for entry in error.errors(include_url=False):
        by_path.setdefault(_path(entry, value), []).append(dict(entry))
    return [_fault(path, entries, known, value) for path, entries in by_path.items()]


def describe(fault: Fault, document: str) -> str:
    """The fault for people: where, what, hint, and the line with a caret."""
    place = f"{document}:{fault.position.line}:{fault.position.column}" if fault.position else ""
    head = "  ".join(part for part in (place or document, fault.where) if part)
    hint = f" ({fault.hint})" if fault.hint else ""
    lines = [f"{head}  {fault.message}{hint}"]
    if fault.excerpt and fault.position:
        shown, caret = fault.excerpt.split("\n", 1)
        number = f"{fault.position.line:5d}"
        lines += [f"{number} | {shown}", f"{' ' * len(number)} | {caret}"]
    return "\n".join(lines)


def _path(entry: Mapping[str, Any], value: Any) -> Path:
    """The part of pydantic's location that really is in the document.

    A union tag such as "image" can also be a field of the mapping it is about; it is a tag
    when what follows it is not inside that field.
    """
    path: list[str | int] = []
    here = value
    location = list(entry["loc"])
    names_absent = entry["type"] in ("missing", "extra_forbidden")
    for index, part in enumerate(location):
        following = location[index + 1 :]
        if _holds(here, part) and not (following and _is_scalar(here[part])):
            here = here[part]
            path.append(part)
        elif not following and isinstance(part, str) and names_absent:
            path.append(part)
        elif (
            _holds(here, part)
            and not any(_holds(here, later) for later in following)
            and not (names_absent and isinstance(here, Mapping))
        ):
            here = here[part]
            path.append(part)
    return tuple(path)


def _holds(value: Any, part: Any) -> bool:
    if isinstance(value, Mapping):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, (Mapping, list))


def _fault(
    path: Path, entries: list[Mapping[str, Any]], known: frozenset[str], value: Any
) -> Fault:
    entry = _most_telling(entries)
    kind = entry["type"]
    code = _CODES.get(kind, "wrong-type")
    if code == "unknown-field":
        hint = did_you_mean(str(path[-1]), known) if path else ""
        return Fault(code=code, path=path, message="unknown field", hint=hint, at_key=True)
    if code == "missing-field":
        message = f'the field "{path[-1]}" is missing'
        return Fault(code=code, path=path, message=message)
    message, hint = _words(code, entry, entries)
    return Fault(code=code, path=path, message=message, hint=hint)


def _most_telling(entries: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Of the branches of a union, the one that got nearest: a range, a form, then a type."""
    order = ["out-of-range", "unknown-field", "missing-field", "bad-format", "not-one-of"]

    def rank(entry: Mapping[str, Any]) -> int:
        code = _CODES.get(entry["type"], "wrong-type")
        return order.index(code) if code in order else len(order)

    return min(entries, key=rank)


def _words(
    code: str, entry: Mapping[str, Any], entries: list[Mapping[str, Any]]
) -> tuple[str, str]:
    given = _shown(entry.get("input"))
    context = entry.get("ctx", {})
    if code == "not-one-of":
        choices = [
            w.strip("' ") for w in str(context.get("expected", "")).replace(" or ", ", ").split(",")
        ]
        near = did_you_mean(str(entry.get("input")), choices)
        return f"{given} is not one of the choices", near or "choices: " + ", ".join(choices)
    if code == "bad-format":
        return f"{given} has not the expected form", "see the schema for the forms it may take"
    if code == "out-of-range":
        limit = next((context[k] for k in ("ge", "gt", "le", "lt") if k in context), "")
        words = {
            "ge": "less than the minimum of",
            "gt": "not more than",
            "le": "more than the maximum of",
            "lt": "not less than",
        }
        key = next((k for k in words if k in context), "ge")
        return f"{given} is {words[key]} {limit}", ""
    if code == "no-kind":
        return str(entry["msg"]), ""
    if code == "wrong-type":
        wanted = sorted({_wanted(e["type"]) for e in entries} - {""})
        return f"expected {' or '.join(wanted) or 'another type'}, got {given}", ""
    message = str(entry["msg"])
    return message[0].lower() + message[1:], ""


_WANTED = {
    "number_type": "a number", "int_type": "a whole number", "string_type": "text",
    "bool_type": "true or false", "list_type": "a list", "dict_type": "a mapping",
    "model_type": "a mapping", "model_attributes_type": "a mapping", "none_required": "nothing",
}  # fmt: skip


def _wanted(kind: str) -> str:
    return _WANTED.get(kind, "")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'text "{value[:60]}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    return str(value)
