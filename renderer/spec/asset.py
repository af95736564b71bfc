"""An `asset` document: one picture or many, made from prompts, each in the size of its type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from renderer.errors import Fault, Path
from renderer.spec.base import Part
from renderer.spec.envelope import Envelope
from renderer.spec.generated import (
    GeneratedSource,
    ImageRecipe,
    OnUnavailable,
    PlaceholderValues,
    PromptWords,
    ProviderName,
    Seed,
    TemplateText,
    kit_field,
    on_unavailable_field,
    provider_field,
    values_field,
)
from renderer.spec.numbers import Int
from renderer.spec.origins import source_key
from renderer.spec.values import Identifier

MAX_PICTURES = 24
"""Of one document."""
AssetTypeName = Literal["thumbnail", "overlay", "banner", "story_graphic", "clip_cover"]


class AssetImage(Part):
    """One picture. What it leaves out is as the document says."""

    prompt: PromptWords = Field(
        description="What the picture shows.", examples=["a lighthouse at dusk"]
    )
    asset_type: AssetTypeName | None = Field(
        None, description="What it is for; decides the size.", examples=["banner"]
    )
    template: TemplateText | None = Field(
        None, description="The prompt template.", examples=["banner@1.0"]
    )
    values: PlaceholderValues = values_field()
    seed: Seed | None = Field(None, description="Another number is another picture.", examples=[7])


class AssetSpec(Envelope):
    """Pictures made from prompts."""

    kind: Literal["asset"] = Field(description="What sort of document this is.")
    asset_type: AssetTypeName = Field(description="What the pictures are for; decides the size.")
    prompt: PromptWords | None = Field(
        None, description="What the picture shows.", examples=["a lighthouse at dusk"]
    )
    images: list[AssetImage] = Field(
        [],
        description="Several pictures, instead of `prompt`.",
        examples=[[{"prompt": "a harbour"}, {"prompt": "a storm", "asset_type": "banner"}]],
    )
    count: Annotated[Int, Field(ge=1, le=MAX_PICTURES)] = Field(
        1, description="How many of each, with a seed of its own."
    )
    template: TemplateText | None = Field(
        None,
        description="The prompt template; the latest of the asset type when left out.",
        examples=["thumbnail@1.1"],
    )
    values: PlaceholderValues = values_field()
    seed: Seed = Field(0, description="Another number is another picture of the same words.")
    provider: ProviderName | None = provider_field("them")
    on_unavailable: OnUnavailable = on_unavailable_field("them")
    kit: dict[Identifier, Any] | None = kit_field()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture that a document asks for: its file in the bundle, and how it is made."""

    file: str
    recipe: ImageRecipe
    path: Path

    @property
    def source(self) -> str:
        """The key under which it is pinned."""
        return source_key(GeneratedSource(generate=self.recipe))


def pictures_of(spec: AssetSpec) -> tuple[Picture, ...]:
    """Every picture of the document, in its order."""
    found: list[Picture] = []
    for wanted, path in _wanted(spec):
        kind = wanted.asset_type or spec.asset_type
        inherits = kind == spec.asset_type
        seed = spec.seed if wanted.seed is None else wanted.seed
        for take in range(spec.count):
            recipe = ImageRecipe(
                image=wanted.prompt,
                template=wanted.template or (inherits and spec.template) or kind,
                values={**spec.values, **wanted.values} if inherits else wanted.values,
                seed=min(seed + take, 2_147_483_647),
                provider=spec.provider,
                on_unavailable=spec.on_unavailable,
                brand=told(spec.kit),
            )
            file = f"{kind}-{len(found) + 1}.png"
            found.append(Picture(file=file, recipe=recipe, path=path))
    return tuple(found)


def asset_faults(spec: AssetSpec) -> Iterator[Fault]:
    """What the model cannot say: prompt or images, of the type, not too many."""
    if (spec.prompt is None) == (not spec.images):
        words = 'say either "prompt" or "images"'
        yield Fault(code="asset-prompt", path=("prompt",) if spec.images else (), message=words)
        return
    count = spec.count * max(1, len(spec.images))
    if count > MAX_PICTURES:
        words = f"{count} pictures are more than the {MAX_PICTURES} that one document may ask for"
        yield Fault(code="over-limit", path=("count",), message=words, hint="use two documents")
    kinds: list[tuple[str | None, str, Path]] = [(spec.template, spec.asset_type, ())]
    kinds += [(w.template, w.asset_type or spec.asset_type, path) for w, path in _wanted(spec)]
    for template, kind, path in dict.fromkeys(kinds):
        if template is not None and template.partition("@")[0] != kind:
            words = f"{template} is no template for the asset type {kind}"
            hint = f"write {kind}@latest, or leave it out"
            yield Fault(code="asset-template", path=(*path, "template"), message=words, hint=hint)


def told(kit: dict[Identifier, Any] | None) -> dict[Identifier, Any] | None:
    """What of a brand kit concerns a picture that is generated."""
    return kit and {name: value for name, value in kit.items() if name not in ("fonts", "logo")}


def _wanted(spec: AssetSpec) -> Iterator[tuple[AssetImage, Path]]:
    if spec.prompt is not None:
        yield AssetImage(prompt=spec.prompt), ()
    for index, wanted in enumerate(spec.images):
        yield wanted, ("images", index)
