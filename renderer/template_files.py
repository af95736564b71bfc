"""Where templates lie: the operator's folders first, then those that come along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from renderer.errors import UsageError
from renderer.package_data import data_folder
from renderer.prompts.asset_types import AssetType
from renderer.prompts.choosing import chosen, is_version, parse_reference
from renderer.prompts.template import Template, parse_template

_SUFFIXES = (".yaml", ".yml", ".json")


def template_versions(asset_type: AssetType, folders: Sequence[Path] = ()) -> Mapping[str, Path]:
    """The file of each version of a type; `folders` are asked before the shipped one."""
    found: dict[str, Path] = {}
    for folder in (*folders, data_folder("prompts")):
        inside = folder / asset_type.value
        for path in sorted(inside.iterdir()) if inside.is_dir() else ():
            if path.suffix in _SUFFIXES and is_version(path.stem):
                found.setdefault(path.stem, path)
    return found


def find_template(reference: str, folders: Sequence[Path] = ()) -> Template:
    """The template of `thumbnail@1.0`, `thumbnail@latest` or `thumbnail`.

    Raises UsageError when there is none, SpecInvalid when it is wrong.
    """
    asset_type, version = parse_reference(reference)
    versions = template_versions(asset_type, folders)
    path = versions[chosen(asset_type, version, versions)]
    template = parse_template(path.read_bytes(), name=str(path))
    if template.type is not asset_type or template.version != path.stem:
        raise UsageError(
            f"{path} says that it is {template.name}",
            hint="folder and file name must be asset_type and version",
        )
    return template
