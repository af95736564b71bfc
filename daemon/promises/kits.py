"""Brand kits that are assets or files of jobs: their bytes, where they lie on this machine."""

from __future__ import annotations

import json
from pathlib import Path

from daemon.promises.contract import Promised, Standing
from renderer.branding import Supplied, brand_applied
from renderer.digest import digest_of_bytes
from renderer.errors import SourceRefused
from renderer.limits import Limits
from renderer.refusals import refused
from renderer.spec.loading import Loaded, load

HOME = "in the media folder"
"""Where a source belongs that was not found."""


def load_with_kit(
    data: bytes, *, name: str, media: tuple[Path, ...], limits: Limits, supplied: Supplied
) -> Loaded:
    """The spec with the brand kit that it names: a file below `media`, or what is `supplied`.

    Raises SpecInvalid, SourceRefused.
    """
    base, *others = media
    prepare = brand_applied(base, tuple(others), limits, home=HOME, supplied=supplied)
    return load(data, name=name, limits=limits, prepare=prepare)


def kit_in(it: Promised, reference: str, limits: Limits) -> bytes | None:
    """The kit that a reference stands for; None while it is not there, or not on this machine.

    Raises SourceRefused for what is too large or was replaced.
    """
    if it.standing is not Standing.AVAILABLE:
        return None
    if it.value is not None:
        return it.value.encode() if isinstance(it.value, str) else json.dumps(it.value).encode()
    return None if it.path is None else read_kit(it.path, it.sha256, reference, limits)


def read_kit(path: Path, sha256: str, reference: str, limits: Limits) -> bytes:
    """The bytes of a kit. Raises SourceRefused for what is too large or was replaced."""
    with path.open("rb") as file:
        data = file.read(limits.max_document_bytes + 1)
    if len(data) > limits.max_document_bytes:
        raise too_large(reference, limits)
    if sha256 not in ("", digest_of_bytes(data)):
        words = f"{reference} is not what it was when it was promised"
        raise refused("source-changed", words, "make it again, as another asset")
    return data


def too_large(reference: str, limits: Limits) -> SourceRefused:
    """The refusal of a kit over the limit of documents."""
    words = f"{reference} is over the limit of {limits.max_document_bytes} bytes for a brand kit"
    return refused("source-too-large", words, "name a brand kit: a small YAML or JSON file")
