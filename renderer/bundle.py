"""Bundles: sealed folders. Everything in one is reached by digest from manifest.json."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderer.archive import write_zip
from renderer.digest import canonical_json, digest_of, digest_of_bytes, digest_of_stream
from renderer.errors import RenderFailed, StorageFull, VerifyMismatch

MANIFEST, STATEMENT, SUMS, ZIP = (
    "manifest.json",
    "statement.intoto.json",
    "SHA256SUMS",
    "bundle.zip",
)
_MEDIA_TYPES = {
    ".mp4": "video/mp4", ".m4a": "audio/mp4", ".jpg": "image/jpeg", ".json": "application/json",
}  # fmt: skip
_RENAME_NOREPLACE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleContents:
    """What is sealed: finished files by name, and what is said of them."""

    id: str
    render_key: str
    spec: Mapping[str, Any]
    lock: Mapping[str, Any]
    files: Mapping[str, Path]
    media: Mapping[str, Any]
    content: Mapping[str, Any]
    toolchain: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A sealed folder. `reused` when an equal one was already there."""

    path: Path
    digest: str
    reused: bool


def seal(contents: BundleContents, outbox: Path) -> Bundle:
    """Write, sync and publish a bundle by one rename that never replaces."""
    outbox.mkdir(parents=True, exist_ok=True)
    staging = outbox / f".staging-{os.getpid()}-{secrets.token_hex(6)}"
    target = outbox / f"{contents.id}-{contents.render_key[:16]}"
    try:
        staging.mkdir()
        _fill(staging, contents)
        digest = _digest(staging / MANIFEST)
        return _publish(staging, target, digest)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"no room for the bundle: {error}", hint="free space") from error
        raise RenderFailed(f"the bundle cannot be written: {error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def verify(path: Path) -> Mapping[str, Any]:
    """The manifest of an intact bundle. Raises VerifyMismatch naming every difference."""
    try:
        raw = (path / MANIFEST).read_bytes()
        manifest: dict[str, Any] = json.loads(raw)
        listed = {entry["path"]: entry for entry in manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VerifyMismatch([f"{MANIFEST} cannot be read: {error}"]) from error
    wrong = [] if canonical_json(manifest) == raw else [f"{MANIFEST} is not in canonical form"]
    for name, entry in sorted(listed.items()):
        if not (path / name).is_file():
            wrong.append(f"{name} is missing")
        elif _digest(path / name) != entry["sha256"]:
            wrong.append(f"{name} is not what the manifest says")
    present = {str(p.relative_to(path)) for p in path.rglob("*") if not p.is_dir()}
    wrong += [f"{name} does not belong here" for name in sorted(
        present - set(listed) - {MANIFEST, STATEMENT, SUMS, ZIP})]  # fmt: skip
    if not wrong:
        wrong = _derived_faults(path, manifest, sorted(listed))
    if wrong:
        raise VerifyMismatch(wrong)
    return manifest


def _derived_faults(path: Path, manifest: Mapping[str, Any], names: list[str]) -> list[str]:
    wrong = []
    if _bytes(path / STATEMENT) != canonical_json(_statement(manifest)):
        wrong.append(f"{STATEMENT} does not follow from the manifest")
    if wrong or _bytes(path / SUMS) != _sums(path, [*names, MANIFEST, STATEMENT]).encode():
        wrong.append(f"{SUMS} does not follow from the files")
    if digest_of(json.loads(_bytes(path / "spec.json"))) != manifest["spec_digest"]:
        wrong.append("spec.json has another digest than the manifest says")
    if not path.name.endswith(manifest["render_key"][:16]):
        wrong.append("the folder's name does not end with the render key")
    again = path.parent / f".verify-{os.getpid()}-{secrets.token_hex(6)}.zip"
    try:
        write_zip(again, path, [*names, MANIFEST, STATEMENT, SUMS])
        if not (path / ZIP).is_file() or _digest(again) != _digest(path / ZIP):
            wrong.append(f"{ZIP} does not hold these files")
    finally:
        again.unlink(missing_ok=True)
    return wrong


def _fill(folder: Path, contents: BundleContents) -> None:
    for name, source in sorted(contents.files.items()):
        shutil.copyfile(source, folder / name)
    (folder / "spec.json").write_bytes(canonical_json(contents.spec))
    (folder / "lock.json").write_bytes(canonical_json(contents.lock))
    names = sorted([*contents.files, "spec.json", "lock.json"])
    manifest = {
        "reelkiln_manifest": 1,
        "id": contents.id,
        "render_key": contents.render_key,
        "spec_digest": digest_of(contents.spec),
        "files": [_entry(folder, name) for name in names],
        "media": dict(contents.media),
        "content": dict(contents.content),
        "toolchain": dict(contents.toolchain),
        "inputs": [
            {"source": pin["source"], "sha256": pin["sha256"]} for pin in contents.lock["sources"]
        ],
    }
    (folder / MANIFEST).write_bytes(canonical_json(manifest))
    (folder / STATEMENT).write_bytes(canonical_json(_statement(manifest)))
    (folder / SUMS).write_text(_sums(folder, [*names, MANIFEST, STATEMENT]))
    write_zip(folder / ZIP, folder, [*names, MANIFEST, STATEMENT, SUMS])
    for path in [*sorted(folder.iterdir()), folder]:
        _sync(path)


def _entry(folder: Path, name: str) -> Mapping[str, Any]:
    path = folder / name
    return {
        "path": name,
        "media_type": _MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
        "size_bytes": path.stat().st_size,
        "sha256": _digest(path),
    }


def _statement(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    subjects = [{"name": f["path"], "digest": {"sha256": f["sha256"]}} for f in manifest["files"]]
    subjects.append({"name": MANIFEST, "digest": {"sha256": digest_of(manifest)}})
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://reelkiln.dev/render/v1",
                "externalParameters": {"spec_digest": manifest["spec_digest"]},
                "resolvedDependencies": [
                    {"uri": pin["source"], "digest": {"sha256": pin["sha256"]}}
                    for pin in manifest["inputs"]
                ],
            },
            "runDetails": {"builder": {"id": f"toolchain:{digest_of(manifest['toolchain'])}"}},
        },
    }


def _sums(folder: Path, names: list[str]) -> str:
    return "".join(f"{_digest(folder / name)}  {name}\n" for name in sorted(names))


def _publish(staging: Path, target: Path, digest: str) -> Bundle:
    for _ in range(100):
        if _rename_new(staging, target):
            _sync(target.parent)
            return Bundle(path=target, digest=digest, reused=False)
        try:
            verify(target)
            if _digest(target / MANIFEST) == digest:
                return Bundle(path=target, digest=digest, reused=True)
        except VerifyMismatch:
            pass  # a damaged bundle is set aside below, never deleted
        aside = target.with_name(f".{target.name}.damaged-{secrets.token_hex(4)}")
        target.rename(aside)
    raise RenderFailed(f"{target} could not be published")


def _rename_new(source: Path, target: Path) -> bool:
    """Rename without ever replacing; False when `target` exists."""
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.renameat2(-100, os.fsencode(source), -100, os.fsencode(target), _RENAME_NOREPLACE)
    if done == 0:
        return True
    code = ctypes.get_errno()
    if code == errno.EEXIST:
        return False
    raise OSError(code, os.strerror(code), str(target))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return digest_of_stream(stream)


def bundle_digest(path: Path) -> str:
    """The digest of a bundle: of its manifest."""
    return digest_of_bytes((path / MANIFEST).read_bytes())
