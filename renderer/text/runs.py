"""Clusters that share a face, a direction and a script become runs, and runs become glyphs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby

import uharfbuzz as hb
from fontTools.unicodedata import script

from renderer.text.bidi import base_level, levels, visual_order
from renderer.text.faces import FontBook, FontFace
from renderer.text.graphemes import Look, asked_look, clusters, visible
from renderer.text.style import Direction, TextStyle

_JOINED = (
    "Arab", "Beng", "Deva", "Gujr", "Guru", "Knda", "Mlym",
    "Mong", "Nkoo", "Orya", "Sinh", "Syrc", "Taml", "Telu",
)  # fmt: skip
"""Scripts whose letters hang together."""
_EAST_ASIAN = {"Hira": "Hani", "Kana": "Hani"}
"""Scripts of one Japanese sentence, set in one run."""
_ANY_SCRIPT = ("Zyyy", "Zinh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One cluster with its face, its embedding level and its script."""

    text: str
    face: FontFace
    level: int
    script: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Clusters of one face, direction and script; `x` is the pen's left end in the block."""

    text: str
    face_key: str
    is_rtl: bool
    script: str
    x: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyph:
    """A glyph of a run: `cluster` is the place of its character, lengths are in font units."""

    id: int
    cluster: int
    advance: int
    dx: int
    dy: int


class Caster:
    """Gives clusters their faces, best first; remembers what no face has."""

    def __init__(self, text: str, style: TextStyle, fonts: FontBook) -> None:
        faces = fonts.candidates(style.families, italic=style.italic, weight=style.weight)
        self.faces = _in_language_order(text, faces, style.families)
        self._direction = style.direction
        self.missing: set[str] = set()

    def units(self, line: str) -> tuple[tuple[Unit, ...], int]:
        """The clusters of a paragraph, and its base level."""
        base = base_level(line) if self._direction is Direction.AUTO else 0
        base = 1 if self._direction is Direction.RTL else base
        all_levels, scripts = levels(line, base), _scripts(line)
        units: list[Unit] = []
        place = 0
        for cluster in clusters(line):
            face = self._face(cluster, units[-1].face if units else None)
            units.append(
                Unit(text=cluster, face=face, level=all_levels[place], script=scripts[place])
            )
            place += len(cluster)
        return tuple(units), base

    @cached_property
    def _pictures_first(self) -> tuple[FontFace, ...]:
        return tuple(sorted(self.faces, key=lambda face: not face.has_colour))

    @cached_property
    def _pictures_last(self) -> tuple[FontFace, ...]:
        return tuple(sorted(self.faces, key=lambda face: face.has_colour))

    def _face(self, cluster: str, before: FontFace | None) -> FontFace:
        needed = visible(cluster)
        look = asked_look(cluster)
        # Spaces and points stay in the face they follow, so that a sentence is not torn apart.
        follows = unicodedata.category(cluster[0])[0] in "ZPC" and look is Look.ANY
        if follows and before is not None and not before.has_colour and before.covers(needed):
            return before
        faces = self.faces
        if look is not Look.ANY:  # only then are all fonts opened to see which have colours
            faces = self._pictures_first if look is Look.PICTURE else self._pictures_last
        for face in faces:
            if face.covers(needed):
                return face
        for face in faces:
            if face.covers(needed[:1]):
                self.missing.update(char for char in needed if not face.covers(char))
                return face
        self.missing.update(needed)
        return faces[0]


def ordered_runs(units: Sequence[Unit]) -> tuple[Run, ...]:
    """The runs of a line from left to right."""
    logical = logical_runs(units)
    return tuple(logical[place][1] for place in visual_order([level for level, _ in logical]))


def logical_runs(units: Sequence[Unit]) -> list[tuple[int, Run]]:
    """The runs of a line in reading order, each with its level."""
    found = []
    for (level, key, tongue), group in groupby(
        units, key=lambda u: (u.level, u.face.key, u.script)
    ):
        text = "".join(unit.text for unit in group)
        found.append((level, Run(text=text, face_key=key, is_rtl=bool(level % 2), script=tongue)))
    return found


def is_joined(run: Run) -> bool:
    """Whether the letters of a run hang together, so that none may be set apart."""
    return run.script in _JOINED


def shaped(run: Run, font: hb.Font, features: tuple[str, ...] = ()) -> tuple[Glyph, ...]:
    """The glyphs of a run from left to right. `features` names those to turn off."""
    return _shaped(run.text, run.is_rtl, run.script, font, features)


@lru_cache(maxsize=4096)
def _shaped(
    text: str, is_rtl: bool, tongue: str, font: hb.Font, features: tuple[str, ...]
) -> tuple[Glyph, ...]:
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.direction = "rtl" if is_rtl else "ltr"
    buffer.script = tongue
    buffer.language = "und"  # never the language of the machine
    buffer.flags = hb.BufferFlags.BOT | hb.BufferFlags.EOT
    hb.shape(font, buffer, dict.fromkeys(features, False))
    glyphs = zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    return tuple(
        Glyph(id=info.codepoint, cluster=info.cluster, advance=at.x_advance,
              dx=at.x_offset, dy=at.y_offset)
        for info, at in glyphs
    )  # fmt: skip


def _in_language_order(
    text: str, faces: Iterable[FontFace], families: Iterable[str]
) -> tuple[FontFace, ...]:
    """Faces to try; Han characters take Japanese or Korean shapes beside kana or hangul."""
    tongue = "SC"
    if any(0x3040 <= ord(char) <= 0x30FF for char in text):
        tongue = "JP"
    elif any(0xAC00 <= ord(char) <= 0xD7A3 for char in text):
        tongue = "KR"
    chosen = {name.casefold() for name in families}

    def later(face: FontFace) -> bool:
        is_han = " CJK " in face.family and face.family.casefold() not in chosen
        return is_han and not face.family.endswith(tongue)

    return tuple(sorted(faces, key=later))


def _scripts(text: str) -> list[str]:
    """The script of each character; signs that belong to none take that of their neighbours."""
    found = [_EAST_ASIAN.get(name, name) for name in map(script, text)]
    first = next((name for name in found if name not in _ANY_SCRIPT), "Latn")
    for place, name in enumerate(found):
        if name in _ANY_SCRIPT:
            found[place] = found[place - 1] if place else first
    return found
