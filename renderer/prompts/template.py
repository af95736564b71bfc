"""What a prompt template may say: typed placeholders, sections, quality words, things to avoid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from renderer.digest import digest_of
from renderer.errors import Fault, Path, SpecInvalid
from renderer.limits import Limits
from renderer.prompts.asset_types import AssetType
from renderer.spec.base import Part
from renderer.spec.document import MAX_FAULTS, Document, read_document
from renderer.spec.faults import faults_from_pydantic
from renderer.spec.keyed_union import KeyedUnion
from renderer.spec.locations import Locator
from renderer.spec.numbers import Int, NotBool, Written
from renderer.spec.suggest import did_you_mean
from renderer.spec.values import COLOUR_PATTERN
from renderer.user_text import CLOSE, OPEN, SECTION, safe_text

PROMPT_SCHEMA_ID = "urn:reelkiln:prompt-1"
SUBJECT = "subject"
"""The placeholder that every template has: what the picture shows."""
PLACEHOLDER = re.compile(r"\{\{([a-z][a-z0-9_]*)\}\}")

_NAME = r"^[a-z][a-z0-9_]{0,39}$"
VERSION_PATTERN = r"^[0-9]{1,4}\.[0-9]{1,4}$"
PlaceholderName = Annotated[str, Written(_NAME, form="a name of small letters, digits and _")]
VersionText = Annotated[str, Written(VERSION_PATTERN, form='a version such as "1.0", in quotes')]
Title = Annotated[str, Written(r"^[A-Z][A-Za-z ]{0,39}$", form="a title of letters and spaces")]
Words = Annotated[str, Field(min_length=1, max_length=300)]


class _Placeholder(Part):
    description: Annotated[str, Field(max_length=300)] = Field("", description="What to give.")
    required: bool = Field(False, description="A prompt cannot be made without it.")


class TextPlaceholder(_Placeholder):
    """Free words of a user."""

    type: Literal["text"] = Field("text", description="Free words.")
    max_length: Annotated[Int, Field(ge=1, le=4000)] = Field(
        300, description="Characters that are kept; the rest is cut off."
    )
    default: Annotated[str, Field(max_length=4000)] | None = Field(
        None, description="When nothing is given.", examples=["calm"]
    )


class ChoicePlaceholder(_Placeholder):
    """One of a few words."""

    type: Literal["choice"] = Field(description="One of `choices`.")
    choices: Annotated[list[Words], Field(min_length=1, max_length=50)] = Field(
        description="What may be given.", examples=[["photo", "drawing"]]
    )
    default: Words | None = Field(None, description="When nothing is given.", examples=["photo"])


class ColourPlaceholder(_Placeholder):
    """A colour."""

    type: Literal["colour"] = Field(description="A colour as #RRGGBB.")
    default: Annotated[str, Written(COLOUR_PATTERN, form="a colour such as #102030")] | None = (
        Field(None, description="When nothing is given.", examples=["#102030"])
    )


Placeholder = Annotated[
    TextPlaceholder | ChoicePlaceholder | ColourPlaceholder,
    KeyedUnion(("text", "choice", "colour"), by_value_of="type", default="text"),
]


class Section(Part):
    """A part of the prompt under a heading. Left out when one of its placeholders is empty."""

    title: Title = Field(description="The heading.", examples=["Subject"])
    text: Annotated[str, Field(min_length=1, max_length=4000)] = Field(
        description="Sentences with `{{placeholders}}`.", examples=["Show {{subject}}."]
    )


class Template(Part):
    """One version of the prompt for one asset type."""

    schema_: str | None = Field(
        None,
        alias="$schema",
        description="Address of the schema, for editors.",
        examples=["../../schemas/prompt-1.schema.json"],
    )
    reelkiln_prompt: Annotated[Literal[1], NotBool] = Field(description="Version of this form.")
    asset_type: Literal["thumbnail", "overlay", "banner", "story_graphic", "clip_cover"] = Field(
        description="What the picture is for; decides its size."
    )
    version: VersionText = Field(
        description="The version; as the file is called.", examples=["1.0"]
    )
    description: Annotated[str, Field(max_length=600)] = Field(
        "", description="For people.", examples=["A calm thumbnail with room for a title."]
    )
    placeholders: dict[PlaceholderName, Placeholder] = Field(
        description="What can be filled in; `subject` is always there.",
        examples=[{"subject": {"type": "text", "required": True}}],
    )
    sections: Annotated[list[Section], Field(min_length=1, max_length=20)] = Field(
        description="The prompt, part by part.",
        examples=[[{"title": "Subject", "text": "Show {{subject}}."}]],
    )
    quality: list[Words] = Field(
        [], description="Words that raise the quality.", examples=[["sharp focus"]]
    )
    negative: list[Words] = Field(
        [], description="What shall not be in the picture.", examples=[["watermark"]]
    )

    @property
    def name(self) -> str:
        """`thumbnail@1.0`."""
        return f"{self.asset_type}@{self.version}"

    @property
    def type(self) -> AssetType:
        """The asset type."""
        return AssetType(self.asset_type)

    @property
    def digest(self) -> str:
        """SHA-256 of what the template says."""
        return digest_of(self.model_dump(mode="json", exclude_none=True, exclude={"schema_"}))


_ADAPTER = TypeAdapter(Template)
_LOCATOR = Locator(Template)


def parse_template(data: bytes, *, name: str) -> Template:
    """The template in the bytes of a JSON or YAML file. Raises SpecInvalid with all faults."""
    document = read_document(data, name=name, limits=Limits())
    template, faults = _judged(document)
    if faults or template is None:
        raise SpecInvalid(faults, document=name)
    return template


def lint(data: bytes, *, name: str) -> tuple[Fault, ...]:
    """Everything that is wrong with a template, with positions; nothing when it is right."""
    try:
        parse_template(data, name=name)
    except SpecInvalid as error:
        return error.faults
    return ()


def _judged(document: Document) -> tuple[Template | None, list[Fault]]:
    faults = list(document.faults)
    try:
        template = _ADAPTER.validate_python(document.value)
    except ValidationError as error:
        found = faults_from_pydantic(error, _LOCATOR, at_most=MAX_FAULTS)
        return None, [document.locate(fault) for fault in (*faults, *found)]
    return template, [document.locate(fault) for fault in (*faults, *_meaning_faults(template))]


def _meaning_faults(template: Template) -> Iterator[Fault]:
    subject = template.placeholders.get(SUBJECT)
    if not isinstance(subject, TextPlaceholder) or not subject.required:
        words = '"subject" must be a required placeholder of type text'
        yield _fault("template-subject", ("placeholders",), words, "every picture has one")
    yield from _text_faults(template)
    used = {name for section in template.sections for name in PLACEHOLDER.findall(section.text)}
    for name in template.placeholders:
        if name not in used:
            words = f'no section uses "{{{{{name}}}}}"'
            yield _fault("unused-placeholder", ("placeholders", name), words, "use it or remove it")
    yield from _default_faults(template)
    titles: set[str] = set()
    for index, section in enumerate(template.sections):
        if section.title in titles or section.title in RESERVED_TITLES:
            words = f'a section "{section.title}" is there already'
            yield _fault("duplicate-section", ("sections", index, "title"), words, "rename it")
        titles.add(section.title)


RESERVED_TITLES = ("Brand", "Quality", "Colours")
"""Sections that are added to every prompt."""


def _text_faults(template: Template) -> Iterator[Fault]:
    for index, section in enumerate(template.sections):
        where: Path = ("sections", index, "text")
        for name in PLACEHOLDER.findall(section.text):
            if name not in template.placeholders:
                hint = did_you_mean(name, template.placeholders) or 'add it to "placeholders"'
                words = f'no placeholder is called "{name}"'
                yield _fault("unknown-placeholder", where, words, hint)
        plain = PLACEHOLDER.sub("", section.text)
        for mark in (SECTION, OPEN, CLOSE, "{", "}"):
            if mark in plain:
                words = f'"{mark}" has a meaning of its own in a prompt'
                yield _fault("template-mark", where, words, "a placeholder is written {{name}}")
                break
    for field in ("quality", "negative"):
        for index, words in enumerate(getattr(template, field)):
            if safe_text(words, at_most=300) != words:
                told = "marks, line breaks and unseen characters may not stand here"
                yield _fault("template-mark", (field, index), told, "write plain words")


def _default_faults(template: Template) -> Iterator[Fault]:
    for name, about in template.placeholders.items():
        where: Path = ("placeholders", name, "default")
        if isinstance(about, ChoicePlaceholder):
            if about.default is not None and about.default not in about.choices:
                hint = did_you_mean(about.default, about.choices)
                words = f'the default "{about.default}" is not among the choices'
                yield _fault("not-one-of", where, words, hint)
            for index, choice in enumerate(about.choices):
                if safe_text(choice, at_most=300) != choice:
                    told = "marks, line breaks and unseen characters may not stand here"
                    at: Path = ("placeholders", name, "choices", index)
                    yield _fault("template-mark", at, told, "write plain words")


def _fault(code: str, path: Path, message: str, hint: Any = "") -> Fault:
    return Fault(code=code, path=path, message=message, hint=str(hint))
