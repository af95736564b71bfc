"""The fonts that come with the installation, those of a spec, and what the text engine is."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path

import brotli
import icu4py
import uharfbuzz as hb
from fontTools.ttLib import TTCollection, TTFont, TTLibError

from renderer.digest import digest_of
from renderer.errors import Fault, SourceRefused, ToolchainUnfit
from renderer.text.faces import FontBook, FontFace, FontFile
from renderer.webfont import plain_font

_FULL_RANGE = ("Arabic", "Devanagari", "Thai")  # weights 100 to 900
_SCRIPTS = (  # weights 400 to 700
    "Hebrew", "Bengali", "Tamil", "Telugu", "Gujarati",
    "Gurmukhi", "Kannada", "Malayalam", "Oriya", "Sinhala", "Khmer", "Lao", "Myanmar",
    "Armenian", "Georgian", "Ethiopic",
)  # fmt: skip
_SERIF = "files/NotoSerif[wdth,wght].ttf"
_SERIF_ITALIC = "files/NotoSerif-Italic[wdth,wght].ttf"
_EMOJI = "emoji/NotoColorEmoji-Regular.ttf"
_CJK_FILE = "NotoSansCJK-VF.otf.ttc"
_CJK = ("JP", "KR", "SC", "TC", "HK")  # in the order of the collection
_PACKAGES = (
    "fontpkg-noto-sans",
    "fontpkg-noto-sans-arabic",
    "fontpkg-noto-sans-devanagari",
    "fontpkg-noto-sans-thai",
    "fontpkg-noto-serif",
    "manimgx-fonts",
    "manimgx-fonts-cjk",
)
_COLLECTION = b"ttcf"
_NOT_READ = (
    TTLibError,
    KeyError,
    IndexError,
    ValueError,
    AssertionError,
    struct.error,
    brotli.error,
)
"""What fontTools raises on files that are damaged or are something else."""


def load_fonts(own: Iterable[Path] = ()) -> FontBook:
    """The installed fonts and the font files of a spec, in the order of its `fonts`.

    Installed files are read when a face is first needed, `own` at once. Raises SourceRefused
    naming every file that is not a font, ToolchainUnfit when a font package is missing.
    """
    added, faults = [], []
    for place, path in enumerate(own):
        try:
            added += _faces_of_file(path)
        except _NotAFont as error:
            faults.append(_refused(place, error))
    if faults:
        raise SourceRefused(faults)
    # Own fonts are asked for by name, so as fallbacks they come late; the large CJK file last.
    return FontBook([*_installed(), *added, *_installed_cjk()])


def font_folders() -> tuple[Path, ...]:
    """The folders of the installed fonts, for programs that read font files themselves."""
    found = (_resource("fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf"),
             _resource("manimgx_fonts", "NotoSansSymbols[wght].ttf"),
             _resource("manimgx_fonts_cjk", _CJK_FILE))  # fmt: skip
    return tuple(Path(str(file)).parent for file in found)


def text_engine_fingerprint() -> dict[str, str]:
    """Names and versions of everything that decides how text is drawn.

    Raises ToolchainUnfit when a part of it is not installed.
    """
    packages = {package: _version(package) for package in _PACKAGES}
    emoji = _face("Noto Color Emoji", "renderer.text", _EMOJI).file.sha256
    return {
        "fonts": digest_of({**packages, "emoji": emoji}),
        "fonttools": _version("fonttools"),
        "harfbuzz": hb.version_string(),
        "icu": icu4py.icu_version,
        "pillow": _version("pillow"),
        "uharfbuzz": _version("uharfbuzz"),
        "unicode": unicodedata.unidata_version,
    }


@cache
def _installed() -> tuple[FontFace, ...]:
    """All faces but the CJK ones; one process reads each file once."""
    return tuple(_installed_faces())


def _installed_faces() -> Iterator[FontFace]:
    yield _face("Noto Sans", "fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf")
    yield _face(
        "Noto Sans", "fontpkg_noto_sans", "files/NotoSans-Italic[wdth,wght].ttf", italic=True
    )
    yield _face("Noto Serif", "fontpkg_noto_serif", _SERIF)
    yield _face("Noto Serif", "fontpkg_noto_serif", _SERIF_ITALIC, italic=True)
    for script in _FULL_RANGE:
        package = f"fontpkg_noto_sans_{script.lower()}"
        yield _face(f"Noto Sans {script}", package, f"files/NotoSans{script}[wdth,wght].ttf")
    for script in _SCRIPTS:
        yield _face(f"Noto Sans {script}", "manimgx_fonts", f"NotoSans{script}[wght].ttf")
    yield _face("Noto Sans Symbols", "manimgx_fonts", "NotoSansSymbols[wght].ttf")
    yield _face("Noto Color Emoji", "renderer.text", _EMOJI)
    yield _face("Noto Emoji", "manimgx_fonts", "NotoEmoji[wght].ttf")


@cache
def _installed_cjk() -> tuple[FontFace, ...]:
    collection = FontFile(read=_resource("manimgx_fonts_cjk", _CJK_FILE).read_bytes)
    return tuple(
        FontFace(family=f"Noto Sans CJK {region}", file=collection, index=index)
        for index, region in enumerate(_CJK)
    )


def _face(family: str, package: str, name: str, *, italic: bool = False) -> FontFace:
    file = FontFile(read=_resource(package, name).read_bytes)
    return FontFace(family=family, file=file, italic=italic)


def _resource(package: str, name: str) -> Traversable:
    try:
        found = files(package).joinpath(*name.split("/"))
    except ModuleNotFoundError as error:
        raise _missing(package) from error
    if not found.is_file():
        raise _missing(f"{package}/{name}")
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise _missing(package) from error


def _missing(what: str) -> ToolchainUnfit:
    return ToolchainUnfit(f"what draws text lacks {what}", hint="install the project again")


class _NotAFont(Exception):
    """A file has no face that can be used; the message says why."""


def _refused(place: int, error: _NotAFont) -> Fault:
    return Fault(
        code="font-refused",
        path=("fonts", place),
        message=f"this is not a font that can be read: {error}",
        hint="give a .ttf, .otf, .ttc or .woff2 file",
    )


def _faces_of_file(path: Path) -> list[FontFace]:
    data = path.read_bytes()
    try:
        file = FontFile(read=lambda: data, is_own=True, unpacked=plain_font)
        plain = file.blob.data
        faces = [_own_face(file, index, font) for index, font in enumerate(_tables(plain))]
    except _NOT_READ as error:
        raise _NotAFont(str(error) or type(error).__name__) from error
    for face in faces:
        if not face.tables.glyph_count or not len(face.coverage):
            raise _NotAFont(f"the face {face.family} has no characters")
    return faces


def _own_face(file: FontFile, index: int, font: TTFont) -> FontFace:
    family = font["name"].getBestFamilyName()
    if not family:
        raise _NotAFont("its name table names no family")
    is_italic = bool(font["head"].macStyle & 2)
    return FontFace(family=str(family), file=file, italic=is_italic, index=index)


def _tables(data: bytes) -> list[TTFont]:
    if data[:4] == _COLLECTION:
        return list(TTCollection(BytesIO(data), lazy=True).fonts)
    return [TTFont(BytesIO(data), lazy=True)]
