"""The fonts that come with the installation, and what the text engine is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont, TTLibError
from PIL import features

from renderer.digest import digest_of
from renderer.errors import Fault, SourceRefused, ToolchainUnfit
from renderer.text.faces import FontBook, FontFace

_FULL_RANGE = ("Arabic", "Devanagari", "Thai")  # weights 100 to 900
_SCRIPTS = (  # weights 400 to 700
    "Hebrew", "Bengali", "Tamil", "Telugu", "Gujarati",
    "Gurmukhi", "Kannada", "Malayalam", "Oriya", "Sinhala", "Khmer", "Lao", "Myanmar",
    "Armenian", "Georgian", "Ethiopic",
)  # fmt: skip
_SERIF = "files/NotoSerif[wdth,wght].ttf"
_SERIF_ITALIC = "files/NotoSerif-Italic[wdth,wght].ttf"
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


def load_fonts(extra: Iterable[Path] = ()) -> FontBook:
    """The installed fonts and the font files in `extra`.

    Installed files are read when a face is first needed, those of `extra` at once. Raises
    SourceRefused for a file that is not a font, ToolchainUnfit when a font package is missing.
    """
    added = [face for path in extra for face in _faces_of_file(path)]
    # Own fonts are asked for by name, so as fallbacks they come late; the large CJK file last.
    return FontBook([*_installed(), *added, *_installed_cjk()])


def text_engine_fingerprint() -> dict[str, str]:
    """Names and versions of everything that decides how text is drawn."""
    parts = ("freetype2", "raqm", "harfbuzz", "fribidi")
    found = {part: str(features.version(part) or "none") for part in parts}
    found["pillow"] = version("pillow")
    found["fonttools"] = version("fonttools")
    found["fonts"] = digest_of({package: version(package) for package in _PACKAGES})
    return dict(sorted(found.items()))


def _installed() -> Iterator[FontFace]:
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
    yield _face("Noto Emoji", "manimgx_fonts", "NotoEmoji[wght].ttf")


def _installed_cjk() -> Iterator[FontFace]:
    collection = _SharedFile(_resource("manimgx_fonts_cjk", _CJK_FILE))
    for index, region in enumerate(_CJK):
        yield FontFace(family=f"Noto Sans CJK {region}", read=collection.read, index=index)


class _SharedFile:
    """A file that several faces read once."""

    def __init__(self, source: Traversable) -> None:
        self._source = source
        self._data: bytes | None = None

    def read(self) -> bytes:
        if self._data is None:
            self._data = self._source.read_bytes()
        return self._data


def _face(family: str, package: str, name: str, *, italic: bool = False) -> FontFace:
    return FontFace(family=family, read=_resource(package, name).read_bytes, italic=italic)


def _resource(package: str, name: str) -> Traversable:
    try:
        found = files(package).joinpath(*name.split("/"))
    except ModuleNotFoundError as error:
        raise _missing(package) from error
    if not found.is_file():
        raise _missing(f"{package}/{name}")
    return found


def _missing(what: str) -> ToolchainUnfit:
    return ToolchainUnfit(f"the font package lacks {what}", hint="install the project again")


def _faces_of_file(path: Path) -> Iterator[FontFace]:
    try:
        data = path.read_bytes()
        fonts = _tables(data)
    except (OSError, TTLibError) as error:
        fault = Fault(
            code="font-refused",
            message=f"{path.name} is not a font that can be read: {error}",
            hint="give a .ttf, .otf or .ttc file",
        )
        raise SourceRefused([fault]) from error
    for index, font in enumerate(fonts):
        names = font["name"]
        yield FontFace(
            family=str(names.getBestFamilyName() or path.stem),
            italic=bool(font["head"].macStyle & 2),
            index=index,
            read=lambda: data,
        )


def _tables(data: bytes) -> list[TTFont]:
    if data[:4] == b"ttcf":
        return list(TTCollection(BytesIO(data), lazy=True).fonts)
    return [TTFont(BytesIO(data), lazy=True)]
