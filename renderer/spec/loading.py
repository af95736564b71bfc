"""load: bytes -> Spec. Every fault of a document at once, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from pydantic import TypeAdapter, ValidationError

from renderer.digest import digest_of
from renderer.errors import Fault, Path, Rejected, SpecInvalid, UsageError
from renderer.inputs import SourceUse
from renderer.limits import Limits
from renderer.media import MediaKind
from renderer.spec import model
from renderer.spec.asset import AssetSpec, pictures_of
from renderer.spec.checks import check, items_of
from renderer.spec.clips import AudioClip, ImageClip, Trim, VideoClip
from renderer.spec.document import MAX_FAULTS, Document, read_document
from renderer.spec.faults import faults_from_pydantic
from renderer.spec.locations import Locator
from renderer.spec.model import (
    Film,
    LongformSpec,
    ModuleSpec,
    Spec,
    VideoBackground,
    VideoSpec,
    canonical_spec,
)
from renderer.spec.module import ValueInput
from renderer.spec.origins import Source, brand_key, is_reference, source_key
from renderer.spec.salvage import without_clips, without_fields
from renderer.spec.topic import TopicSpec, in_full
from renderer.spec.variables import VARIABLE_CODES, substitute
from renderer.spec.variants import cuts_of, relocated

_ADAPTER: TypeAdapter[Spec] = TypeAdapter(model.Document)
_LOCATOR = Locator(model.Document)
_PICTURE = frozenset({MediaKind.VIDEO})
_SOUND = frozenset({MediaKind.AUDIO, MediaKind.VIDEO})
_STILL = frozenset({MediaKind.IMAGE})
_FONT = frozenset({MediaKind.FONT})
_ANYTHING = frozenset(MediaKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A spec with the document it came from, so that later faults find their place."""

    spec: Spec
    document: Document
    id: str
    limits: Limits = field(default_factory=Limits)
    kit: str = ""
    """The reference of its brand kit, `asset:ID` or `job:ID#FILE`, when it names one."""

    @property
    def digest(self) -> str:
        """`spec_digest`: of the canonical document, defaults filled, variables in place."""
        return digest_of(self.canonical())

    def canonical(self) -> Mapping[str, Any]:
        """The spec as canonical plain JSON."""
        return {**canonical_spec(self.spec), "id": self.id}

    def drafted(self) -> Loaded:
        """The same spec at draft quality: another spec, with a bundle of its own."""
        return self._with_output(quality="draft")

    def limited_to(self, text: str) -> Loaded:
        """The same spec with the range `A..B`, either side left out. Raises UsageError."""
        from_, dots, to = (part.strip() for part in text.partition(".."))
        try:
            wanted = Trim.model_validate({"from": from_ or 0, "to": to or None})
        except ValidationError as error:
            dots = ""
            reason: Exception | None = error
        else:
            reason = None
        if not dots:
            words = f"{text} is not a range of times"
            raise UsageError(words, hint="write 10s..15s, 1:02..1:10 or 48f..96f") from reason
        return self._with_output(range=wanted)

    @property
    def film(self) -> Film:
        """The spec of something with a timeline. Raises SpecInvalid for a module or pictures."""
        if isinstance(self.spec, ModuleSpec):
            words = f"the module {self.spec.module} is known to a daemon alone"
            hint = "drop the document into the inbox of a daemon where it is registered"
            fault = Fault(code="module-unknown", path=("module",), message=words, hint=hint)
            raise self.located(SpecInvalid([fault]))
        if isinstance(self.spec, AssetSpec):
            words = "an asset document is pictures; it has no time to cut, draft or look into"
            hint = "use reelkiln render without --draft and --range"
            fault = Fault(code="no-timeline", path=("kind",), message=words, hint=hint)
            raise self.located(SpecInvalid([fault]))
        if isinstance(self.spec, TopicSpec):
            words = "a topic is no film before a storyboard has written one"
            fault = Fault(code="topic-not-read", path=("topic",), message=words)
            raise self.located(SpecInvalid([fault]))
        return self.spec

    def become(self, plain: Mapping[str, Any]) -> Loaded:
        """What the document stands for, written out in full, in its place.

        Raises SpecInvalid when that is wrong, with the place of the document.
        """
        spec, faults = _validated(plain)
        faults += check(spec, self.limits) if spec else []
        if faults or spec is None:
            raise self.located(SpecInvalid(faults))
        return replace(self, spec=spec)

    def _with_output(self, **changes: Any) -> Loaded:
        film = self.film
        output = film.output.model_copy(update=changes)
        return replace(self, spec=film.model_copy(update={"output": output}))

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
    prepare: Callable[[Any], Any] | None = None,
) -> Loaded:
    """Read, fill in, validate and check a document. Raises SpecInvalid with all faults.

    `prepare` may change the plain document before anything is judged: it applies a brand.
    """
    limits = limits or Limits()
    document = read_document(data, name=name, limits=limits)
    document = replace(document, value=in_full(document.value))
    faults = [document.locate(fault) for fault in document.faults]
    kit = brand_key(document.value)
    document = _prepared(document, prepare)
    value, found = substitute(document.value, variables or {}, limits)
    faults += _news(found, faults, document)
    spec, found = _validated(value)
    faults += _news(found, faults, document)
    sound = spec or _salvaged(value, found)
    faults += _news(check(sound, limits) if sound else [], faults, document)
    if faults or spec is None:
        raise SpecInvalid(faults, document=document.name)
    stem = name.replace("\\", "/").rpartition("/")[2].split(".")[0] or "reel"
    return Loaded(
        spec=spec, document=document, id=spec.id or _slug(stem), limits=limits,
        kit=kit if is_reference(kit) else "",
    )  # fmt: skip


def _prepared(document: Document, prepare: Callable[[Any], Any] | None) -> Document:
    try:
        return replace(document, value=prepare(document.value)) if prepare else document
    except Rejected as error:
        faults = [document.locate(fault) for fault in error.faults]
        raise error.with_faults(faults, document.name) from error


def _validated(value: Any) -> tuple[Spec | None, list[Fault]]:
    try:
        return _ADAPTER.validate_python(value), []
    except ValidationError as error:
        return None, faults_from_pydantic(error, _LOCATOR, at_most=MAX_FAULTS)


def _salvaged(value: Any, faults: list[Fault]) -> Spec | None:
    """What is left of a wrong document when its wrong parts are taken out."""
    spec: Spec | None = None
    for repair in (without_fields, without_clips):
        if spec is None:
            value = repair(value, faults)
            spec, faults = _validated(value)
    return spec


def _news(found: Iterable[Fault], known: Sequence[Fault], document: Document) -> list[Fault]:
    """Of the faults found, located, those that do not merely follow from one known before."""
    paths = {fault.path for fault in known if fault.path}
    holders = {path[:-1] for path in paths}
    positions = {fault.position for fault in known if fault.position}
    located = [
        document.locate(_from_placeholder(fault, document)) for fault in islice(found, MAX_FAULTS)
    ]
    return [
        fault
        for fault in located
        if fault.position not in positions
        and fault.path not in holders
        and not any(fault.path[:length] in paths for length in range(1, len(fault.path) + 1))
    ]


def _from_placeholder(fault: Fault, document: Document) -> Fault:
    """The fault of a value that a variable put in says so."""
    written = document.nearest(fault.path)
    if not isinstance(written, str) or "{{" not in written or fault.code in VARIABLE_CODES:
        return fault
    return replace(fault, message=f"{fault.message}, put in by {written[:60]}")


def sources_of(spec: Spec) -> tuple[SourceUse, ...]:
    """Every source the spec names, with what it must be and where it is named."""
    if isinstance(spec, ModuleSpec):
        return tuple(_module_uses(spec))
    if isinstance(spec, AssetSpec):
        uses = (_use_of(one.source, _STILL, one.path) for one in pictures_of(spec))
        return tuple(dict.fromkeys(uses))
    if isinstance(spec, LongformSpec):
        return tuple(_longform_uses(spec))
    if isinstance(spec, TopicSpec):
        return ()
    found = [*_video_uses(spec)]
    for name, cut in cuts_of(spec):  # what a cut has in common with the video is named there
        found += [_of_cut(use, name, spec) for use in _video_uses(cut) if use not in found]
    return tuple(found)


def _of_cut(use: SourceUse, name: str, spec: VideoSpec) -> SourceUse:
    fault = relocated(Fault(code="", message="", path=use.path), name, spec)
    return replace(use, path=fault.path)


def _video_uses(spec: VideoSpec) -> Iterator[SourceUse]:
    for index, font in enumerate(spec.fonts):
        yield _use(font, _FONT, ("fonts", index))
    for path, item in items_of(spec):
        if isinstance(item, VideoClip):
            yield _use(item.video, _PICTURE, (*path, "video"))
        elif isinstance(item, ImageClip):
            yield _use(item.image, _STILL, (*path, "image"))
        elif isinstance(item, AudioClip):
            yield _use(item.audio, _SOUND, (*path, "audio"))


def _longform_uses(spec: LongformSpec) -> Iterator[SourceUse]:
    for index, background in enumerate(spec.backgrounds):
        path: Path = ("backgrounds", index)
        if isinstance(background, VideoBackground):
            yield _use(background.video, _PICTURE, (*path, "video"))
        else:
            yield _use(background.image, _STILL, (*path, "image"))
    for index, piece in enumerate(spec.audio):
        yield _use(piece.audio, _SOUND, ("audio", index, "audio"))


def _module_uses(spec: ModuleSpec) -> Iterator[SourceUse]:
    for name, given in spec.inputs.items():
        if not isinstance(given, ValueInput):
            yield _use(given, _ANYTHING, ("inputs", name))


def _use(source: Source, expected: frozenset[MediaKind], path: Path) -> SourceUse:
    return _use_of(source_key(source), expected, path)


def _use_of(key: str, expected: frozenset[MediaKind], path: Path) -> SourceUse:
    return SourceUse(source=key, expected=expected, path=path)


def _slug(stem: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "-" for c in stem)
    return kept.strip("-_.")[:60] or "reel"
