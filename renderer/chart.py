"""An inspection as an SVG picture: a row a track, a row of segments, a ruler. Pure.

Colours are attributes, not styles, and nothing is scripted or fetched, so that the picture may
stand in pages with the strictest rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from html import escape

from renderer.explain import Explained
from renderer.inspection import Inspection, Item, Lane
from renderer.timebase import clock_text

_LEFT, _RIGHT, _ROW, _BAR, _RULER = 148, 16, 34, 26, 30
_INK, _FAINT, _GROUND, _PAPER = "#e6e9ef", "#8a93a5", "#161a22", "#1f2530"
_COLOURS = {
    "video": "#3f7fd1", "image": "#2f9e77", "text": "#c98a1b", "colour": "#77808f",
    "gradient": "#8a63c9", "sound": "#2a93a8", "transition": "#d4537e",
}  # fmt: skip
_ACTIONS = {"run": "#d96c3a", "reuse": "#4c9a5b", "repeat": "#6f7b91"}
_LETTER = 6.6
"""Width of a letter at size 12, near enough to cut names before they leave their bar."""
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def chart(found: Inspection, *, width: int = 1200) -> str:
    """The SVG, `width` pixels wide and as high as it has rows."""
    height = _RULER + _ROW * (len(found.lanes) + 1) + _RULER
    drawn = _Chart(found, width, height)
    body = "\n".join(drawn.parts())
    title = escape(_clean(f"Timeline of {found.spec_id}"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" font-family="Noto Sans, sans-serif" '
        f'font-size="12"><title>{title}</title>\n{body}\n</svg>\n'
    )


def ruler(width: int) -> tuple[int, int]:
    """Where the first frame begins and the last one ends, pixels from the left of a chart."""
    return _LEFT, width - _RIGHT


class _Chart:
    def __init__(self, found: Inspection, width: int, height: int) -> None:
        self.found, self.width, self.height = found, width, height
        self.room = Fraction(width - _LEFT - _RIGHT, max(1, found.length))

    def parts(self) -> Iterator[str]:
        yield _box(0, 0, self.width, self.height, _GROUND)
        yield from self._ruler()
        top = _RULER
        seen = [lane for lane in self.found.lanes if not lane.heard]
        heard = [lane for lane in self.found.lanes if lane.heard]
        for lane in (*reversed(seen), *heard):  # as in editors: the top layer on top, sound below
            yield from self._lane(lane, top)
            top += _ROW
        yield from self._segments(top)
        for name, frame in self.found.markers:
            yield from self._marker(name, frame)
        yield from self._legend()

    def _ruler(self) -> Iterator[str]:
        seconds = self.found.length / self.found.fps
        step = next((step for step in _STEPS if seconds / step <= 12), _STEPS[-1])
        for tick in range(0, int(seconds) + 1, step):
            x = self._x(tick * self.found.fps)
            yield _line(x, _RULER - 8, x, self.height - _RULER, "#2b3240")
            yield _words(x + 3, 16, clock_text(Fraction(tick)).partition(".")[0], _FAINT, 11)

    def _lane(self, lane: Lane, top: int) -> Iterator[str]:
        yield _words(10, top + 20, _cut(lane.name, _LEFT - 18), _INK)
        yield _box(_LEFT, top + 3, self.width - _LEFT - _RIGHT, _BAR, _PAPER)
        for item in lane.items:
            if item.kind != "gap":
                yield from self._item(item, top)

    def _item(self, item: Item, top: int) -> Iterator[str]:
        left, right = self._x(item.start), self._x(item.end)
        what = _clean(f"{item.kind}: {item.name}, frames {item.start}..{item.end}")
        yield f"<g><title>{escape(what)}</title>"
        yield _box(left, top + 3, max(1.0, right - left - 1), _BAR, _COLOURS[item.kind], round_=3)
        yield _words(left + 5, top + 20, _cut(item.name, right - left - 10), "#ffffff")
        yield "</g>"

    def _segments(self, top: int) -> Iterator[str]:
        yield _words(10, top + 20, "segments", _FAINT)
        for row in self.found.segments:
            yield from self._segment(row, top)

    def _segment(self, row: Explained, top: int) -> Iterator[str]:
        left, right = self._x(row.span.start), self._x(row.span.end)
        what = _clean(f"segment {row.index}: {row.action}, {row.why}")
        yield f"<g><title>{escape(what)}</title>"
        yield _box(left, top + 9, max(1.0, right - left - 1), 14, _ACTIONS[row.action], round_=2)
        yield "</g>"

    def _marker(self, name: str, frame: int) -> Iterator[str]:
        x = self._x(frame)
        yield f"<g><title>{escape(_clean(f'{name}, frame {frame}'))}</title>"
        yield f'<path d="M{x:.1f} {_RULER - 2} l-5 -8 h10 z" fill="#f2f4f8"/>'
        yield "</g>"

    def _legend(self) -> Iterator[str]:
        used = {item.kind for lane in self.found.lanes for item in lane.items}
        kinds = [(kind, colour) for kind, colour in _COLOURS.items() if kind in used]
        actions = {row.action for row in self.found.segments}
        words = {"run": "to draw", "reuse": "drawn before", "repeat": "drawn once, shown again"}
        kinds += [(words[name], colour) for name, colour in _ACTIONS.items() if name in actions]
        x = float(_LEFT)
        for name, colour in kinds:
            yield _box(x, self.height - 20, 10, 10, colour, round_=2)
            yield _words(x + 15, self.height - 11, name, _FAINT, 11)
            x += 15 + len(name) * _LETTER + 18

    def _x(self, frame: int | Fraction) -> float:
        return float(_LEFT + frame * self.room)


def _box(x: float, y: float, width: float, height: float, fill: str, round_: int = 0) -> str:
    corner = f' rx="{round_}"' if round_ else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f'{corner} fill="{fill}"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f} L{x2:.1f} {y2:.1f}" stroke="{colour}"/>'


def _words(x: float, y: float, text: str, colour: str, size: int = 12) -> str:
    if not text:
        return ""
    grown = f' font-size="{size}"' if size != 12 else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{grown}>{escape(_clean(text))}</text>'


def _cut(text: str, room: float) -> str:
    """The text, or as much of it as there is room for; nothing where three letters do not fit."""
    letters = int(room / _LETTER)
    flat = " ".join(_clean(text).split())
    if letters < 3:
        return ""
    return flat if len(flat) <= letters else flat[: letters - 1] + "…"


def _clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
