"""Inputs: every source pinned to the bytes it turned out to be. The lock of a render.

After `Inputs` nothing looks at a source again: spec + inputs + toolchain decide the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from renderer.errors import Path
from renderer.media import MediaInfo, MediaKind, media_info_from_json

LOCK_VERSION = 1
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One source, held fast: `source` as the spec writes it, `sha256` of its bytes."""

    source: str
    sha256: str
    size_bytes: int
    media: MediaInfo
    provenance: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The pin as an entry of lock.json."""
        return {
            "source": self.source,
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "media": self.media.as_json(),
            "provenance": dict(sorted(self.provenance.items())),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUse:
    """A source as a spec names it: what it must turn out to be, and where it is named."""

    source: str
    expected: frozenset[MediaKind]
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Pins by source text."""

    pins: Mapping[str, Pin]

    def __getitem__(self, source: str) -> Pin:
        return self.pins[source]

    def media(self, source: str) -> MediaInfo:
        """The facts of `source`; KeyError when it was never acquired."""
        return self.pins[source].media

    def as_json(self) -> dict[str, object]:
        """lock.json: pins sorted by source."""
        pins = [self.pins[source].as_json() for source in sorted(self.pins)]
        return {"reelkiln_lock": LOCK_VERSION, "sources": pins}


def inputs_of(pins: Iterable[Pin]) -> Inputs:
    """Inputs from pins in any order."""
    return Inputs(pins={pin.source: pin for pin in sorted(pins, key=lambda pin: pin.source)})


def inputs_from_json(data: Mapping[str, Any]) -> Inputs:
    """The inverse of `Inputs.as_json`. Raises KeyError, TypeError or ValueError on foreign data."""
    if data["reelkiln_lock"] != LOCK_VERSION:
        raise ValueError(f"lock version {data['reelkiln_lock']!r} is not {LOCK_VERSION}")
    return inputs_of(
        Pin(
            source=str(entry["source"]),
            sha256=_digest(entry["sha256"]),
            size_bytes=int(entry["size_bytes"]),
            media=media_info_from_json(entry["media"]),
            provenance=entry.get("provenance", {}),
        )
        for entry in data["sources"]
    )


def _digest(text: object) -> str:
    """`text`, when it is a digest: a lock may be anybody's, and a digest becomes a path."""
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise ValueError(f"{text!r} is not a SHA-256 digest of 64 lowercase hex digits")
    return text
