"""Where a request comes from, and the digest by which two requests are the same. Pure.

The input hash is SHA-256 over RFC 8785 JSON of the document and its provenance, every string in
NFC, references sorted and without repetition: key order, spacing and the order in which
references are named do not count, everything else does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from renderer.digest import digest_of

_VERSION = 1
"""Part of every input hash: a change of the canonical form must change all of them."""


class ReferenceKind(StrEnum):
    """What in a world a job may rest on."""

    CLAIM = "claim"
    ENTITY = "entity"
    SOURCE_CHUNK = "source-chunk"
    SOURCE = "source"


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One thing of a world, by its kind and its id there."""

    kind: ReferenceKind
    reference_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """The ids a request rests on, by kind: in NFC, sorted, without repetition from the start."""

    claims: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    source_chunks: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for one in fields(self):
            ids = {unicodedata.normalize("NFC", text) for text in getattr(self, one.name)}
            object.__setattr__(self, one.name, tuple(sorted(ids)))

    def each(self) -> Iterator[Reference]:
        """All of them, in one order."""
        kinds = (
            (ReferenceKind.CLAIM, self.claims),
            (ReferenceKind.ENTITY, self.entities),
            (ReferenceKind.SOURCE_CHUNK, self.source_chunks),
            (ReferenceKind.SOURCE, self.sources),
        )
        for kind, ids in kinds:
            yield from (Reference(kind, one) for one in ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a request is made from. `lore_snapshot` and `prompt_spec` are any JSON."""

    world: str = ""
    references: References = field(default_factory=References)
    lore_snapshot: Any = None
    provider: str = ""
    model: str = ""
    prompt_spec: Any = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, in its canonical order."""
        references = {f.name: list(getattr(self.references, f.name)) for f in fields(References)}
        return {**{f.name: getattr(self, f.name) for f in fields(self)}, "references": references}


def input_hash(document: Mapping[str, Any], provenance: Provenance) -> str:
    """The digest of a request, as 64 hex digits: equal requests are one job and one asset.

    `document` is the request without its provenance. Raises ValueError for what has no canonical
    form, NaN and integers past 2**53.
    """
    return digest_of({"v": _VERSION, "document": document, "provenance": provenance.as_json()})
