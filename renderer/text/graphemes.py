"""Text cut into what a reader sees as one character, and where lines may break between them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_JOINER = "\u200d"
_ZERO_WIDTH_SPACE = "\u200b"
_NO_BREAK = "\u00a0\u202f\u2060\ufeff"
_VIRAMAS = frozenset("\u094d\u09cd\u0a4d\u0acd\u0b4d\u0c4d\u0ccd\u0d4d")
_NEVER_FIRST = frozenset(
    "、。，．：；！？）］｝〕〉》」』】ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ々・…”’"
)
_NEVER_LAST = frozenset("（［｛〔〈《「『【“‘")
_EXPLICIT_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def cleaned(text: str) -> str:
    """The text as it is set: composed, one kind of line end, no control characters."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    for separator in "\v\f\x85\u2028\u2029":
        lines = lines.replace(separator, "\n")
    kept = (
        char
        for char in lines.replace("\t", " ")
        if char == "\n" or (unicodedata.category(char) != "Cc" and char not in _EXPLICIT_BIDI)
    )
    return "".join(kept)


def is_invisible(char: str) -> bool:
    """Whether a character steers others and needs no glyph of its own."""
    return unicodedata.category(char) in ("Cf", "Cc") or _is_selector(char)


def visible(cluster: str) -> str:
    """What of a cluster needs a glyph."""
    return "".join(char for char in cluster if not is_invisible(char))


def clusters(text: str) -> tuple[str, ...]:
    """`text` cut so that no accent, joined emoji, flag or conjunct is torn apart."""
    found: list[str] = []
    for char in text:
        if found and _continues(found[-1], char):
            found[-1] += char
        else:
            found.append(char)
    return tuple(found)


def breakable_after(units: Sequence[str], place: int) -> bool:
    """Whether a line may end after `units[place]`."""
    if place + 1 >= len(units):
        return True
    here, following = units[place], units[place + 1]
    if _is_space(here) or here == _ZERO_WIDTH_SPACE:
        return not _is_space(following)
    if here[0] in _NO_BREAK or following[0] in _NO_BREAK or _is_space(following):
        return False
    if here[0] in _NEVER_LAST or following[0] in _NEVER_FIRST:
        return False
    if here[-1] in "-\u2010\u2013\u2014":
        return place > 0 and units[place - 1][0].isalpha() and following[0].isalpha()
    return _is_ideographic(here[0]) or _is_ideographic(following[0])


def _is_space(unit: str) -> bool:
    return unit[0].isspace() and unit[0] not in _NO_BREAK


def _is_ideographic(char: str) -> bool:
    code = ord(char)
    return 0x2E80 <= code <= 0xA4CF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF


def _is_selector(char: str) -> bool:
    code = ord(char)
    return 0xFE00 <= code <= 0xFE0F or 0xE0000 <= code <= 0xE01EF


def _is_regional(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def _continues(cluster: str, char: str) -> bool:
    if _is_regional(char):
        return len(cluster) == 1 and _is_regional(cluster)
    if cluster[-1] in _VIRAMAS and unicodedata.category(char) == "Lo":
        return True
    if cluster[-1] == _JOINER and not char.isspace():
        return True
    return (
        unicodedata.category(char) in ("Mn", "Mc", "Me")
        or char in (_JOINER, "\u200c", "\u0e33", "\u0eb3")
        or _is_selector(char)
        or 0x1F3FB <= ord(char) <= 0x1F3FF
    )
