"""Media made by recipe: once, whole or not at all, and again when the recipe changes."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from renderer.digest import digest_of, digest_of_bytes
from renderer.errors import UsageError
from renderer.toolchain import Toolchain

Maker = Callable[[Path, Path, Path], None]
"""Writes one file, given its path, a folder for scraps, and the FFmpeg to use."""

_NOTE = "made-by.json"


def make_all(
    folder: Path, makers: Mapping[str, Maker], toolchain: Toolchain, *, own: Iterable[Path] = ()
) -> bool:
    """Fill `folder` with what `makers` make; whether all of it was there already.

    Raises UsageError when there can be no such folder.
    The recipe is this package's own text, that of the files `own`, and the programs used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        words = f"the folder {folder} cannot be made: {error.strerror}"
        raise UsageError(words, hint="name a folder that you may write") from error
    recipe = _recipe(toolchain, own)
    whole = all((folder / name).is_file() for name in makers)
    if whole and _read(folder / _NOTE) == {"recipe": recipe}:
        return True
    with tempfile.TemporaryDirectory(prefix="reelkiln-demo-") as scraps:
        for name, make in sorted(makers.items()):
            with appearing(folder / name) as part:
                make(part, Path(scraps), toolchain.ffmpeg)
    with appearing(folder / _NOTE) as part:
        part.write_text(json.dumps({"recipe": recipe}))
    return False


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; the file takes its place once it is whole."""
    part = target.with_name(f".part-{os.getpid()}-{target.name}")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _recipe(toolchain: Toolchain, own: Iterable[Path]) -> str:
    package = [path for path in files(__package__).iterdir() if path.name.endswith(".py")]
    sources = {path.name: digest_of_bytes(path.read_bytes()) for path in (*package, *own)}
    return digest_of({"sources": sources, "toolchain": toolchain.as_json()})


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
