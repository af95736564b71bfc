"""The brand kit that a document names: found as its other sources are, and applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from renderer.brand.applying import branded
from renderer.brand.kit import parse_brand
from renderer.errors import SourceRefused
from renderer.limits import Limits
from renderer.sources.local import BESIDE, find_local


def brand_applied(
    base: Path, roots: tuple[Path, ...], limits: Limits, *, home: str = BESIDE
) -> Callable[[Any], Any]:
    """For `load`: the plain document with its brand applied, if it names one.

    Raises SourceRefused when the kit is not inside the folders, SpecInvalid when it is wrong.
    """

    def apply(document: Any) -> Any:
        source = document.get("brand") if isinstance(document, dict) else None
        if not isinstance(source, str):
            return document
        try:
            path = find_local(source, base, roots, limits.max_document_bytes, home=home)
            data = path.read_bytes()
        except SourceRefused as error:
            raise SourceRefused(
                replace(fault, path=("brand",)) for fault in error.faults
            ) from error
        return branded(document, parse_brand(data, name=source))

    return apply
