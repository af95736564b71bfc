"""verify: whether a bundle still is, byte for byte, what it was when it was sealed.

All bytes of a bundle follow from those of its manifest, so there is one list of what must
be there, and it holds for the folder and for the inside of `bundle.zip` alike.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from renderer.archive import Member, copy_summed, directory, local_header
from renderer.bundle.manifest import (
    ARCHIVE,
    LOCK,
    MANIFEST,
    SPEC,
    STATEMENT,
    SUMS,
    Manifest,
    inputs_of_lock,
    manifest_from_bytes,
    render_key_of,
)
from renderer.bundle.statement import derived_files
from renderer.digest import digest_of_bytes
from renderer.errors import UsageError, VerifyMismatch

_MAX_MANIFEST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    size_bytes: int
    sha256: str


def verify(path: Path, *, bundle_digest: str = "") -> Manifest:
    """The manifest of the bundle in the folder `path`, if all of it is as it was sealed.

    Everything is read. `bundle.zip` may be absent, as it is where one was unpacked. A
    bundle can only vouch for itself: whoever knows its digest from elsewhere passes it as
    `bundle_digest`. Raises VerifyMismatch naming every difference, UsageError when there
    is no folder.
    """
    if not path.is_dir():
        raise UsageError(
            f"{path} is not a folder", hint="name the folder of a bundle; unpack a bundle.zip first"
        )
    manifest = verify_folder(path)
    if bundle_digest not in ("", manifest.bundle_digest):
        raise VerifyMismatch(
            [f"the bundle's digest is {manifest.bundle_digest}, not {bundle_digest}"]
        )
    return manifest


def verify_folder(folder: Path) -> Manifest:
    """As `verify`; whatever else lies there is a VerifyMismatch too."""
    manifest = manifest_from_bytes(_manifest_bytes(folder))
    differences = tuple(_differences(folder, manifest))
    if differences:
        raise VerifyMismatch(differences)
    return manifest


def _differences(folder: Path, manifest: Manifest) -> Iterator[str]:
    wanted = _wanted(manifest)
    yield from _strangers(folder, wanted)
    if _is_manifest_suspect(folder, manifest):
        yield f"{MANIFEST}: was changed: {SUMS} and {STATEMENT} name another digest"
        wanted = {name: entry for name, entry in wanted.items() if name not in (SUMS, STATEMENT)}
    damaged = [*_damaged(folder, wanted)]
    yield from damaged
    if not damaged:
        yield from _contradictions(folder, manifest)
    if os.path.lexists(folder / ARCHIVE):
        yield from _archive_faults(folder / ARCHIVE, manifest)


def _wanted(manifest: Manifest) -> Mapping[str, _Wanted]:
    """Everything in a bundle but the archive, by name."""
    wanted = {e.path: _Wanted(size_bytes=e.size_bytes, sha256=e.sha256) for e in manifest.files}
    for name, data in derived_files(manifest).items():
        wanted[name] = _Wanted(size_bytes=len(data), sha256=digest_of_bytes(data))
    return dict(sorted(wanted.items()))


def _is_manifest_suspect(folder: Path, manifest: Manifest) -> bool:
    """Whether neither of the two files derived from the manifest knows its digest."""
    known = manifest.bundle_digest.encode()
    try:
        return all(known not in (folder / name).read_bytes() for name in (SUMS, STATEMENT))
    except OSError:  # missing or unreadable: said elsewhere, by name
        return False


def _strangers(folder: Path, wanted: Mapping[str, _Wanted]) -> Iterator[str]:
    """Files and folders that no bundle of this manifest has."""
    files = {*wanted, ARCHIVE}
    folders = {str(parent) for name in wanted for parent in Path(name).parents}
    for here, subfolders, names in os.walk(folder, onerror=_refuse_unreadable):
        place = Path(here).relative_to(folder)
        for name in sorted((*subfolders, *names)):
            inside = str(place / name)
            if inside in files:
                continue
            if name in names or inside not in folders or (folder / inside).is_symlink():
                yield f"{inside}: does not belong here"


def _refuse_unreadable(error: OSError) -> None:
    raise VerifyMismatch([f"{error.filename}: cannot be read: {error.strerror}"]) from error


def _damaged(folder: Path, wanted: Mapping[str, _Wanted]) -> Iterator[str]:
    for name, entry in wanted.items():
        try:
            size = _plain_file(folder / name).st_size
            if size != entry.size_bytes:
                yield f"{name}: has {size} bytes, {entry.size_bytes} were sealed"
                continue
            with (folder / name).open("rb") as stream:
                found = copy_summed(stream, None).sha256
        except FileNotFoundError:
            yield f"{name}: is missing"
        except OSError as error:
            yield f"{name}: cannot be read: {error.strerror or error}"
        else:
            if found != entry.sha256:
                yield f"{name}: was changed: its sha256 is {found}, {entry.sha256} was sealed"


def _contradictions(folder: Path, manifest: Manifest) -> Iterator[str]:
    """What the manifest says of spec and lock, although each is what its digest says."""
    try:
        spec = json.loads((folder / SPEC).read_bytes())
        lock = json.loads((folder / LOCK).read_bytes())
        if manifest.render_key != render_key_of(spec, lock, manifest.toolchain):
            yield f"{MANIFEST}: render_key does not follow from {SPEC}, {LOCK} and toolchain"
        if manifest.inputs != inputs_of_lock(lock):
            yield f"{MANIFEST}: inputs are not those of {LOCK}"
    except (ValueError, KeyError, TypeError) as error:
        yield f"{SPEC} or {LOCK}: has another form than version 1: {error!r}"


def _manifest_bytes(folder: Path) -> bytes:
    path = folder / MANIFEST
    try:
        if _plain_file(path).st_size > _MAX_MANIFEST_BYTES:
            raise VerifyMismatch([f"{MANIFEST}: is larger than {_MAX_MANIFEST_BYTES} bytes"])
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        words = f"{MANIFEST}: is missing; {folder} is not the folder of a bundle"
        raise VerifyMismatch([words]) from error
    except OSError as error:
        words = f"{MANIFEST}: cannot be read: {error.strerror or error}"
        raise VerifyMismatch([words]) from error


def _plain_file(path: Path) -> os.stat_result:
    """The file's stat. Raises OSError for whatever is no regular file, links included."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "it is a link, a folder or a device, not a plain file", str(path))
    return status


def _archive_faults(path: Path, manifest: Manifest) -> Iterator[str]:
    try:
        _plain_file(path)
        with path.open("rb") as stream:
            yield from (f"{path.name}: {what}" for what in _layout_faults(stream, manifest))
    except OSError as error:
        yield f"{path.name}: cannot be read: {error.strerror or error}"


def _layout_faults(stream: BinaryIO, manifest: Manifest) -> Iterator[str]:
    """Read the archive once, from end to end, against the one layout that it can have."""
    members: list[Member] = []
    for name, entry in _wanted(manifest).items():
        place = f"{manifest.folder}/{name}"
        blank = Member(name=place, size_bytes=entry.size_bytes, crc32=0)
        header = stream.read(len(local_header(blank)))
        found = copy_summed(stream, None, entry.size_bytes)
        if found.size_bytes != entry.size_bytes:
            yield f"ends within {name}"
            return
        member = Member(name=place, size_bytes=entry.size_bytes, crc32=found.crc32)
        members.append(member)
        if found.sha256 != entry.sha256:
            yield f"{name} inside it was changed"
            return  # its CRC cannot be known, and from a shift on nothing is in its place
        if header != local_header(member):
            yield f"the entry of {name} was changed"
    expected = directory(members)
    if stream.read(len(expected) + 1) != expected:
        yield "its directory was changed, cut or lengthened"
