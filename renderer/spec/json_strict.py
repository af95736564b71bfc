"""JSON read to the letter of RFC 8259, with the place of every value and all faults at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from json import JSONDecodeError, decoder
from typing import Any, NoReturn

from renderer.errors import Fault, Path
from renderer.limits import Limits
from renderer.spec.positions import Lines, Reading
from renderer.spec.scalars import number_fault, too_deep, too_many, written_twice

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_NUMBER_BEGUN = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.|(?:\.[0-9]+)?[eE][-+]?))?")
_WORD = re.compile(r"[-+]?[A-Za-z_$][A-Za-z0-9_$]*")
_ESCAPE_BEGUN = re.compile(r"\\u?[0-9a-fA-F]{0,3}")
_scan_string: Callable[[str, int, bool], tuple[str, int]] = vars(decoder)["scanstring"]
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LITERALS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")
_ELSEWHERE = {"True": "true", "False": "false", "None": "null", "undefined": "null"}


def read_json(text: str, limits: Limits) -> Reading:
    """Value, faults and places of a JSON text. A syntax fault ends the reading and is last."""
    reader = _Reader(text, limits)
    try:
        reader.reading.value = reader.document()
    except _Stop as stop:
        reader.reading.is_whole = False
        reader.reading.faults.append(stop.fault)
    return reader.reading


class _Stop(Exception):
    """The text cannot be understood any further."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class _Reader:
    """Recursive, but never deeper than `max_depth` of the limits."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.limits = limits
        self.lines = Lines(text)
        self.reading = Reading()
        self.at = 0
        self.depth = 0
        self.count = 0

    def document(self) -> Any:
        self.space()
        self.place((), self.at, self.at)
        value = self.value(())
        self.space()
        if self.at < len(self.text):
            self.stop("something follows the end of the document", "remove it")
        return value

    def value(self, path: Path) -> Any:
        self.count += 1
        if self.count > self.limits.max_nodes:
            raise _Stop(too_many(path, self.lines.at(self.at), self.limits))
        character = self.text[self.at : self.at + 1]
        if character == "{":
            return self.nested(self.members, path)
        if character == "[":
            return self.nested(self.items, path)
        return self.string(path) if character == '"' else self.scalar(path)

    def nested(self, read: Any, path: Path) -> Any:
        self.depth += 1
        if self.depth > self.limits.max_depth:
            raise _Stop(too_deep(path, self.lines.at(self.at), self.limits))
        self.at += 1
        self.space()
        value = read(path)
        self.depth -= 1
        return value

    def members(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        starts: dict[str, int] = {}
        while not self.closes("}", has_items=bool(starts)):
            key_at = self.at
            key = self.key(path)
            self.colon()
            if key in starts:
                self.twice(path, key, starts[key], key_at)
            starts.setdefault(key, key_at)
            inner = (*path, key)
            self.place(inner, key_at, self.at)
            found[key] = self.value(inner)
            self.space()
        return found

    def items(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while not self.closes("]", has_items=bool(found)):
            inner = (*path, len(found))
            self.place(inner, self.at, self.at)
            found.append(self.value(inner))
            self.space()
        return found

    def closes(self, bracket: str, *, has_items: bool) -> bool:
        """Whether the bracket comes here; else step over the comma to the next thing."""
        if self.text.startswith(bracket, self.at):
            self.at += 1
            return True
        if not has_items:
            return False
        comma = self.at
        if not self.text.startswith(",", comma):
            self.stop(f'expected "," or "{bracket}"', 'a "," may be missing here')
        self.at += 1
        self.space()
        if self.text.startswith(bracket, self.at):
            self.at = comma
            self.stop(f'a "," before "{bracket}"', 'remove the ","')
        return False

    def key(self, path: Path) -> str:
        if not self.text.startswith('"', self.at):
            self.stop('expected a field name in "double quotes"', self.foreign())
        return self.string(path)

    def colon(self) -> None:
        self.space()
        if not self.text.startswith(":", self.at):
            self.stop('expected ":" after the field name')
        self.at += 1
        self.space()

    def string(self, path: Path) -> str:
        start = self.at
        try:
            text, self.at = _scan_string(self.text, start + 1, True)
        except JSONDecodeError as error:
            self.broken_string(error)
        if _LONE_SURROGATE.search(text):
            message = "half of a surrogate pair stands alone in the text"
            self.fault("bad-character", path, message, start, r"write both halves, \ud83d\ude00")
        return text

    def broken_string(self, error: JSONDecodeError) -> NoReturn:
        self.at = error.pos
        if error.msg.startswith("Unterminated"):
            self.at = len(self.text)
        elif error.msg.startswith("Invalid \\uXXXX"):
            backslash = self.text.rfind("\\", 0, error.pos + 1)
            begun = _ESCAPE_BEGUN.match(self.text, backslash)
            self.at = len(self.text) if begun and begun.end() == len(self.text) else backslash
            self.stop(r"expected four hexadecimal digits after \u")
        elif error.msg.startswith("Invalid control"):
            hint = r"close the text with a double quote, or write \n for a line break"
            self.stop("a line break or control character inside a text", hint)
        self.stop("an escape that JSON does not know", r"write \\ for a backslash")

    def scalar(self, path: Path) -> Any:
        start = self.at
        word = _WORD.match(self.text, start)
        if word:
            return self.word(word.group(), path)
        number = _NUMBER.match(self.text, start)
        if number is None or self.text[number.end() : number.end() + 1] in tuple("0123456789.eE+-"):
            self.broken_number(start)
        self.at = number.end()
        return self.number(number.group(), path, start)

    def number(self, written: str, path: Path, start: int) -> int | float:
        fault = number_fault(written)
        if fault:
            self.fault(fault.code, path, fault.message, start, fault.hint)
            return 0
        return int(written) if written.lstrip("-").isdigit() else float(written)

    def broken_number(self, start: int) -> NoReturn:
        begun = _NUMBER_BEGUN.match(self.text, start)
        if begun and begun.end() == len(self.text):
            self.at = len(self.text)
        if re.compile(r"[-+.]?[0-9.]").match(self.text, self.at):
            hint = "digits with no leading zero or plus, a digit on each side of the point"
            self.stop("not a JSON number", hint)
        self.stop("expected a value", self.foreign())

    def word(self, word: str, path: Path) -> bool | int | None:
        start = self.at
        self.at += len(word)
        if word in _LITERALS:
            return _LITERALS[word]
        if word in _NOT_FINITE:
            self.fault("not-finite", path, f"{word} is not a JSON number", start)
            return 0
        is_last = self.at == len(self.text)
        self.at = start
        if is_last and any(w.startswith(word) for w in (*_LITERALS, *_NOT_FINITE)):
            self.at = len(self.text)
        meant = _ELSEWHERE.get(word)
        hint = f"write {meant}" if meant else "put text into double quotes"
        return self.stop(f"{word[:40]} is not a JSON value", hint)

    def foreign(self) -> str:
        """A hint when the text here is that of another language."""
        if self.text.startswith("'", self.at):
            return 'JSON text stands in "double quotes"'
        if self.text.startswith(("//", "/*", "#"), self.at):
            return "JSON has no comments; YAML has"
        return ""

    def twice(self, path: Path, key: str, first: int, second: int) -> None:
        fault = written_twice(path, key, self.lines.at(first), self.lines.at(second))
        self.reading.faults.append(fault)

    def space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def place(self, path: Path, key: int, value: int) -> None:
        self.reading.places.setdefault(path, (self.lines.at(key), self.lines.at(value)))

    def fault(self, code: str, path: Path, message: str, at: int, hint: str = "") -> None:
        position = self.lines.at(at)
        fault = Fault(code=code, path=path, message=message, hint=hint, position=position)
        self.reading.faults.append(fault)

    def stop(self, message: str, hint: str = "") -> NoReturn:
        if self.at >= len(self.text):
            raise _Stop(cut_off(self.lines, len(self.text.rstrip())))
        position = self.lines.at(self.at)
        fault = Fault(code="bad-json", message=f"not JSON: {message}", hint=hint, position=position)
        raise _Stop(fault)


def cut_off(lines: Lines, index: int) -> Fault:
    """The fault of a document that ends too early, at `index`."""
    return Fault(
        code="half-written",
        message="the document ends before it is complete",
        hint="is the file still being written?",
        position=lines.at(index),
    )
