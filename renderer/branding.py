"""The brand kit that a document names: found as its other sources are, and applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from renderer.brand.applying import branded, stand_in
from renderer.brand.kit import parse_brand
from renderer.errors import Fault, SourceRefused, SpecInvalid
from renderer.limits import Limits
from renderer.sources.local import BESIDE, find_local
from renderer.sources.supply import known_elsewhere
from renderer.spec.origins import brand_key, is_reference

Supplied = Callable[[str], bytes | None]
"""The kit that `asset:ID` or `job:ID#FILE` stands for; None while it is promised only."""


def nobody(reference: str) -> bytes | None:
    """No daemon is asked here. Raises SourceRefused."""
    raise known_elsewhere(reference)


def brand_applied(
    base: Path, roots: tuple[Path, ...], limits: Limits, *, home: str = BESIDE,
    supplied: Supplied = nobody,
) -> Callable[[Any], Any]:  # fmt: skip
    """For `load`: the plain document with its brand applied, if it names one.

    In place of a kit that is promised only there is one that lets the rest be judged. Raises
    SourceRefused when the kit is not inside the folders, SpecInvalid when it is wrong.
    """

    def read(source: str) -> bytes | None:
        if is_reference(source):
            return supplied(source)
        return find_local(source, base, roots, limits.max_document_bytes, home=home).read_bytes()

    def apply(document: Any) -> Any:
        source = brand_key(document)
        if not source:
            return document
        try:
            data = read(source)
            kit = stand_in(document, source) if data is None else parse_brand(data, name=source)
        except SourceRefused as error:
            raise SourceRefused(_at_brand(fault) for fault in error.faults) from error
        except SpecInvalid as error:
            raise SpecInvalid(_in_kit(fault, source) for fault in error.faults) from error
        return branded(document, kit)

    return apply


def _at_brand(fault: Fault) -> Fault:
    return replace(fault, path=("brand",), at_key=False)


def _in_kit(fault: Fault, source: str) -> Fault:
    """A fault of the kit as one of the document that names it: the words say where in the kit."""
    at = f", line {fault.position.line}, column {fault.position.column}" if fault.position else ""
    return replace(
        _at_brand(fault), message=f"{source}{at}: {fault.message}", position=None, excerpt=""
    )
