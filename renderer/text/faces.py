"""Font faces as bytes, which characters they cover, and the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO

from fontTools.ttLib import TTFont
from PIL import ImageFont, features

from renderer.digest import digest_of_bytes
from renderer.errors import ToolchainUnfit

_KEPT_OPEN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of a variable font: its four-letter tag and its range."""

    tag: str
    minimum: float
    default: float
    maximum: float


@dataclass(frozen=True, kw_only=True, eq=False)
class FontFace:
    """One face: a family, upright or italic, at `index` of a file given by `read`.

    The bytes are asked for when first needed and kept.
    """

    family: str
    read: Callable[[], bytes]
    italic: bool = False
    index: int = 0

    @cached_property
    def data(self) -> bytes:
        """The font file."""
        return self.read()

    @cached_property
    def sha256(self) -> str:
        """The digest of the font file."""
        return digest_of_bytes(self.data)

    @cached_property
    def key(self) -> str:
        """The name of this face in a `FontBook`: digest and index."""
        return f"{self.sha256}:{self.index}"

    @cached_property
    def coverage(self) -> frozenset[int]:
        """The code points that have a glyph."""
        with self._tables() as font:
            return frozenset(font.getBestCmap() or ())

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of a variable font, in file order; empty for a static one."""
        with self._tables() as font:
            if "fvar" not in font:
                return ()
            return tuple(
                Axis(
                    tag=axis.axisTag,
                    minimum=axis.minValue,
                    default=axis.defaultValue,
                    maximum=axis.maxValue,
                )
                for axis in font["fvar"].axes
            )

    def covers(self, text: str) -> bool:
        """Whether every visible character of `text` has a glyph."""
        return all(ord(char) in self.coverage for char in text)

    def _tables(self) -> TTFont:
        return TTFont(BytesIO(self.data), fontNumber=self.index, lazy=True)


class FontBook:
    """The faces at hand, in fallback order: earlier faces are tried first."""

    def __init__(self, faces: Iterable[FontFace]) -> None:
        self._faces = tuple(faces)
        self._open = lru_cache(maxsize=_KEPT_OPEN)(_opened)

    @property
    def families(self) -> tuple[str, ...]:
        """The names of all families, each once, in fallback order."""
        return tuple(dict.fromkeys(face.family for face in self._faces))

    def has_family(self, name: str) -> bool:
        """Whether a family has this name; case does not matter."""
        return any(face.family.casefold() == name.casefold() for face in self._faces)

    def candidates(self, families: Iterable[str], *, italic: bool) -> tuple[FontFace, ...]:
        """Every face once: `families` first, then the fallbacks; the wished slant first."""
        rank = {name.casefold(): place for place, name in enumerate(families)}

        def order(face: FontFace) -> tuple[int, bool]:
            return (rank.get(face.family.casefold(), len(rank)), False)

        ranked = sorted(self._faces, key=order)
        names = dict.fromkeys(face.family for face in ranked)
        return tuple(
            face
            for name in names
            for face in sorted(
                (one for one in ranked if one.family == name),
                key=lambda one: one.italic != italic,
            )
        )

    def face(self, key: str) -> FontFace:
        """The face of this key. Raises ToolchainUnfit when the book has no such face."""
        for face in self._faces:
            if face.key == key:
                return face
        raise ToolchainUnfit(
            f"no font has the digest {key}",
            hint="install the font packages the text was typeset with",
        )

    def opened(self, face: FontFace, weight: int, size_px: int) -> ImageFont.FreeTypeFont:
        """The face ready to draw, at this weight (as near as it goes) and em size in pixels.

        Raises ToolchainUnfit when Pillow cannot shape text.
        """
        return self._open(face, weight, size_px)


def _opened(face: FontFace, weight: int, size_px: int) -> ImageFont.FreeTypeFont:
    # Without Raqm Pillow falls back to a layout that neither joins nor orders letters.
    if not features.check("raqm") or not features.check("fribidi"):
        raise ToolchainUnfit(
            "Pillow cannot shape text: Raqm or FriBiDi is missing",
            hint="install a Pillow wheel with Raqm, and libfribidi0",
        )
    font = ImageFont.truetype(
        BytesIO(face.data), size_px, index=face.index, layout_engine=ImageFont.Layout.RAQM
    )
    if face.axes:
        font.set_variation_by_axes([_position(axis, weight) for axis in face.axes])
    return font


def _position(axis: Axis, weight: int) -> float:
    if axis.tag != "wght":
        return axis.default
    return min(max(weight, axis.minimum), axis.maximum)
