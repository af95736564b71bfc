"""`reelkiln inspect`: the resolved timeline to look at, as text, JSON, SVG or PNG."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path

from renderer.chart import chart
from renderer.chart_png import png_of
from renderer.errors import UsageError
from renderer.inspection import Inspection, as_text


class InspectAs(StrEnum):
    """What an inspection is written as."""

    TEXT = "text"
    JSON = "json"
    SVG = "svg"
    PNG = "png"


def write_inspection(found: Inspection, form: InspectAs, out: Path | None) -> None:
    """Write it to a file, or to standard output. Raises UsageError when the file cannot be."""
    data = _written(found, form)
    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error


def form_of(asked: InspectAs | None, out: Path | None, *, as_json: bool) -> InspectAs:
    """The form asked for, else the one that the name of the file ends in, else text."""
    if as_json:
        return InspectAs.JSON
    if asked is not None:
        return asked
    ending = out.suffix.removeprefix(".") if out else ""
    return InspectAs(ending) if ending in list(InspectAs) else InspectAs.TEXT


def _written(found: Inspection, form: InspectAs) -> bytes:
    match form:
        case InspectAs.TEXT:
            return (as_text(found) + "\n").encode("utf-8", "replace")
        case InspectAs.JSON:
            return json.dumps(found.as_json(), indent=2).encode() + b"\n"
        case InspectAs.SVG:
            return chart(found).encode("utf-8")
        case InspectAs.PNG:
            return png_of(chart(found))
