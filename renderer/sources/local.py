"""Local files, jailed: a source resolves to a plain file inside an allowed root, or is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from renderer.limits import over_limit
from renderer.refusals import refused
from renderer.spec.suggest import did_you_mean

BESIDE = "beside the spec"
"""Where sources lie on the command line, in words."""


def find_local(
    source: str, base: Path, roots: tuple[Path, ...], max_bytes: int, *, home: str = BESIDE
) -> Path:
    """The real path of `source`. Raises SourceRefused (missing, outside, odd, too large).

    `base` is looked in first, then each root; `home` is what refusals call these places. What
    lies outside is refused alike whether it exists or not, so that nobody can feel their way
    through the disk.
    """
    folders = tuple(dict.fromkeys((base, *roots)))
    with _file_errors(source):
        jail = [folder.resolve() for folder in folders]
        places = [(folder / source).resolve() for folder in folders]
        inside = [path for path in places if _is_inside(path, jail)]
        found = next((path for path in inside if path.exists()), None)
        if found is not None:
            _check(found, source, max_bytes)
            return found
    if not inside:
        raise refused(
            "source-outside",
            f"{source} lies outside the allowed folders",
            f"put it {home}, or allow its folder with --media",
        )
    raise refused("source-missing", f"there is no file {source}", _near(inside, jail, home))


def _is_inside(path: Path, jail: Sequence[Path]) -> bool:
    return any(path.is_relative_to(root) for root in jail)


@contextmanager
def _file_errors(source: str) -> Iterator[None]:
    """A loop of links, a NUL, a name too long, a folder that may not be entered."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        words = f"{source[:100]!r} cannot be opened here ({reason})"
        raise refused("source-missing", words, "check its name and permissions") from error


def _check(path: Path, source: str, max_bytes: int) -> None:
    if path.is_dir():
        raise refused("source-missing", f"{source} is a folder", "name a file in it")
    if not path.is_file():
        raise refused("source-missing", f"{source} is not a plain file", "copy it to a file")
    if not os.access(path, os.R_OK):
        raise refused("source-unreadable", f"{source} may not be read", "change its permissions")
    size = path.stat().st_size
    if size > max_bytes:
        message = over_limit(f"{source} with {size} bytes", "max_source_bytes", max_bytes)
        raise refused("source-too-large", message, "give a smaller file")


def _near(places: Sequence[Path], jail: Sequence[Path], home: str) -> str:
    """The nearest name of all that stand where the first missing part was looked for."""
    known: dict[str, list[str]] = {}
    for path in places:
        missing = next(part for part in (*reversed(path.parents), path) if not part.exists())
        if missing.parent.is_dir() and _is_inside(missing.parent, jail):
            names = [entry.name for entry in missing.parent.iterdir()]
            known.setdefault(missing.name, []).extend(names)
    near = (did_you_mean(name, names) for name, names in known.items())
    return next(filter(None, near), f"is it {home}?")
