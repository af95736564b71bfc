"""A topic document becomes an ordinary spec, by the storyboard that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from renderer.brand.kit import BrandKit, brand_of
from renderer.errors import Fault, SpecInvalid, UsageError
from renderer.package_data import data_folder
from renderer.prompts.choosing import LATEST, chosen, is_version
from renderer.spec.loading import Loaded
from renderer.spec.suggest import did_you_mean
from renderer.spec.topic import TopicSpec
from renderer.storyboards.expansion import expand
from renderer.storyboards.template import Storyboard, parse_storyboard

STORYBOARDS = "storyboards"
"""The folder of storyboards, beside those of prompts."""
_SUFFIXES = (".yaml", ".yml", ".json")


def expanded(loaded: Loaded, folders: Sequence[Path] = ()) -> Loaded:
    """The document with its topic written out as a film; any other as it is.

    `folders` are the operator's own templates. Raises SpecInvalid.
    """
    spec = loaded.spec
    if not isinstance(spec, TopicSpec):
        return loaded
    try:
        board = find_storyboard(spec.storyboard, folders)
    except UsageError as error:
        fault = Fault(
            code="storyboard-unknown", path=("storyboard",), message=error.message, hint=error.hint
        )
        raise loaded.located(SpecInvalid([fault])) from error
    return loaded.become(expand(spec, board, _kit(loaded, spec)))


def storyboards(folders: Sequence[Path] = ()) -> Mapping[str, Mapping[str, Path]]:
    """The file of each version of each storyboard; `folders` are asked before the shipped one."""
    found: dict[str, dict[str, Path]] = {}
    for folder in (*folders, data_folder("prompts")):
        for path in sorted((folder / STORYBOARDS).glob("*/*")):
            if path.suffix in _SUFFIXES and is_version(path.stem):
                found.setdefault(path.parent.name, {}).setdefault(path.stem, path)
    return found


def find_storyboard(reference: str, folders: Sequence[Path] = ()) -> Storyboard:
    """The storyboard of `explainer@1.0`, or the latest of `explainer`.

    Raises UsageError when there is none, SpecInvalid when it is wrong.
    """
    name, _, version = reference.partition("@")
    known = storyboards(folders)
    if name not in known:
        hint = did_you_mean(name, known) or "storyboards: " + ", ".join(sorted(known))
        raise UsageError(f'no storyboard is called "{name}"', hint=hint)
    path = known[name][chosen(name, version or LATEST, known[name])]
    board = parse_storyboard(path.read_bytes(), name=str(path))
    if (board.name, board.version) != (name, path.stem):
        raise UsageError(
            f"{path} says that it is {board.reference}",
            hint="folder and file name must be name and version",
        )
    return board


def _kit(loaded: Loaded, spec: TopicSpec) -> BrandKit | None:
    if spec.kit is None:
        return None
    kit, faults = brand_of(spec.kit)
    if kit is None:
        raise loaded.located(SpecInvalid(faults))
    return kit
