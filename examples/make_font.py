"""A small font of square dots, drawn here so that an example can bring a font of its own."""

from __future__ import annotations

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

FAMILY = "Reel Dots"
_DOT, _GAP = 100, 12  # font units: seven rows of dots, thin lines of ground between them
_EPOCH = 3_786_825_600  # 2024, counted from 1904: a font that does not tell when it was made
_LETTERS = {
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "D": "11110 10001 10001 10001 10001 10001 11110",
    "E": "11111 10000 10000 11110 10000 10000 11111",
    "F": "11111 10000 10000 11110 10000 10000 10000",
    "H": "10001 10001 10001 11111 10001 10001 10001",
    "I": "111 010 010 010 010 010 111",
    "K": "10001 10010 10100 11000 10100 10010 10001",
    "L": "10000 10000 10000 10000 10000 10000 11111",
    "M": "10001 11011 10101 10101 10001 10001 10001",
    "N": "10001 11001 11001 10101 10011 10011 10001",
    "O": "01110 10001 10001 10001 10001 10001 01110",
    "R": "11110 10001 10001 11110 10100 10010 10001",
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "Y": "10001 10001 01010 00100 00100 00100 00100",
}


def make_font(out: Path) -> None:
    """Write the font as TrueType; the same bytes each time."""
    glyphs = {".notdef": TTGlyphPen(None).glyph(), "space": TTGlyphPen(None).glyph()}
    widths = {".notdef": (3 * _DOT, 0), "space": (3 * _DOT, 0)}
    for letter, rows in _LETTERS.items():
        glyphs[letter] = _glyph(rows.split())
        widths[letter] = ((len(rows.split()[0]) + 1) * _DOT, 0)
    font = FontBuilder(unitsPerEm=1000, isTTF=True)
    font.setupGlyphOrder(list(glyphs))
    font.setupCharacterMap({ord(letter): letter for letter in _LETTERS} | {32: "space"})
    font.setupGlyf(glyphs)
    font.setupHorizontalMetrics(widths)
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": FAMILY, "styleName": "Regular"})
    font.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
    font.setupPost()
    font.setupHead(unitsPerEm=1000, created=_EPOCH, modified=_EPOCH)
    font.font.recalcTimestamp = False
    font.save(out)


def _glyph(rows: list[str]) -> object:
    pen = TTGlyphPen(None)
    for row, dots in enumerate(reversed(rows)):
        for column, dot in enumerate(dots):
            if dot == "1":
                left, bottom = column * _DOT, row * _DOT
                right, top = left + _DOT - _GAP, bottom + _DOT - _GAP
                pen.moveTo((left, bottom))
                for corner in ((left, top), (right, top), (right, bottom)):
                    pen.lineTo(corner)
                pen.closePath()
    return pen.glyph()
