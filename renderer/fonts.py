"""The fonts the renderer carries: redistributable files from installed wheels, never the system's.

Order is fallback order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import features

from renderer.digest import digest_of_bytes
from renderer.errors import ToolchainUnfit
from renderer.text.faces import FontBook, FontFace

_SCRIPTS = (
    "Arabic", "Hebrew", "Devanagari", "Thai", "Bengali", "Tamil", "Telugu", "Gujarati",
    "Gurmukhi", "Kannada", "Malayalam", "Sinhala", "Khmer", "Lao", "Myanmar", "Georgian",
    "Armenian", "Ethiopic", "Symbols",
)  # fmt: skip


def _carried() -> tuple[tuple[str, bool, str, str], ...]:
    sans = "manimgx_fonts"
    return (
        ("Noto Sans", False, sans, "NotoSans[wght].ttf"),
        ("Noto Sans", True, sans, "NotoSans-Italic[wght].ttf"),
        ("Noto Serif", False, "fontpkg_noto_serif", "files/NotoSerif[wdth,wght].ttf"),
        ("Noto Serif", True, "fontpkg_noto_serif", "files/NotoSerif-Italic[wdth,wght].ttf"),
        *((f"Noto Sans {s}", False, sans, f"NotoSans{s}[wght].ttf") for s in _SCRIPTS),
        ("Noto Emoji", False, sans, "NotoEmoji[wght].ttf"),
        ("Noto Sans CJK", False, "manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc"),
    )


@cache
def _built_in() -> tuple[FontFace, ...]:
    return tuple(
        FontFace(family, italic, f"{package}/{name}", _fetcher(_package(package) / name))
        for family, italic, package, name in _carried()
    )


def load_fonts(extra: Iterable[Path] = ()) -> FontBook:
    """All faces: `extra` files first in their order, then the built-in ones."""
    return FontBook([*(_own(path) for path in extra), *_built_in()])


def text_engine_fingerprint() -> dict[str, str]:
    """Versions of everything that decides the pixels of text. Raises ToolchainUnfit."""
    if not features.check("raqm"):
        raise ToolchainUnfit(
            "text needs FriBidi, which Pillow looks for on the system",
            hint="install libfribidi0 (Debian: apt-get install libfribidi0)",
        )
    parts = ("pil", "freetype2", "raqm", "harfbuzz", "fribidi")
    found = {part: str(features.version(part)) for part in parts}
    for package in ("manimgx-fonts", "manimgx-fonts-cjk", "fontpkg-noto-serif"):
        found[package] = _version(package)
    return found


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def _own(path: Path) -> FontFace:
    data = path.read_bytes()
    names = TTFont(path, lazy=True, fontNumber=0)["name"]
    family = names.getBestFamilyName() or path.stem
    return FontFace(family, False, digest_of_bytes(data), lambda: data)


def _fetcher(path: Path) -> Callable[[], bytes]:
    return path.read_bytes


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ToolchainUnfit(f"the font package {name} is not installed", hint="reinstall reelkiln")
    return Path(next(iter(spec.submodule_search_locations)))
