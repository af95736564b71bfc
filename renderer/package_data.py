"""The files that come with the package: JSON Schemas and prompts, found by one function."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def data_folder(name: str) -> Path:
    """The folder `schemas` or `prompts`: inside the wheel, or at the top of a checkout.

    Raises FileNotFoundError when the installation has neither.
    """
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the folder {name} is missing from this installation of reelkiln")
