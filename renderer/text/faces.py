"""Font faces as bytes, which characters they cover, and the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import uharfbuzz as hb

from renderer.digest import digest_of_bytes
from renderer.errors import ToolchainUnfit

_KEPT_OPEN = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class FontFile:
    """A font file, read when first needed and kept.

    `is_own` tells a file that the spec brings along from one that is installed. `unpacked`
    turns the stored bytes into a plain TrueType or OpenType file.
    """

    read: Callable[[], bytes]
    is_own: bool = False
    unpacked: Callable[[bytes], bytes] = bytes

    @cached_property
    def stored(self) -> bytes:
        """The bytes of the file as it lies there."""
        return self.read()

    @cached_property
    def sha256(self) -> str:
        """The digest of the file as it lies there."""
        return digest_of_bytes(self.stored)

    @cached_property
    def blob(self) -> hb.Blob:
        """What HarfBuzz reads."""
        return hb.Blob(self.unpacked(self.stored))


@dataclass(frozen=True, kw_only=True, eq=False)
class FontFace:
    """One face: a family, upright or italic, at `index` of a file."""

    family: str
    file: FontFile
    italic: bool = False
    index: int = 0

    @cached_property
    def key(self) -> str:
        """The name of this face in a `FontBook`: digest and index."""
        return f"{self.file.sha256}:{self.index}"

    @cached_property
    def tables(self) -> hb.Face:
        """The face as HarfBuzz knows it."""
        return hb.Face(self.file.blob, self.index)

    @cached_property
    def coverage(self) -> hb.Set:
        """The code points that have a glyph."""
        return self.tables.unicodes

    @cached_property
    def has_colour(self) -> bool:
        """Whether its glyphs bring colours of their own."""
        face = self.tables
        return bool(face.has_color_paint or face.has_color_layers or face.has_color_png)

    def covers(self, text: str) -> bool:
        """Whether every visible character of `text` has a glyph."""
        return all(ord(char) in self.coverage for char in text)

    def weight_gap(self, weight: int) -> float:
        """How far the nearest weight of this face is from `weight`."""
        for axis in self.tables.axis_infos:
            if axis.tag == "wght":
                return max(float(axis.min_value) - weight, weight - float(axis.max_value), 0.0)
        return abs(float(hb.Font(self.tables).get_style_value(hb.StyleTag.WEIGHT)) - weight)


class FontBook:
    """The faces at hand, in fallback order: earlier faces are tried first."""

    def __init__(self, faces: Iterable[FontFace]) -> None:
        self._faces = tuple(faces)
        self._open = lru_cache(maxsize=_KEPT_OPEN)(_opened)

    @property
    def families(self) -> tuple[str, ...]:
        """The names of all families, each once, in fallback order."""
        return tuple(dict.fromkeys(face.family for face in self._faces))

    @property
    def own_files(self) -> tuple[FontFile, ...]:
        """The font files of the spec, each once, in the order it names them."""
        return tuple(dict.fromkeys(face.file for face in self._faces if face.file.is_own))

    def has_family(self, name: str) -> bool:
        """Whether a family has this name; case does not matter."""
        return any(face.family.casefold() == name.casefold() for face in self._faces)

    def candidates(
        self, families: Iterable[str], *, italic: bool, weight: int = 400
    ) -> tuple[FontFace, ...]:
        """Every face once: `families` first, then the fallbacks.

        Within a family the wished slant comes first, then the nearest weight; a family of
        the spec's own stands before an installed one of the same name.
        """
        places = {name.casefold(): place for place, name in enumerate(self.families)}
        wished = {name.casefold(): place for place, name in enumerate(families)}

        def order(face: FontFace) -> tuple[int, int, bool, bool, float]:
            name = face.family.casefold()
            is_only = sum(one.family.casefold() == name for one in self._faces) == 1
            gap = 0.0 if is_only else face.weight_gap(weight)
            slant = face.italic != italic
            return (wished.get(name, len(wished)), places[name], not face.file.is_own, slant, gap)

        return tuple(sorted(self._faces, key=order))

    def face(self, key: str) -> FontFace:
        """The face of this key. Raises ToolchainUnfit when the book has no such face."""
        for face in self._faces:
            if face.key == key:
                return face
        raise ToolchainUnfit(
            f"no font has the digest {key}",
            hint="install the font packages the text was typeset with",
        )

    def opened(self, face: FontFace, weight: int) -> hb.Font:
        """The face ready to shape and draw, at this weight or as near as it goes.

        Its lengths are in units of the font: `face.tables.upem` of them make one em.
        """
        return self._open(face, weight)


def _opened(face: FontFace, weight: int) -> hb.Font:
    font = hb.Font(face.tables)
    axes = face.tables.axis_infos
    if axes:
        font.set_variations({axis.tag: _position(axis, weight) for axis in axes})
    return font


def _position(axis: hb.OTVarAxisInfo, weight: int) -> float:
    if axis.tag != "wght":
        return float(axis.default_value)
    return float(min(max(weight, axis.min_value), axis.max_value))
