"""load: bytes -> Spec. Every fault of a document at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from renderer.digest import digest_of
from renderer.errors import Path, Rejected, SpecInvalid
from renderer.inputs import SourceUse
from renderer.limits import Limits
from renderer.media import MediaKind
from renderer.spec import clips, model, style
from renderer.spec.checks import check, items_of
from renderer.spec.clips import AudioClip, ImageClip, VideoClip
from renderer.spec.document import Document, parse_document
from renderer.spec.faults import faults_from_pydantic
from renderer.spec.model import LongformSpec, Spec, VideoBackground, VideoSpec, canonical_spec
from renderer.spec.variables import substitute

_ADAPTER: TypeAdapter[Spec] = TypeAdapter(model.Document)
_PICTURE = frozenset({MediaKind.VIDEO})
_SOUND = frozenset({MediaKind.AUDIO, MediaKind.VIDEO})
_STILL = frozenset({MediaKind.IMAGE})
_FONT = frozenset({MediaKind.FONT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A spec with the document it came from, so that later faults find their place."""

    spec: Spec
    document: Document
    id: str

    @property
    def digest(self) -> str:
        """`spec_digest`: of the canonical document, defaults filled, variables in place."""
        return digest_of(self.canonical())

    def canonical(self) -> Mapping[str, Any]:
        """The spec as canonical plain JSON."""
        return {**canonical_spec(self.spec), "id": self.id}

    def located(self, error: Rejected) -> Rejected:
        """The same refusal with positions and excerpts."""
        faults = [self.document.locate(fault) for fault in error.faults]
        return error.with_faults(faults, self.document.name)


def load(
    data: bytes,
    *,
    name: str,
    limits: Limits | None = None,
    variables: Mapping[str, Any] | None = None,
) -> Loaded:
    """Read, fill in, validate and check a document. Raises SpecInvalid with all faults."""
    limits = limits or Limits()
    document = parse_document(data, name=name, limits=limits)
    value, faults = substitute(document.value, variables or {})
    spec: Spec | None = None
    try:
        spec = _ADAPTER.validate_python(value)
    except ValidationError as error:
        faults += faults_from_pydantic(error, value, _FIELDS)
    if spec is not None:
        faults += check(spec, limits)
    if faults or spec is None:
        raise SpecInvalid([document.locate(f) for f in faults], document=document.name)
    stem = name.replace("\\", "/").rpartition("/")[2].split(".")[0] or "reel"
    return Loaded(spec=spec, document=document, id=spec.id or _slug(stem))


def sources_of(spec: Spec) -> tuple[SourceUse, ...]:
    """Every source the spec names, with what it must be and where it is named."""
    return tuple(_longform_uses(spec) if isinstance(spec, LongformSpec) else _video_uses(spec))


def _video_uses(spec: VideoSpec) -> Iterator[SourceUse]:
    for index, font in enumerate(spec.fonts):
        yield SourceUse(source=font, expected=_FONT, path=("fonts", index))
    for path, item in items_of(spec):
        if isinstance(item, VideoClip):
            yield SourceUse(source=item.video, expected=_PICTURE, path=(*path, "video"))
        elif isinstance(item, ImageClip):
            yield SourceUse(source=item.image, expected=_STILL, path=(*path, "image"))
        elif isinstance(item, AudioClip):
            yield SourceUse(source=item.audio, expected=_SOUND, path=(*path, "audio"))


def _longform_uses(spec: LongformSpec) -> Iterator[SourceUse]:
    for index, background in enumerate(spec.backgrounds):
        path: Path = ("backgrounds", index)
        if isinstance(background, VideoBackground):
            yield SourceUse(source=background.video, expected=_PICTURE, path=(*path, "video"))
        else:
            yield SourceUse(source=background.image, expected=_STILL, path=(*path, "image"))
    for index, piece in enumerate(spec.audio):
        yield SourceUse(source=piece.audio, expected=_SOUND, path=("audio", index, "audio"))


def _slug(stem: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "-" for c in stem)
    return kept.strip("-_.")[:60] or "reel"


def _fields() -> frozenset[str]:
    names = set()
    for module in (clips, model, style):
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, BaseModel):
                names |= {f.alias or name for name, f in thing.model_fields.items()}
    return frozenset(names)


_FIELDS = _fields()
