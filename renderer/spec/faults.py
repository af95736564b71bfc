"""pydantic's findings as faults: stable codes, human words, paths without union tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from pydantic import ValidationError

from renderer.errors import Fault, Path
from renderer.spec.locations import Branch, Location, Locator
from renderer.spec.positions import printable
from renderer.spec.suggest import did_you_mean, listed

_CODES = {
    "extra_forbidden": "unknown-field",
    "missing": "missing-field",
    "no_kind": "no-kind",
    "literal_error": "not-one-of",
    "bad_form": "bad-format",
    "string_too_short": "too-short",
    "string_too_long": "too-long",
    "too_short": "too-few",
    "too_long": "too-many",
    "greater_than": "out-of-range",
    "greater_than_equal": "out-of-range",
    "less_than": "out-of-range",
    "less_than_equal": "out-of-range",
}
_WANTED = {
    "number_type": "a number", "int_type": "a whole number", "string_type": "text",
    "bool_type": "true or false", "list_type": "a list", "dict_type": "a mapping",
    "model_type": "a mapping", "model_attributes_type": "a mapping",
    "string_unicode": "text without half surrogates",
}  # fmt: skip
_BOUNDS = {
    "ge": "less than the minimum of",
    "gt": "not more than",
    "le": "more than the maximum of",
    "lt": "not less than",
}


@dataclass(frozen=True, slots=True)
class _Finding:
    """One of pydantic's errors and its place in the document."""

    kind: str
    given: Any
    context: Mapping[str, Any]
    place: Location

    @property
    def code(self) -> str:
        return _CODES.get(self.kind, "wrong-type")


def faults_from_pydantic(error: ValidationError, locator: Locator, *, at_most: int) -> list[Fault]:
    """One fault for each wrong thing, made of `at_most` of pydantic's findings."""
    findings = [
        _Finding(e["type"], e["input"], e.get("ctx", {}), locator.locate(e["loc"]))
        for e in islice(error.errors(include_url=False), at_most)
    ]
    return [fault for told in _told(findings) for fault in _faults(told, locator)]


def describe(fault: Fault, document: str) -> str:
    """The fault for people: where, what, hint, and the line with a caret."""
    place = f"{document}:{fault.position.line}:{fault.position.column}" if fault.position else ""
    head = "  ".join(part for part in (place or document, fault.where) if part)
    hint = f" ({fault.hint})" if fault.hint else ""
    lines = [printable(f"{head}  {fault.message}{hint}")]
    if fault.excerpt and fault.position:
        shown, caret = fault.excerpt.split("\n", 1)
        number = f"{fault.position.line:5d}"
        lines += [f"{number} | {shown}", f"{' ' * len(number)} | {caret}"]
    return "\n".join(lines)


def _told(findings: Sequence[_Finding]) -> list[tuple[_Finding, ...]]:
    """Findings of one place together, of unions only those of the branch that got nearest."""
    unions: dict[Path, list[_Finding]] = {}
    told: list[tuple[_Finding, ...]] = []
    for finding in findings:
        if finding.place.branches:
            unions.setdefault(finding.place.branches[0].path, []).append(finding)
        else:
            told.append((finding,))
    for path, tried in unions.items():
        told += _nearest(path, tried)
    return told


def _nearest(path: Path, tried: Iterable[_Finding]) -> list[tuple[_Finding, ...]]:
    by_branch: dict[tuple[Branch, ...], list[_Finding]] = {}
    for finding in tried:
        taken = tuple(branch for branch in finding.place.branches if branch.path == path)
        inner = replace(finding.place, branches=finding.place.branches[len(taken) :])
        by_branch.setdefault(taken, []).append(replace(finding, place=inner))
    branches = list(by_branch.values())
    fitting = [branch for branch in branches if not _is_other_type(branch, path)]
    ranges = [b for b in fitting if any(f.code == "out-of-range" for f in b)]
    deeper = [b for b in fitting if any(f.place.path != path for f in b)]
    if ranges or deeper:
        return _told(min(ranges or deeper, key=len))
    return [tuple(finding for branch in fitting or branches for finding in branch)]


def _is_other_type(branch: Iterable[_Finding], path: Path) -> bool:
    return all(f.code == "wrong-type" and f.place.path == path for f in branch)


def _faults(told: tuple[_Finding, ...], locator: Locator) -> list[Fault]:
    first = told[0]
    path = first.place.path
    if first.code == "unknown-field":
        return [_unknown_field(first, locator)]
    if first.code == "missing-field":
        return [Fault(code="missing-field", path=path, message=f'"{path[-1]}" is missing')]
    if first.code == "no-kind":
        return _no_kind(first, locator)
    message, hint = _words(told)
    at_key = first.place.at_key
    return [Fault(code=first.code, path=path, message=message, hint=hint, at_key=at_key)]


def _unknown_field(finding: _Finding, locator: Locator) -> Fault:
    place = finding.place
    name = str(place.path[-1])
    union = place.union
    code, message, hint = "unknown-field", "unknown field", did_you_mean(name, place.names)
    if union and not union.by_value_of and name in union.keys:
        code = "two-kinds"
        message = f'"{place.kind}" and "{name}" cannot stand together'
        hint = "keep one of them, or make two of it"
    elif union and (others := locator.siblings(union, name)):
        message = f'"{name}" is a field of {listed(others)}, not of {place.kind}'
        hint = ""
    return Fault(code=code, path=place.path, message=message, hint=hint, at_key=True)


def _no_kind(finding: _Finding, locator: Locator) -> list[Fault]:
    place, union = finding.place, finding.place.union
    if union is None or not isinstance(finding.given, Mapping):
        message = f"expected a mapping, got {_shown(finding.given)}"
        return [Fault(code="wrong-type", path=place.path, message=message)]
    if union.by_value_of:
        given = finding.given.get(union.by_value_of)
        hint = did_you_mean(str(given), union.keys)
        path = (*place.path, union.by_value_of)
        message = f"{union.complaint()}, got {_shown(given)}"
        return [Fault(code="no-kind", path=path, message=message, hint=hint)]
    known = locator.names_in(union)
    for name in finding.given:
        hint = did_you_mean(str(name), union.keys) if name not in known else ""
        if hint:
            path = (*place.path, name)
            message = "unknown field"
            return [Fault(code="no-kind", path=path, message=message, hint=hint, at_key=True)]
    return [Fault(code="no-kind", path=place.path, message=union.complaint())]


def _words(told: tuple[_Finding, ...]) -> tuple[str, str]:
    """Message and hint of what is wrong with a value."""
    first = told[0]
    given, context = _shown(first.given), first.context
    if first.code == "not-one-of":
        return _choice_words(first)
    if first.code == "bad-format":
        return _form_words(told)
    if first.code == "out-of-range":
        key = next(key for key in _BOUNDS if key in context)
        return f"{given} is {_BOUNDS[key]} {context[key]}", ""
    if first.code in ("too-few", "too-many"):
        least, most = context.get("min_length"), context.get("max_length")
        bound = f"at most {most}" if least is None else f"at least {least}"
        return f"{bound} are needed" if least is not None else f"{bound} are allowed", ""
    if first.code in ("too-short", "too-long"):
        least, most = context.get("min_length"), context.get("max_length")
        bound = f"at most {most}" if least is None else f"at least {least}"
        return f"the text must have {bound} characters", ""
    wanted = dict.fromkeys(_WANTED.get(finding.kind, "") for finding in told)
    wanted.pop("", None)
    hint = f"for example {_written(first.place.examples[0])}" if first.place.examples else ""
    return f"expected {listed(tuple(wanted)) or 'another type'}, got {given}", hint


def _choice_words(finding: _Finding) -> tuple[str, str]:
    expected = str(finding.context.get("expected", "")).replace(" or ", ", ")
    choices = [word.strip("' ") for word in expected.split(",")]
    near = did_you_mean(str(finding.given), choices)
    message = f"{_shown(finding.given)} is not one of the choices"
    return message, near or "choices: " + ", ".join(choices)


def _form_words(told: tuple[_Finding, ...]) -> tuple[str, str]:
    written = [finding for finding in told if finding.code == "bad-format"]
    forms = tuple(dict.fromkeys(str(finding.context["form"]) for finding in written))
    words = [word for finding in written for word in finding.context["words"]]
    message = f"{_shown(told[0].given)} is not {listed(forms)}"
    return message, did_you_mean(str(told[0].given), words)


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


def _written(value: Any) -> str:
    return value if isinstance(value, str) else _shown(value)
