"""seal: what a render made becomes one folder that says of itself what it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from renderer.archive import Member, Sums, copy_summed, write_zip
from renderer.bundle.contents import BundleContents
from renderer.bundle.manifest import ARCHIVE, Manifest, manifest_from_bytes
from renderer.bundle.publish import (
    QUARANTINE,
    BeforePublish,
    at_once,
    move_to_quarantine,
    publish,
    staging_folder,
)
from renderer.bundle.quality import Finding, check_files
from renderer.bundle.statement import derived_files
from renderer.bundle.verifying import verify_folder
from renderer.digest import canonical_json
from renderer.disk import sync_tree
from renderer.errors import OutputRejected, RenderFailed, StoreCorrupt, VerifyMismatch
from renderer.events import Listener, Warned, ignore
from renderer.store import Store

REPORT = "report.json"
"""Beside refused files in the quarantine: what was wrong with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A sealed folder; `reused` when it was there already. `digest` is the bundle_digest."""

    path: Path
    digest: str
    reused: bool


def seal(
    contents: BundleContents,
    store: Store,
    outbox: Path,
    *,
    listen: Listener = ignore,
    before_publish: BeforePublish = at_once,
) -> Bundle:
    """Put `contents` into `outbox` as one folder, which appears whole or not at all.

    May run twice and in several processes at once: all get the same bundle. A sound bundle
    of that name is never touched: it is reused when it is equal, and an error otherwise. A
    damaged one is moved to `.quarantine/` and replaced. `before_publish` hears which bundle
    will be there, also of one that is reused; when it raises nothing is published. Raises
    OutputRejected for files that are not what was promised (they go to the quarantine),
    StorageFull, RenderFailed, and StoreCorrupt when a stored object is not what its name says.
    """
    manifest = _sound_manifest(contents)
    target = outbox / manifest.folder
    announce = partial(before_publish, manifest.folder, manifest.bundle_digest)
    if not contents.findings and (bundle := _already_there(target, manifest, listen)):
        announce()
        return bundle
    with staging_folder(outbox) as folder:
        sums = _bring_in(contents, store, folder)
        files = {name: folder / name for name in contents.files}
        findings = (*contents.findings, *check_files(files, contents.media))
        if findings:
            raise _refused(folder, outbox, manifest, findings)
        _complete(folder, manifest, sums)
        while not publish(folder, target, announce):
            if bundle := _already_there(target, manifest, listen):
                return bundle
    return Bundle(path=target, digest=manifest.bundle_digest, reused=False)


def _sound_manifest(contents: BundleContents) -> Manifest:
    """The manifest; what it could not say is a fault of ours, found before a byte moves."""
    try:
        return manifest_from_bytes(contents.manifest.as_bytes)
    except VerifyMismatch as error:
        raise RenderFailed(
            f"{contents.id}: cannot be sealed: {error.message}",
            hint="this is a fault of Reelkiln, please report it with the spec",
        ) from error


def _already_there(target: Path, manifest: Manifest, listen: Listener) -> Bundle | None:
    """The equal bundle at `target`. None when there is none, or it was damaged and moved."""
    if not os.path.lexists(target):
        return None
    try:
        theirs = verify_folder(target)
    except VerifyMismatch as error:
        _set_aside(target, error, listen)
        return None
    if theirs.bundle_digest != manifest.bundle_digest:
        raise RenderFailed(
            f"{target} already is a sound bundle with the digest {theirs.bundle_digest}, "
            f"this render gave {manifest.bundle_digest}; it was left as it is",
            hint="equal keys must give equal bytes, please report it; --outbox names another place",
        )
    return Bundle(path=target, digest=manifest.bundle_digest, reused=True)


def _set_aside(target: Path, error: VerifyMismatch, listen: Listener) -> None:
    try:
        place = move_to_quarantine(target, target.parent, f"{target.name}.damaged")
    except FileNotFoundError:
        return  # another process was faster
    words = f"{target} was no sound bundle ({error.message}); it now lies in {place}"
    listen(Warned(code="bundle-damaged", message=words))


def _bring_in(contents: BundleContents, store: Store, folder: Path) -> dict[str, Sums]:
    """Copy stored objects into `folder`; what is written is what is hashed."""
    sums = {}
    for name, output in sorted(contents.files.items()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with store.path(output.sha256).open("rb") as source, (folder / name).open("xb") as target:
            sums[name] = copy_summed(source, target)
        if sums[name].sha256 != output.sha256:
            store.check(output.sha256)
            raise StoreCorrupt(f"{name} changed while it was copied", hint="render again")
    for name, data in contents.documents.items():
        sums[name] = _written(folder / name, data)
    return sums


def _complete(folder: Path, manifest: Manifest, sums: Mapping[str, Sums]) -> None:
    """Add what is derived from the manifest, and the archive of it all."""
    known = dict(sums)
    for name, data in derived_files(manifest).items():
        known[name] = _written(folder / name, data)
    inside = {f"{manifest.folder}/{name}": name for name in known}
    members = [
        Member(name=place, size_bytes=known[name].size_bytes, crc32=known[name].crc32)
        for place, name in inside.items()
    ]
    files = {place: folder / name for place, name in inside.items()}
    write_zip(folder / ARCHIVE, members, files)


def _written(path: Path, data: bytes) -> Sums:
    with path.open("w+b") as file:
        file.write(data)
        file.seek(0)
        return copy_summed(file, None)


def _refused(
    folder: Path, outbox: Path, manifest: Manifest, findings: Sequence[Finding]
) -> OutputRejected:
    """The error to raise, once the files lie in quarantine with a report."""
    found = [finding.as_json() for finding in findings]
    report = {
        "reelkiln_report": 1,
        "id": manifest.id,
        "render_key": manifest.render_key,
        "findings": found,
        "files": manifest.as_json()["files"],
    }
    (folder / REPORT).write_bytes(canonical_json(report))
    place = outbox / QUARANTINE / manifest.folder
    if not _is_same_file(place / REPORT, folder / REPORT):  # else it was refused before
        sync_tree(folder)
        place = move_to_quarantine(folder, outbox, manifest.folder)
    words = "; ".join(finding.message for finding in findings)
    return OutputRejected(
        f"the finished output was refused: {words}; its files and {REPORT} lie in {place}",
        hint="nothing was published",
        folder=str(place),
        findings=found,
    )


def _is_same_file(one: Path, other: Path) -> bool:
    return one.is_file() and one.read_bytes() == other.read_bytes()
