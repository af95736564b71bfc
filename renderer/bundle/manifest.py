"""The manifest: what is in a bundle, byte for byte, and what it was made from.

Everything else in a bundle follows from the bytes of `manifest.json`: the files by their
digests, the statement and the sums because they are derived from it, the archive because
its layout follows from the files. So the SHA-256 of `manifest.json` names the whole bundle:
the `bundle_digest`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from renderer.bundle.manifest_schema import MANIFEST_VERSION, manifest_schema
from renderer.digest import canonical_json, digest_of, digest_of_bytes
from renderer.errors import VerifyMismatch

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

MANIFEST = "manifest.json"
STATEMENT = "statement.intoto.json"
SUMS = "SHA256SUMS"
ARCHIVE = "bundle.zip"
SPEC = "spec.json"
LOCK = "lock.json"

DERIVED = (MANIFEST, STATEMENT, SUMS, ARCHIVE)
"""Names of the files that a manifest does not list."""

_FOLDER_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One file of a bundle; `path` is relative to the bundle's folder, parted by `/`."""

    path: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The picture stream of a finished film, promised before and checked after.

    `frames_sha256` is taken over the SHA-256 of every decoded frame (planes Y, U, V).
    """

    codec: str
    profile: str
    pixel_format: str
    width: int
    height: int
    fps: Fraction
    frames: int
    colour: str
    range: str
    frames_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The sound stream; `samples` for each channel. `pcm_sha256`: the mix as it was encoded."""

    codec: str
    sample_rate: int
    channels: int
    samples: int
    pcm_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFacts:
    """What a finished file is."""

    picture: Picture | None
    sound: Sound | None

    @property
    def duration(self) -> Fraction:
        """Seconds until the longest stream ends."""
        ends = [Fraction(0)]
        if self.picture:
            ends.append(self.picture.frames / self.picture.fps)
        if self.sound:
            ends.append(Fraction(self.sound.samples, self.sound.sample_rate))
        return max(ends)

    def as_json(self) -> dict[str, object]:
        """The facts as they stand in `media`: fractions as "n/d"."""
        picture = asdict(self.picture) if self.picture else None
        if self.picture and picture:
            picture["fps"] = _fraction_text(self.picture.fps)
        sound = asdict(self.sound) if self.sound else None
        return {"duration": _fraction_text(self.duration), "picture": picture, "sound": sound}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputEntry:
    """One source that went in: its text in the spec, and what it turned out to be."""

    source: str
    sha256: str
    size_bytes: int
    media_type: str
    provenance: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A bundle in words. `media` goes by the path of the file it describes."""

    id: str
    render_key: str
    spec_digest: str
    files: tuple[FileEntry, ...]
    media: Mapping[str, MediaFacts]
    toolchain: Mapping[str, Any]
    inputs: tuple[InputEntry, ...]

    def as_json(self) -> dict[str, object]:
        """The manifest as plain JSON; files sorted by path, inputs as in lock.json."""
        return {
            "reelkiln_manifest": MANIFEST_VERSION,
            "id": self.id,
            "render_key": self.render_key,
            "spec_digest": self.spec_digest,
            "files": [asdict(e) for e in sorted(self.files, key=lambda e: e.path)],
            "media": {path: facts.as_json() for path, facts in sorted(self.media.items())},
            "toolchain": dict(self.toolchain),
            "inputs": [asdict(entry) for entry in self.inputs],
        }

    @cached_property
    def as_bytes(self) -> bytes:
        """`manifest.json`, byte for byte (RFC 8785)."""
        return canonical_json(self.as_json())

    @property
    def bundle_digest(self) -> str:
        """The name of everything in the bundle: SHA-256 of `manifest.json`."""
        return digest_of_bytes(self.as_bytes)

    @property
    def folder(self) -> str:
        """What the bundle's folder is called: `<id>-<first 16 digits of render_key>`."""
        return f"{self.id}-{self.render_key[:_FOLDER_DIGITS]}"


def render_key_of(spec: object, lock: object, toolchain: object) -> str:
    """`render_key`: what was asked, what the sources were, and with which programs."""
    return digest_of({"spec": spec, "lock": lock, "toolchain": digest_of(toolchain)})


def inputs_of_lock(lock: Mapping[str, Any]) -> tuple[InputEntry, ...]:
    """`inputs` as it follows from lock.json. Raises KeyError or TypeError on foreign data."""
    return tuple(
        InputEntry(
            source=pin["source"],
            sha256=pin["sha256"],
            size_bytes=pin["size_bytes"],
            media_type=pin["media"]["media_type"],
            provenance=pin["provenance"],
        )
        for pin in lock["sources"]
    )


def manifest_from_bytes(data: bytes) -> Manifest:
    """The manifest in the bytes of a `manifest.json`. Raises VerifyMismatch with all faults.

    Bytes that say the same in another form (spaces, another order) are refused too, since
    the digest of a bundle is that of the one canonical form.
    """
    try:
        document = json.loads(data)
        canonical = canonical_json(document)
    except (ValueError, RecursionError) as error:
        raise VerifyMismatch([f"{MANIFEST}: is not canonical JSON: {error}"]) from error
    manifest = manifest_from_json(document)
    if canonical != data or manifest.as_bytes != data:
        raise VerifyMismatch(
            [f"{MANIFEST}: is not in canonical form (RFC 8785); it was changed after sealing"]
        )
    return manifest


def manifest_from_json(document: Any) -> Manifest:
    """The inverse of `Manifest.as_json`. Raises VerifyMismatch with everything wrong."""
    errors = sorted(_validator().iter_errors(document), key=lambda error: error.json_path)
    if errors:
        raise VerifyMismatch(f"{MANIFEST}: {e.json_path}: {e.message}" for e in errors)
    manifest = _manifest(document)
    if faults := tuple(_faults(manifest)):
        raise VerifyMismatch(f"{MANIFEST}: {fault}" for fault in faults)
    return manifest


def path_faults(paths: Iterable[str]) -> Iterator[str]:
    """Names that cannot stand side by side in one folder, on any file system."""
    reserved = {name.casefold() for name in DERIVED}
    seen: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        folded = path.casefold()
        if folded in seen:
            yield f"{path!r} is listed twice (capitals do not count)"
        if folded.partition("/")[0] in reserved:
            yield f"{path!r} has a name that Reelkiln keeps for itself"
        seen.add(folded)
        parts = folded.split("/")
        folders.update("/".join(parts[:n]) for n in range(1, len(parts)))
    for name in sorted(seen & folders):
        yield f"{name!r} is a file and a folder at once"


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # slow to import; most commands need none

    return Draft202012Validator(manifest_schema())


def _faults(manifest: Manifest) -> Iterator[str]:
    """What contradicts itself in a manifest, beyond what its schema says."""
    digests = {entry.path: entry.sha256 for entry in manifest.files}
    yield from path_faults(entry.path for entry in manifest.files)
    for name in sorted(manifest.media.keys() - digests.keys()):
        yield f"there are facts about {name!r}, which is not among the files"
    for name in (SPEC, LOCK):
        if name not in digests:
            yield f"{name} is not among the files"
    if digests.get(SPEC, manifest.spec_digest) != manifest.spec_digest:
        yield f"spec_digest is not the SHA-256 of {SPEC}"


def _manifest(document: Mapping[str, Any]) -> Manifest:
    return Manifest(
        id=document["id"],
        render_key=document["render_key"],
        spec_digest=document["spec_digest"],
        files=tuple(FileEntry(**entry) for entry in document["files"]),
        media={path: _media(facts) for path, facts in document["media"].items()},
        toolchain=document["toolchain"],
        inputs=tuple(InputEntry(**entry) for entry in document["inputs"]),
    )


def _media(facts: Mapping[str, Any]) -> MediaFacts:
    picture, sound = facts["picture"], facts["sound"]
    return MediaFacts(
        picture=Picture(**{**picture, "fps": Fraction(picture["fps"])}) if picture else None,
        sound=Sound(**sound) if sound else None,
    )


def _fraction_text(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"
