"""Text cut into what a reader sees as one character, and where lines may break between them.

ICU knows both: the rules of Unicode (UAX #29, UAX #14) and the dictionaries of the scripts
that put no space between words (Thai, Lao, Khmer, Burmese).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from enum import Enum

from icu4py.breakers import BaseBreaker, CharacterBreaker, LineBreaker

_LOCALE = "en"
"""Named, so that the locale of the machine does not decide."""

_EXPLICIT_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TEXT_LOOK, _EMOJI_LOOK = "\ufe0e", "\ufe0f"
_EMOJI_BY_DEFAULT = frozenset(
    "⌚⌛⏩⏪⏫⏬⏰⏳◽◾☔☕♈♉♊♋♌♍♎♏♐♑♒♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓❔❕❗➕➖➗➰➿⬛⬜⭐⭕"
)


class Look(Enum):
    """How a cluster asks to be seen."""

    ANY = "any"
    LETTER = "letter"
    PICTURE = "picture"


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


def asked_look(cluster: str) -> Look:
    """Whether a cluster asks to be seen as a picture, as a letter, or does not mind."""
    if _TEXT_LOOK in cluster:
        return Look.LETTER
    first = cluster[0]
    is_emoji = _EMOJI_LOOK in cluster or ord(first) >= 0x1F000 or first in _EMOJI_BY_DEFAULT
    return Look.PICTURE if is_emoji else Look.ANY


def clusters(text: str) -> tuple[str, ...]:
    """`text` cut so that no accent, joined emoji, flag or conjunct is torn apart."""
    cuts = tuple(_cuts(CharacterBreaker(text, _LOCALE), text))
    return tuple(text[start:end] for start, end in zip((0, *cuts), cuts, strict=False))


def line_breaks(text: str) -> frozenset[int]:
    """The places in `text` where a line may end, its end included."""
    return frozenset(_cuts(LineBreaker(text, _LOCALE), text)) | {len(text)}


def phrase_breaks(text: str) -> frozenset[int]:
    """The places of `line_breaks` where a reader likes a line to end.

    Korean words and Japanese phrases stay whole, as other words do; other text has the same
    places.
    """
    is_japanese = any(0x3040 <= ord(char) <= 0x30FF for char in text)
    breaker = LineBreaker(text, "ja@lw=phrase" if is_japanese else _LOCALE)
    cuts = (cut for cut in _cuts(breaker, text) if not _inside_korean_word(text, cut))
    return frozenset(cuts) | {len(text)}


def _inside_korean_word(text: str, cut: int) -> bool:
    beside = text[cut - 1 : cut + 1]
    return len(beside) == 2 and all(0xAC00 <= ord(char) <= 0xD7A3 for char in beside)


def _cuts(breaker: BaseBreaker, text: str) -> Iterator[int]:
    """Where segments end, in characters; ICU counts in units of UTF-16."""
    place = units = 0
    for _, end in breaker.segments():
        while units < end:
            units += 2 if ord(text[place]) > 0xFFFF else 1
            place += 1
        yield place


def _is_selector(char: str) -> bool:
    code = ord(char)
    return 0xFE00 <= code <= 0xFE0F or 0xE0000 <= code <= 0xE01EF
