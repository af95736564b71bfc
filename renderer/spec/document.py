"""A document: plain values, and the place in the text that each of them came from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NoReturn

from renderer.errors import Fault, Path, Position, SpecInvalid
from renderer.limits import Limits, over_limit
from renderer.spec.json_strict import cut_off, read_json
from renderer.spec.positions import Lines, Places, excerpt
from renderer.spec.yaml12 import read_yaml

_FORBIDDEN = {
    "json": re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]"),
    "yaml": re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]"),
}
MAX_FAULTS = 500
"""A document with more faults is told of the first ones: nobody reads on."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Plain JSON values with their text. `name` is the file's name, for messages.

    `faults` are those of the text that left the rest of it readable.
    """

    name: str
    text: str = field(repr=False)
    format: str
    value: Any
    places: Places = field(default_factory=dict, repr=False, compare=False)
    faults: tuple[Fault, ...] = ()
    lines: Lines = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", Lines(self.text))

    def locate(self, fault: Fault) -> Fault:
        """The fault with its position and an excerpt with a caret.

        What is not in the text (a missing field, something inside a variable's value) is
        shown at the nearest thing around it that is.
        """
        position = fault.position or self._position(fault)
        if position is None:
            return fault
        shown = fault.excerpt or excerpt(self.lines, position)
        return replace(fault, position=position, excerpt=shown)

    def nearest(self, path: Path) -> Any:
        """What stands in the text at `path`, or at the nearest thing around it."""
        here = self.value
        for part in path:
            if isinstance(here, str):
                break
            try:
                here = here[part]
            except (LookupError, TypeError):
                break
        return here

    def _position(self, fault: Fault) -> Position | None:
        for length in range(len(fault.path), -1, -1):
            found = self.places.get(fault.path[:length])
            if found:
                is_whole = length == len(fault.path) or isinstance(self.nearest(fault.path), str)
                return found[1] if is_whole and not fault.at_key else found[0]
        return None


def parse_document(data: bytes, *, name: str, limits: Limits) -> Document:
    """Read JSON or YAML strictly; the suffix of `name` says which, else the first character.

    Raises SpecInvalid with all faults, each with its position and an excerpt.
    """
    document = read_document(data, name=name, limits=limits)
    if document.faults:
        _refuse(document, *document.faults)
    return document


def read_document(data: bytes, *, name: str, limits: Limits) -> Document:
    """As `parse_document`, but what is readable in spite of its faults is returned with them."""
    _refuse_large(data, name, limits)
    text = _decode(data, name)
    document = Document(name=name, text=text, format=_format_of(name, text), value=None)
    _refuse_unreadable(document)
    reading = (read_json if document.format == "json" else read_yaml)(text, limits)
    if not reading.is_whole:
        _refuse(document, *reading.faults)
    if not isinstance(reading.value, dict):
        message = "a document is a mapping of fields"
        position = reading.places[()][1] if reading.places else None
        fault = Fault(code="wrong-type", message=message, position=position)
        _refuse(document, *(reading.faults or [fault]))
    return replace(
        document,
        value=reading.value,
        places=reading.places,
        faults=tuple(reading.faults[:MAX_FAULTS]),
    )


def _refuse(document: Document, *faults: Fault) -> NoReturn:
    located = [document.locate(fault) for fault in faults[:MAX_FAULTS]]
    raise SpecInvalid(located, document=document.name)


def _refuse_large(data: bytes, name: str, limits: Limits) -> None:
    if len(data) > limits.max_document_bytes:
        what = f"a document of {len(data)} bytes"
        message = over_limit(what, "max_document_bytes", limits.max_document_bytes)
        raise SpecInvalid([Fault(code="document-too-large", message=message)], document=name)


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8-sig")
        document = Document(name=name, text=good, format="", value=None)
        at_end = error.reason == "unexpected end of data"
        fault = cut_off(Lines(good), len(good)) if at_end else _not_utf8(data, error.start, good)
        _refuse(document, fault)


def _not_utf8(data: bytes, at: int, good: str) -> Fault:
    is_utf_16 = data.startswith(_UTF_16)
    message = "the file is UTF-16" if is_utf_16 else f"byte 0x{data[at]:02x} is not UTF-8"
    position = Lines(good).at(len(good))
    return Fault(code="bad-utf8", message=message, hint="save it as UTF-8", position=position)


def _format_of(name: str, text: str) -> str:
    suffix = name.lower().rpartition(".")[2]
    if suffix in ("json", "yaml", "yml"):
        return "json" if suffix == "json" else "yaml"
    return "json" if text.lstrip()[:1] in ("{", "[") else "yaml"


def _refuse_unreadable(document: Document) -> None:
    text = document.text
    if not text.strip():
        message, hint = "the document is empty", "is the file still being written?"
        _refuse(
            document,
            Fault(code="empty-document", message=message, hint=hint, position=Lines("").at(0)),
        )
    found = list(islice(_FORBIDDEN[document.format].finditer(text), MAX_FAULTS))
    if found:
        _refuse(document, *(_bad_character(match, document.lines) for match in found))


def _bad_character(match: re.Match[str], lines: Lines) -> Fault:
    message = f"a character that may not stand in a document (U+{ord(match.group()):04X})"
    position = lines.at(match.start())
    return Fault(code="bad-character", message=message, hint="remove it", position=position)
