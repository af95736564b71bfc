"""Sources that are references: whoever runs the render says where their content comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from renderer.errors import SourceRefused
from renderer.refusals import refused
from renderer.spec.generated import GENERATE, recipe_words
from renderer.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplied:
    """Content that is in the store now, and what is known of where it comes from."""

    sha256: str
    provenance: Mapping[str, str] = field(default_factory=dict)


class Supplier(Protocol):
    """Puts the content of a reference into the store."""

    def __call__(self, reference: str, store: Store) -> Supplied:
        """Of `asset:ID` the part `ID`. Raises Rejected, SourceUnavailable or ProviderRefused."""
        ...


def supply(source: str, suppliers: Mapping[str, Supplier], store: Store) -> Supplied:
    """The content of a reference. Raises SourceRefused where nobody knows such references."""
    scheme, _, reference = source.partition(":")
    supplier = suppliers.get(scheme)
    if supplier is None and scheme == GENERATE:
        words = f"{recipe_words(source)} cannot be made here"
        raise refused("source-scheme", words, "render it with the reelkiln command or a daemon")
    if supplier is None:
        raise known_elsewhere(source)
    return supplier(reference, store)


def known_elsewhere(source: str) -> SourceRefused:
    """The refusal of a reference where no daemon is asked."""
    words = f"{source} is known to a daemon alone"
    hint = "drop the spec into the inbox of that daemon, or name a file"
    return refused("source-scheme", words, hint)
