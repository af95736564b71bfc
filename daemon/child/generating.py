"""Who makes generated sources, as the environment says: loaded when the first one is wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from renderer.events import Listener
from renderer.sources.supply import Supplied
from renderer.spec.generated import ImageRecipe, is_generated, parse_recipe
from renderer.spec.loading import sources_of
from renderer.spec.model import Spec
from renderer.store import Store

OFFLINE = "offline"
"""The provider that is no service: it paints here."""

if TYPE_CHECKING:  # the painter's numpy takes long to import
    from renderer.sources.generated import Generator


@dataclass(frozen=True, kw_only=True)
class Generating:
    """The supplier of generated sources. `settings` are those of the providers; `pause` waits."""

    settings: Mapping[str, str]
    listen: Listener
    pause: Callable[[float], None] = time.sleep
    _first: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, reference: str, store: Store) -> Supplied:
        """As `Supplier`; may be called by several threads."""
        with self._first:
            generator = self._generator
        return generator(reference, store)

    @cached_property
    def _generator(self) -> Generator:
        """One for all calls, so that they share what the providers may be asked."""
        from daemon.providers import providers_of
        from daemon.settings import template_folders
        from renderer.sources.generated import Generator

        return Generator(
            provider_of=providers_of(self.settings),
            folders=template_folders(self.settings),
            listen=self.listen,
            pause=self.pause,
        )


def needs_provider(spec: Spec, settings: Mapping[str, str]) -> bool:
    """Whether a document asks for a picture of a provider that is reached with a key."""
    usual = settings.get("REELKILN_PROVIDER") or OFFLINE
    return any(
        (recipe.provider or usual) != OFFLINE
        for use in sources_of(spec)
        if is_generated(use.source)
        and isinstance(recipe := parse_recipe(use.source.partition(":")[2]), ImageRecipe)
    )


_PREFIXES = ("REELKILN_PROVIDER", "REELKILN_GEMINI_", "REELKILN_OPENAI_")


def provider_settings(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The settings that say who makes pictures, keys included, and where templates lie."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if name == "REELKILN_PROMPTS" or name.startswith(_PREFIXES)
    }
