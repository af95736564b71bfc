"""What is made instead of found: a picture, music, an effect or speech, told in a few words."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from renderer.digest import canonical_json
from renderer.errors import Fault, SpecInvalid
from renderer.spec.base import Part
from renderer.spec.document import MAX_FAULTS
from renderer.spec.faults import faults_from_pydantic
from renderer.spec.keyed_union import KeyedUnion
from renderer.spec.locations import Locator
from renderer.spec.numbers import Int, Number, Written
from renderer.spec.values import Identifier

GENERATE = "generate"
"""The word before the colon in the key of a source that is made."""
EFFECTS = ("whoosh", "riser", "impact", "chime", "pop", "click")
_SHOWN = 40

TEMPLATE_PATTERN = (
    r"^(?:thumbnail|overlay|banner|story_graphic|clip_cover)"
    r"(?:@(?:latest|[0-9]{1,4}\.[0-9]{1,4}))?$"
)
TemplateText = Annotated[
    str, Written(TEMPLATE_PATTERN, form="a prompt template such as thumbnail or banner@1.0")
]
PromptWords = Annotated[str, Field(min_length=1, max_length=4000)]
PlaceholderKey = Annotated[
    str, Written(r"^[a-z][a-z0-9_]{0,39}$", form="a name of small letters, digits and _")
]
PlaceholderValues = dict[PlaceholderKey, PromptWords]
Seed = Annotated[Int, Field(ge=0, le=2_147_483_647)]
ProviderName = Literal["offline", "gemini", "openai"]
OnUnavailable = Literal["fail", "fallback", "wait"]


def values_field() -> Any:
    """As every document says it that fills a prompt template."""
    return Field(
        {}, description="For the other placeholders of the template.", examples=[{"mood": "calm"}]
    )


def kit_field() -> Any:
    """As every document says it whose brand kit is put in before it is loaded."""
    return Field(
        None,
        description="A brand kit in full; that of the document is put in here.",
        examples=[{"reelkiln_brand": 1, "name": "Acme", "colours": {"primary": "#0b3d91"}}],
    )


def provider_field(pictures: str) -> Any:
    """Who makes them; `pictures` is what the document calls them."""
    return Field(None, description=f"Who makes {pictures}; as the operator has set when left out.")


def on_unavailable_field(pictures: str, default: OnUnavailable = "fail") -> Any:
    """What becomes of them without their provider; `pictures` is what the document calls them."""
    return Field(
        default,
        description="When the provider cannot be used now: fail, let the offline painter make "
        f"{pictures}, or wait up to ten minutes.",
    )


LANGUAGE_PATTERN = r"^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?$"


class ImageRecipe(Part):
    """A picture, made by a provider from a prompt template."""

    image: PromptWords = Field(
        description="What the picture shows.", examples=["a lighthouse at dusk"]
    )
    template: TemplateText = Field(
        "thumbnail", description="The prompt template; it decides the size.", examples=["banner"]
    )
    values: PlaceholderValues = values_field()
    seed: Seed = Field(0, description="Another number is another picture of the same words.")
    provider: ProviderName | None = provider_field("it")
    on_unavailable: OnUnavailable = on_unavailable_field("it")
    brand: dict[Identifier, Any] | None = kit_field()


class MusicRecipe(Part):
    """Music, composed by rule: chords, bass, arpeggio, soft drums."""

    music: PromptWords = Field(
        description="How it feels. Some words are known: calm, bright, dark, playful, epic.",
        examples=["calm, hopeful"],
    )
    length: Annotated[Number, Field(ge=1, le=900)] = Field(
        30, description="Seconds. It ends by itself, and fades."
    )
    seed: Seed = Field(0, description="Another number is another piece of the same mood.")


class SpeechRecipe(Part):
    """Words read aloud by a voice of this machine, or as much silence where it has none."""

    speech: PromptWords = Field(description="What is said.", examples=["Welcome aboard."])
    language: Annotated[str, Written(LANGUAGE_PATTERN, form="a language such as en or pt-br")] = (
        Field("en", description="The language of the words.")
    )
    pace: Annotated[Int, Field(ge=80, le=300)] = Field(150, description="Words a minute.")


class EffectRecipe(Part):
    """A short sound."""

    effect: Literal["whoosh", "riser", "impact", "chime", "pop", "click"] = Field(
        description="Which sound.", examples=["whoosh"]
    )
    seed: Seed = Field(0, description="Another number is another take.")


Recipe = Annotated[
    ImageRecipe | MusicRecipe | SpeechRecipe | EffectRecipe,
    KeyedUnion(("image", "music", "speech", "effect")),
]


class GeneratedSource(Part):
    """Something that is made when it is needed, once: its bytes are kept."""

    generate: Recipe = Field(
        description="What is made.", examples=[{"image": "a lighthouse at dusk"}]
    )


_ADAPTER: TypeAdapter[Any] = TypeAdapter(Recipe)
_LOCATOR = Locator(Recipe)


def recipe_key(recipe: Part) -> str:
    """The recipe in one canonical word: `generate:{"image":"..."}`, without defaults."""
    plain = recipe.model_dump(mode="json", exclude_defaults=True)
    return f"{GENERATE}:{canonical_json(plain).decode('utf-8')}"


def parse_recipe(text: str) -> Part:
    """The recipe in what follows the colon of a key. Raises SpecInvalid."""
    try:
        recipe: Part = _ADAPTER.validate_python(json.loads(text))
    except ValidationError as error:
        raise SpecInvalid(faults_from_pydantic(error, _LOCATOR, at_most=MAX_FAULTS)) from error
    except ValueError as error:
        words = f"{GENERATE}: is followed by JSON, here is none ({error})"
        hint = "write {generate: {image: a lighthouse}}"
        raise SpecInvalid([Fault(code="bad-format", message=words, hint=hint)]) from error
    return recipe


def is_generated(source: str) -> bool:
    """Whether the key of a source is that of a recipe."""
    return source.startswith(f"{GENERATE}:")


def recipe_words(source: str) -> str:
    """A generated source as messages name it: `image "a lighthouse at dusk"`."""
    try:
        plain = json.loads(source.partition(":")[2])
        kind = next(kind for kind in ("image", "music", "speech", "effect") if kind in plain)
        words = str(plain[kind])
    except (ValueError, TypeError, StopIteration):
        return source[:_SHOWN]
    shown = words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1]}…"
    return f'{kind} "{shown}"'
