"""Fonts in memory: faces, their coverage, and the order in which they help each other out."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

from fontTools.ttLib import TTCollection, TTFont
from PIL import ImageFont


class FontFace:
    """One font file. Its bytes are fetched by `fetch` when first needed."""

    def __init__(self, family: str, italic: bool, sha256: str, fetch: Callable[[], bytes]) -> None:
        self.family = family
        self.italic = italic
        self.sha256 = sha256
        self._fetch = fetch

    @cached_property
    def data(self) -> bytes:
        """The file's bytes."""
        return self._fetch()

    @cached_property
    def coverage(self) -> frozenset[int]:
        """Code points with a glyph."""
        if self.data[:4] == b"ttcf":
            font = TTCollection(io.BytesIO(self.data), lazy=True).fonts[0]
        else:
            font = TTFont(io.BytesIO(self.data), lazy=True)
        return frozenset(font.getBestCmap())

    @lru_cache(maxsize=64)  # noqa: B019 - faces live as long as the process
    def at(self, size_px: int, weight: int) -> ImageFont.FreeTypeFont:
        """The face at a size and weight, laid out by raqm."""
        font = ImageFont.truetype(
            io.BytesIO(self.data), size_px, layout_engine=ImageFont.Layout.RAQM
        )
        try:
            axes = font.get_variation_axes()
        except OSError:  # not a variable font
            return font
        font.set_variation_by_axes([_axis(axis, weight) for axis in axes])
        return font


class FontBook:
    """Faces in fallback order."""

    def __init__(self, faces: Sequence[FontFace]) -> None:
        self.faces = tuple(faces)

    @property
    def families(self) -> tuple[str, ...]:
        """Names of all families, sorted."""
        return tuple(sorted({face.family for face in self.faces}))

    def has_family(self, name: str) -> bool:
        """Whether a family of that name is here."""
        return any(face.family == name for face in self.faces)

    def face_for(self, cluster: str, families: Sequence[str], italic: bool) -> FontFace | None:
        """The first face that has all of `cluster`; the wanted families are asked first."""
        points = {ord(c) for c in cluster} - _INVISIBLE
        wanted = [f for name in families for f in self.faces if f.family == name]
        wanted.sort(key=lambda face: face.italic != italic)
        rest = [face for face in self.faces if not face.italic]
        return next((face for face in [*wanted, *rest] if points <= face.coverage), None)


_INVISIBLE = frozenset({0x200D, 0xFE0E, 0xFE0F, 0x200B, 0x200C, 0x200E, 0x200F, 0x2060, 0xFEFF})


def _axis(axis: dict[str, object], weight: int) -> float:
    name = axis["name"]
    text = name.decode() if isinstance(name, bytes) else str(name)
    low, high = float(str(axis["minimum"])), float(str(axis["maximum"]))
    wanted = float(weight) if text.lower() == "weight" else float(str(axis["default"]))
    return min(max(wanted, low), high)
