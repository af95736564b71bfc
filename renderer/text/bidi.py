"""The order in which mixed left-to-right and right-to-left text is read (UAX #9).

Explicit embeddings are not supported; they are taken out of the text before.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_STRONG = {"L": 0, "R": 1, "AL": 1}
_NEUTRAL = ("B", "S", "WS", "ON", "BN")
_BRACKETS = (
    "()[]{}༺༻༼༽᚛᚜⁅⁆⁽⁾₍₎⌈⌉⌊⌋❨❩❪❫❬❭❮❯❰❱❲❳❴❵⟅⟆⟦⟧⟨⟩⟪⟫⟬⟭⟮⟯"
    "⦃⦄⦅⦆⦇⦈⦉⦊⦋⦌⦍⦐⦏⦎⦑⦒⦓⦔⦕⦖⦗⦘⧘⧙⧚⧛⧼⧽⸢⸣⸤⸥⸦⸧⸨⸩⹕⹖⹗⹘⹙⹚⹛⹜"
    "〈〉《》「」『』【】〔〕〖〗〘〙〚〛﹙﹚﹛﹜﹝﹞（）［］｛｝｟｠｢｣"
)
_CLOSING = dict(zip(_BRACKETS[::2], _BRACKETS[1::2], strict=True))
_DEEPEST = 63


def base_level(text: str) -> int:
    """0 when the first letter is read left to right, 1 when right to left; 0 without letters."""
    for char in text:
        if (level := _STRONG.get(unicodedata.bidirectional(char))) is not None:
            return level
    return 0


def levels(text: str, base: int) -> tuple[int, ...]:
    """The embedding level of every character: odd ones run right to left."""
    kinds = [unicodedata.bidirectional(char) or "L" for char in text]
    edge = "R" if base else "L"
    marks = [kind == "NSM" for kind in kinds]
    _settle_weak(kinds, edge)
    _settle_brackets(text, kinds, marks, edge)
    _settle_neutral(kinds, edge)
    return tuple(_level(kind, base) for kind in kinds)


def visual_order(run_levels: Sequence[int]) -> tuple[int, ...]:
    """The indexes of runs from left to right (rule L2)."""
    order = list(range(len(run_levels)))
    for level in range(max(run_levels, default=0), 0, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and run_levels[order[end]] >= level:
                end += 1
            order[start:end] = order[start:end][::-1]
            start = max(end, start + 1)
    return tuple(order)


def _settle_weak(kinds: list[str], edge: str) -> None:
    _marks_follow_their_base(kinds, edge)  # W1
    _numbers_follow_letters(kinds, edge)  # W2, W3
    for place in range(1, len(kinds) - 1):  # W4
        before, here, after = kinds[place - 1 : place + 2]
        joins = (here == "CS" and before in ("EN", "AN")) or (here == "ES" and before == "EN")
        if joins and before == after:
            kinds[place] = before
    _terminators_join_numbers(kinds)  # W5
    for place, kind in enumerate(kinds):  # W6
        if kind in ("ES", "CS", "ET"):
            kinds[place] = "ON"
    _latin_numbers(kinds, edge)  # W7


def _marks_follow_their_base(kinds: list[str], edge: str) -> None:
    before = edge
    for place, kind in enumerate(kinds):
        if kind == "NSM":
            kinds[place] = before
        before = kinds[place]


def _numbers_follow_letters(kinds: list[str], edge: str) -> None:
    strong = edge
    for place, kind in enumerate(kinds):
        if kind in _STRONG:
            strong = kind
        if kind == "EN" and strong == "AL":
            kinds[place] = "AN"
        elif kind == "AL":
            kinds[place] = "R"


def _terminators_join_numbers(kinds: list[str]) -> None:
    place = 0
    while place < len(kinds):
        end = place
        while end < len(kinds) and kinds[end] == "ET":
            end += 1
        beside = (place > 0 and kinds[place - 1] == "EN") or kinds[end : end + 1] == ["EN"]
        if end > place and beside:
            kinds[place:end] = ["EN"] * (end - place)
        place = max(end, place + 1)


def _latin_numbers(kinds: list[str], edge: str) -> None:
    strong = edge
    for place, kind in enumerate(kinds):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[place] = "L"


def _settle_brackets(text: str, kinds: list[str], marks: Sequence[bool], edge: str) -> None:
    """N0: both brackets of a pair run the way of what they hold."""
    for start, end in _bracket_pairs(text, kinds):
        held = {_side(kind) for kind in kinds[start + 1 : end] if kind not in _NEUTRAL}
        if not held:
            continue
        side = edge
        if edge not in held:
            before = next((k for k in reversed(kinds[:start]) if k not in _NEUTRAL), edge)
            side = _side(before)
        for bracket in (start, end):
            past = bracket + 1
            while past < len(kinds) and marks[past]:  # marks stay with their bracket
                past += 1
            kinds[bracket:past] = [side] * (past - bracket)


def _bracket_pairs(text: str, kinds: Sequence[str]) -> list[tuple[int, int]]:
    waiting: list[tuple[str, int]] = []
    pairs = []
    for place, char in enumerate(text):
        if kinds[place] != "ON":
            continue
        if char in _CLOSING:
            if len(waiting) == _DEEPEST:
                break
            waiting.append((_CLOSING[char], place))
        for depth in range(len(waiting) - 1, -1, -1):
            if waiting[depth][0] == char:
                pairs.append((waiting[depth][1], place))
                del waiting[depth:]
                break
    return sorted(pairs)


def _settle_neutral(kinds: list[str], edge: str) -> None:
    place = 0
    while place < len(kinds):
        end = place
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        if end > place:  # N1, N2
            before = _side(kinds[place - 1]) if place else edge
            after = _side(kinds[end]) if end < len(kinds) else edge
            kinds[place:end] = [before if before == after else edge] * (end - place)
        place = max(end, place + 1)


def _side(kind: str) -> str:
    return "L" if kind == "L" else "R"


def _level(kind: str, base: int) -> int:
    if kind == "R":
        return 1
    if kind in ("EN", "AN"):
        return 2
    return 2 if base else 0
