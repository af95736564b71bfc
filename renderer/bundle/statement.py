"""What follows from a manifest alone: the in-toto statement and `SHA256SUMS`.

Both are for other people's tools. Nothing in them is news: they are derived byte for byte,
so a bundle in which they differ was changed.
"""

from __future__ import annotations

from collections.abc import Mapping

from renderer.bundle.manifest import MANIFEST, STATEMENT, SUMS, Manifest
from renderer.digest import canonical_json, digest_of, digest_of_bytes

BUILD_TYPE = "urn:reelkiln:render:1"
"""The meaning of the statement's parameters; docs/format.md describes it."""


def derived_files(manifest: Manifest) -> Mapping[str, bytes]:
    """The bytes of the manifest and of all that is derived from it, but the archive."""
    said = statement(manifest)
    return {MANIFEST: manifest.as_bytes, STATEMENT: said, SUMS: _sums(manifest, said)}


def statement(manifest: Manifest) -> bytes:
    """`statement.intoto.json`: in-toto Statement v1 with a SLSA provenance v1 predicate.

    It names no time and no machine, so that equal renders give equal statements.
    """
    digests = _digests(manifest)
    return canonical_json(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [_described(name, digests[name]) for name in sorted(digests)],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {
                "buildDefinition": _definition(manifest),
                "runDetails": {"builder": {"id": _builder(manifest)}},
            },
        }
    )


def _sums(manifest: Manifest, said: bytes) -> bytes:
    """For `sha256sum -c`: every file but this one and the archive, sorted."""
    digests = {**_digests(manifest), STATEMENT: digest_of_bytes(said)}
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode("ascii")


def _digests(manifest: Manifest) -> dict[str, str]:
    listed = {entry.path: entry.sha256 for entry in manifest.files}
    return {**listed, MANIFEST: manifest.bundle_digest}


def _definition(manifest: Manifest) -> dict[str, object]:
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {"spec_digest": manifest.spec_digest},
        "internalParameters": {"render_key": manifest.render_key},
        "resolvedDependencies": [
            {
                **_described(entry.source, entry.sha256),
                "mediaType": entry.media_type,
                "annotations": dict(entry.provenance),
            }
            for entry in manifest.inputs
        ],
    }


def _builder(manifest: Manifest) -> str:
    return f"urn:reelkiln:toolchain:sha256:{digest_of(manifest.toolchain)}"


def _described(name: str, sha256: str) -> dict[str, object]:
    return {"name": name, "digest": {"sha256": sha256}}
