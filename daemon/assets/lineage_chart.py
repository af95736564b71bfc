"""The lineage of an asset as an SVG picture: what it was made from above, what came of it below.

Colours are attributes, not styles, and nothing is scripted or fetched, so that the picture may
stand in pages with the strictest rules. Pure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from html import escape

from daemon.catalog.derivations import Lineage
from daemon.catalog.nodes import ASSET, JOB, Node

_INK, _FAINT, _GROUND, _LINE = "#e6e9ef", "#8a93a5", "#161a22", "#5a6478"
_COLOURS = {ASSET: "#3f7fd1", JOB: "#d96c3a"}
_REFERENCE = "#2f9e77"
_BOX_W, _BOX_H, _GAP_X, _GAP_Y, _EDGE = 204, 44, 18, 46, 20
_LETTERS = 26


def lineage_chart(lineage: Lineage, labels: Mapping[Node, str]) -> str:
    """The SVG: a row a step, `labels` under the names where there are any."""
    steps = _steps(lineage)
    rows = {step: sorted(n for n, at in steps.items() if at == step) for step in steps.values()}
    places = dict(_placed(rows))
    width = 2 * _EDGE + max(len(row) for row in rows.values()) * (_BOX_W + _GAP_X) - _GAP_X
    height = 2 * _EDGE + len(rows) * (_BOX_H + _GAP_Y) - _GAP_Y
    parts = [f'<rect width="{width}" height="{height}" fill="{_GROUND}"/>']
    parts += [_arrow(places[edge.parent], places[edge.child])
              for edge in sorted({*lineage.up, *lineage.down})]  # fmt: skip
    parts += [_box(node, labels.get(node, ""), places[node], is_it=node == lineage.node)
              for node in sorted(places)]  # fmt: skip
    title = escape(f"Lineage of {lineage.node.kind} {_shown(lineage.node.node_id)}")
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" font-family="Noto Sans, sans-serif" '
        f'font-size="12"><title>{title}</title>\n{body}\n</svg>\n'
    )


def _steps(lineage: Lineage) -> dict[Node, int]:
    """How far each node is: below 0 what it was made from, above 0 what came of it."""
    steps = {lineage.node: 0}
    _walk(steps, lineage.node, ((edge.child, edge.parent) for edge in lineage.up), -1)
    _walk(steps, lineage.node, ((edge.parent, edge.child) for edge in lineage.down), 1)
    return steps


def _walk(
    steps: dict[Node, int], start: Node, ways: Iterable[tuple[Node, Node]], sign: int
) -> None:
    onward: dict[Node, list[Node]] = {}
    for near, far in ways:
        onward.setdefault(near, []).append(far)
    due = deque([start])
    while due:
        near = due.popleft()
        for far in onward.get(near, ()):
            if far not in steps:
                steps[far] = steps[near] + sign
                due.append(far)


def _placed(rows: Mapping[int, list[Node]]) -> Iterator[tuple[Node, tuple[int, int]]]:
    for number, step in enumerate(sorted(rows)):
        for column, node in enumerate(rows[step]):
            yield node, (_EDGE + column * (_BOX_W + _GAP_X), _EDGE + number * (_BOX_H + _GAP_Y))


def _box(node: Node, label: str, place: tuple[int, int], *, is_it: bool) -> str:
    x, y = place
    colour = _COLOURS.get(node.kind, _REFERENCE)
    rim = f' stroke="{_INK}" stroke-width="2"' if is_it else ""
    name = escape(_cut(f"{node.kind} {label}" if label else node.kind))
    whole = escape(_shown(f"{node.kind} {node.node_id} {label}"))
    return (
        f"<g><title>{whole}</title>"
        f'<rect x="{x}" y="{y}" width="{_BOX_W}" height="{_BOX_H}" rx="5" fill="{colour}"{rim}/>'
        f'<text x="{x + 9}" y="{y + 18}" fill="#ffffff">{name}</text>'
        f'<text x="{x + 9}" y="{y + 34}" fill="#ffffff" font-size="10">'
        f"{escape(_cut(node.node_id))}</text></g>"
    )


def _arrow(parent: tuple[int, int], child: tuple[int, int]) -> str:
    x1, y1 = parent[0] + _BOX_W // 2, parent[1] + _BOX_H
    x2, y2 = child[0] + _BOX_W // 2, child[1]
    middle = (y1 + y2) // 2
    return (
        f'<path d="M{x1} {y1} C{x1} {middle} {x2} {middle} {x2} {y2}" fill="none" '
        f'stroke="{_LINE}" stroke-width="1.5"/>'
    )


def _cut(text: str) -> str:
    flat = " ".join(_shown(text).split())
    return flat if len(flat) <= _LETTERS else flat[: _LETTERS - 1] + "…"


def _shown(text: str) -> str:
    """Text without what XML cannot hold."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
