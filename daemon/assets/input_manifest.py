"""`input_data.json`: what a module reads, each input by its name, as a path or a plain value.

It lies in a folder of its own that goes with it. A folder whose process died is swept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from renderer.disk import private_folder, sweep_folders
from renderer.errors import UsageError

FILE_NAME = "input_data.json"
PREFIX = "inputs-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class InputManifest:
    """A manifest on the disk until `close`, or the end of a `with`; `path` is the JSON file.

    `files` are inputs that lie somewhere, `values` those that become files here: texts `.txt`,
    everything else `.json`. `params` stand in the manifest as they are.
    """

    def __init__(
        self, parent: Path, *, files: Mapping[str, Path], values: Mapping[str, Any],
        params: Mapping[str, Any],
    ) -> None:  # fmt: skip
        _check_names(files, values, params)
        parent.mkdir(parents=True, exist_ok=True)
        self._kept = ExitStack()
        folder = self._kept.enter_context(private_folder(parent, PREFIX))
        try:
            self.path = folder / FILE_NAME
            told: dict[str, Any] = {name: str(path.absolute()) for name, path in files.items()}
            told |= {name: str(_written(folder, name, value)) for name, value in values.items()}
            text = json.dumps({**told, **params}, indent=1, sort_keys=True)
            self.path.write_text(text + "\n", encoding="utf-8")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove the manifest and the files that were made for it. Safe to repeat."""
        self._kept.close()

    def __enter__(self) -> InputManifest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()


def sweep_manifests(parent: Path) -> None:
    """Remove the folders of processes that died."""
    if parent.is_dir():
        sweep_folders(parent, PREFIX)


def _check_names(*groups: Mapping[str, Any]) -> None:
    names = [name for group in groups for name in group]
    for name in names:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name[:80]!r} is not the name of an input",
                hint="letters, digits, dots, hyphens, underscores; at most 100",
            )
        if names.count(name) > 1:
            raise UsageError(f"{name} is there twice, as an input and as a parameter")


def _written(folder: Path, name: str, value: Any) -> Path:
    is_text = isinstance(value, str)
    path = folder / f"value-{name}{'.txt' if is_text else '.json'}"
    text = value if is_text else json.dumps(value, indent=1, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    return path.absolute()
