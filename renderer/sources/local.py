"""Local files, jailed: a source resolves to a plain file inside an allowed root, or is refused."""

from __future__ import annotations

from pathlib import Path

from renderer.errors import Fault, SourceRefused
from renderer.limits import over_limit
from renderer.spec.suggest import did_you_mean


def find_local(source: str, base: Path, roots: tuple[Path, ...], max_bytes: int) -> Path:
    """The real path of `source`. Raises SourceRefused (missing, outside, odd, too large)."""
    if "://" in source:
        raise _refused("source-scheme", f"{source} is not a local file", "download it first")
    if "\x00" in source:
        raise _refused("source-missing", "a file name cannot hold a NUL", "")
    candidates = [folder / source for folder in (base, *roots)]
    found = next((path for path in candidates if path.exists()), None)
    if found is None:
        raise _refused("source-missing", f"there is no file {source}", _near(candidates[0]))
    real = found.resolve()
    if not any(real.is_relative_to(root.resolve()) for root in (base, *roots)):
        raise _refused(
            "source-outside",
            f"{source} lies outside the allowed folders",
            "move it beside the spec, or allow its folder with --media",
        )
    if not real.is_file():
        raise _refused("source-missing", f"{source} is not a file", "name a file")
    size = real.stat().st_size
    if size > max_bytes:
        message = over_limit(f"{source} with {size} bytes", "max_source_bytes", max_bytes)
        raise _refused("source-too-large", message, "")
    return real


def _near(path: Path) -> str:
    folder = path.parent
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return did_you_mean(path.name, names)


def _refused(code: str, message: str, hint: str) -> SourceRefused:
    return SourceRefused([Fault(code=code, message=message, hint=hint)])
