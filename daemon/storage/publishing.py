"""Publishing a bundle to a storage: content first, the manifest last, each file read back.

Whoever finds a manifest there finds all that it lists. What is there already is kept if it is
the same, so publishing again costs little, and goes on where it broke.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from daemon.storage.contract import Storage
from daemon.storage.errors import KeyTaken
from daemon.storage.files import stored_digest
from renderer.bundle import verify
from renderer.bundle.manifest import ARCHIVE, MANIFEST, STATEMENT, SUMS, Manifest
from renderer.digest import digest_of_stream
from renderer.errors import VerifyMismatch

_DERIVED = {
    ARCHIVE: "application/zip",
    STATEMENT: "application/vnd.in-toto+json",
    SUMS: "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Where a bundle is, and which of its files were sent this time."""

    prefix: str
    manifest_key: str
    bundle_digest: str
    sent: tuple[str, ...]


def publish_bundle(bundle: Path, storage: Storage, prefix: str) -> Published:
    """Put the bundle in the folder `bundle` below `<prefix>/<its name>/`.

    Raises VerifyMismatch when the bundle is not as it was sealed, when other bytes lie where
    its files belong, or when other bytes come back than were sent.
    """
    manifest = verify(bundle)
    top = "/".join(part for part in (prefix.strip("/"), manifest.folder) if part)
    sent = [
        name
        for name, media_type in _content(bundle, manifest)
        if _put(storage, f"{top}/{name}", bundle / name, media_type)
    ]
    key = f"{top}/{MANIFEST}"
    if _put(storage, key, bundle / MANIFEST, "application/json"):
        sent.append(MANIFEST)
    return Published(
        prefix=top, manifest_key=key, bundle_digest=manifest.bundle_digest, sent=tuple(sent)
    )


def _content(bundle: Path, manifest: Manifest) -> list[tuple[str, str]]:
    listed = sorted((entry.path, entry.media_type) for entry in manifest.files)
    derived = [(name, kind) for name, kind in _DERIVED.items() if (bundle / name).is_file()]
    return [*listed, *derived]


def _put(storage: Storage, key: str, path: Path, media_type: str) -> bool:
    """Send a file unless it is there; whether it was sent. Either way it is read back."""
    with path.open("rb") as stream:
        sha256 = digest_of_stream(stream)
    try:
        storage.put_file(key, path, media_type=media_type)
        sent = True
    except KeyTaken:
        sent = False
    found = stored_digest(storage, key)
    if found != sha256:
        raise VerifyMismatch([f"{key}: holds the sha256 {found}, not {sha256}"])
    return sent
