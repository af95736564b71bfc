"""Which version of a template is meant: `thumbnail@1.1`, or the highest."""

from __future__ import annotations

from collections.abc import Iterable

from renderer.errors import UsageError
from renderer.prompts.asset_types import AssetType
from renderer.spec.suggest import did_you_mean

LATEST = "latest"


def parse_reference(text: str) -> tuple[AssetType, str]:
    """Asset type and version of `thumbnail@1.0`; latest without one. Raises UsageError."""
    name, _, version = text.partition("@")
    known = [asset_type.value for asset_type in AssetType]
    if name not in known:
        hint = did_you_mean(name, known) or "asset types: " + ", ".join(known)
        raise UsageError(f'no asset type is called "{name[:60]}"', hint=hint)
    return AssetType(name), version or LATEST


def chosen(name: str, version: str, known: Iterable[str]) -> str:
    """The version that `version` means among the known ones. Raises UsageError."""
    versions = sorted(known, key=_order)
    if version == LATEST and versions:
        return versions[-1]
    if version not in versions:
        told = ", ".join(versions) or "none"
        raise UsageError(f'{name} has no version "{version[:20]}"', hint=f"versions: {told}")
    return version


def is_version(text: str) -> bool:
    """Whether a file may be called so: `1.0`, `12.3`."""
    parts = text.split(".")
    return len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts)


def _order(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)
