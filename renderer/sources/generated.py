"""Generated sources: a recipe becomes bytes in the store, made once and pinned."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from renderer.brand.kit import BrandKit, brand_of
from renderer.errors import (
    DailyQuota,
    Fault,
    ModelGone,
    ProviderAuth,
    ProviderUnavailable,
    RateLimited,
    SourceRefused,
    SpecInvalid,
    UsageError,
)
from renderer.events import Listener, Warned, ignore
from renderer.generate.contract import Provider, request_for
from renderer.generate.painter import OfflinePainter
from renderer.generate.pinning import Generated, generate_image
from renderer.generate.sounds import generate_sound
from renderer.generate.speech import Voice, find_voice, silence, speak
from renderer.prompts.filling import Prompt, fill
from renderer.prompts.template import SUBJECT
from renderer.sources.supply import Supplied
from renderer.spec.generated import (
    EffectRecipe,
    ImageRecipe,
    MusicRecipe,
    SpeechRecipe,
    parse_recipe,
)
from renderer.store import Store
from renderer.template_files import find_template

_UNUSABLE = (ProviderUnavailable, RateLimited, DailyQuota, ProviderAuth, ModelGone)
_PASSING = (ProviderUnavailable, RateLimited)
_PAUSES_S = (5, 10, 15, 30, 60, 60, 60, 60, 60, 60, 60, 60, 60)
NO_VOICE = "none"
"""The `voice` in the provenance of speech that no voice was there for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """Makes what recipes ask for.

    `provider_of` gives the provider of a name, of "" the one that the operator set. `folders`
    hold prompt templates of the operator's. `voice` finds who can speak.
    """

    provider_of: Callable[[str], Provider]
    folders: tuple[Path, ...] = ()
    listen: Listener = ignore
    voice: Callable[[], Voice | None] = field(default=lambda: find_voice(os.environ))
    pause: Callable[[float], None] = time.sleep
    silenced: list[str] = field(default_factory=list)
    """What had to stay silent; told once."""

    def __call__(self, reference: str, store: Store) -> Supplied:
        """What the recipe in `reference` (JSON) gives, in the store.

        Raises SourceRefused for a recipe that cannot be made, ProviderRefused, RenderFailed.
        """
        try:
            return self.make(parse_recipe(reference), store)
        except UsageError as error:
            fault = Fault(code="template-unknown", message=error.message, hint=error.hint)
            raise SourceRefused([fault]) from error
        except SpecInvalid as error:  # of the template's placeholders, the brand or the recipe
            raise SourceRefused(error.faults) from error

    def make(self, recipe: object, store: Store) -> Supplied:
        """As `__call__`, of a recipe. Raises SpecInvalid and UsageError as well."""
        match recipe:
            case ImageRecipe():
                return self._image(recipe, store)
            case MusicRecipe():
                return _music(recipe, store)
            case EffectRecipe():
                return _effect(recipe, store)
            case SpeechRecipe():
                return self._speech(recipe, store)
        raise TypeError(f"{recipe!r} is no recipe")

    def _image(self, recipe: ImageRecipe, store: Store) -> Supplied:
        prompt = self._prompt(recipe)
        made, aside = self._asked(recipe, prompt, store)
        provenance = {
            **made.provenance, **aside, "prompt_digest": prompt.digest, "template": prompt.template,
        }  # fmt: skip
        return Supplied(sha256=made.output.sha256, provenance=provenance)

    def _prompt(self, recipe: ImageRecipe) -> Prompt:
        template = find_template(recipe.template, self.folders)
        values = {**recipe.values, SUBJECT: recipe.image}
        return fill(template, values, brand=_brand(recipe))

    def _asked(
        self, recipe: ImageRecipe, prompt: Prompt, store: Store
    ) -> tuple[Generated, Mapping[str, str]]:
        request = request_for(prompt, seed=recipe.seed)
        provider = self.provider_of(recipe.provider or "")
        try:
            return self._patiently(recipe, lambda: generate_image(request, provider, store)), {}
        except _UNUSABLE as error:
            if recipe.on_unavailable != "fallback" or provider.name == OfflinePainter.name:
                raise
            words = f"{error.message}; the offline painter made the picture instead"
            self.listen(Warned(code="provider-fallback", message=words))
            made = generate_image(request, OfflinePainter(), store)
            return made, {"instead_of": provider.name, "because": error.code}

    def _patiently(self, recipe: ImageRecipe, ask: Callable[[], Generated]) -> Generated:
        """Ask; with `wait`, again and again while the provider cannot be used for now."""
        pauses = _PAUSES_S if recipe.on_unavailable == "wait" else ()
        for seconds in pauses:
            try:
                return ask()
            except _PASSING as error:
                wanted = getattr(error, "retry_after", None) or 0
                if wanted > sum(_PAUSES_S):
                    raise
                rest = max(float(seconds), wanted)
                words = f"{error.message}; asked again in {rest:g} s"
                self.listen(Warned(code="provider-wait", message=words))
                self.pause(rest)
        return ask()

    def _speech(self, recipe: SpeechRecipe, store: Store) -> Supplied:
        voice = self.voice()
        model = voice.model if voice else NO_VOICE

        def make() -> bytes:
            if voice is None:
                return silence(recipe.speech, pace=recipe.pace)
            with store.workdir() as folder:
                return speak(
                    recipe.speech, language=recipe.language, pace=recipe.pace, voice=voice,
                    folder=folder,
                )  # fmt: skip

        if voice is None and not self.silenced:
            self.silenced.append(recipe.speech)
            words = "no voice is installed here (espeak-ng, flite): what is said stays silent"
            self.listen(Warned(code="no-voice", message=words))
        made = generate_sound(_plain(recipe), f"voice/{model}", make, store)
        return Supplied(sha256=made.sha256, provenance={"voice": model})


def _music(recipe: MusicRecipe, store: Store) -> Supplied:
    from renderer.generate import music

    model = f"music/{music.VERSION}"
    made = generate_sound(
        _plain(recipe), model,
        lambda: music.compose(recipe.music, recipe.length, recipe.seed), store,
    )  # fmt: skip
    return Supplied(sha256=made.sha256, provenance={"composer": model})


def _effect(recipe: EffectRecipe, store: Store) -> Supplied:
    from renderer.generate import effects

    model = f"effects/{effects.VERSION}"
    made = generate_sound(
        _plain(recipe), model, lambda: effects.effect(recipe.effect, recipe.seed), store
    )
    return Supplied(sha256=made.sha256, provenance={"composer": model})


def _plain(recipe: MusicRecipe | EffectRecipe | SpeechRecipe) -> dict[str, object]:
    return recipe.model_dump(mode="json", exclude_defaults=True)


def _brand(recipe: ImageRecipe) -> BrandKit | None:
    if recipe.brand is None:
        return None
    kit, faults = brand_of(recipe.brand)
    if kit is None:
        raise SpecInvalid(faults)
    return kit
