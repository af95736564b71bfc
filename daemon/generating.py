"""Who makes generated sources, as the environment says: loaded when the first one is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from renderer.events import Listener
from renderer.sources.supply import Supplied
from renderer.store import Store

if TYPE_CHECKING:  # the painter's numpy takes long to import
    from renderer.sources.generated import Generator


@dataclass(frozen=True, kw_only=True)
class Generating:
    """The supplier of generated sources. `settings` are those of the providers."""

    settings: Mapping[str, str]
    listen: Listener

    def __call__(self, reference: str, store: Store) -> Supplied:
        """As `Supplier`."""
        return self.generator(reference, store)

    @cached_property
    def generator(self) -> Generator:
        """One for all calls, so that they share what the providers may be asked."""
        from daemon.providers import providers_of
        from daemon.settings import template_folders
        from renderer.sources.generated import Generator

        return Generator(
            provider_of=providers_of(self.settings),
            folders=template_folders(self.settings),
            listen=self.listen,
        )


_PREFIXES = ("REELKILN_PROVIDER", "REELKILN_GEMINI_", "REELKILN_OPENAI_")


def provider_settings(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The settings that say who makes pictures, keys included, and where templates lie."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if name == "REELKILN_PROMPTS" or name.startswith(_PREFIXES)
    }
