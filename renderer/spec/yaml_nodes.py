"""The node tree of a YAML text, built from the parser's events with nothing left to chance.

Events come one at a time, so that depth is bounded before anything recurses. Tags, second
documents and unknown aliases are faults here; what scalars mean is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from renderer.errors import Fault, Position
from renderer.limits import Limits
from renderer.spec.positions import Lines
from renderer.spec.scalars import too_deep, too_many

_AFTER_ANCHOR = frozenset("\t\n\r ,[]{}") | {""}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True, eq=False)
class Node:
    """A scalar (`text`), a list (`items`) or a mapping (`pairs`), and where it begins.

    `values` counts it and, once it is closed, what it holds with all aliases written out.
    """

    kind: str
    position: Position
    text: str = ""
    is_plain: bool = False
    values: int = 1
    items: list[Node] = field(default_factory=list)
    pairs: list[tuple[Node, Node]] = field(default_factory=list)


@dataclass(slots=True)
class Tree:
    """The root node, if the text has one that may be walked, and what is wrong so far.

    `is_whole` is False when the text could not be understood up to its end.
    """

    root: Node | None = None
    is_whole: bool = True
    faults: list[Fault] = field(default_factory=list)


def build_tree(text: str, lines: Lines, limits: Limits) -> Tree:
    """All nodes of the one document in `text`. Never raises for what the text holds."""
    builder = _Builder(text, lines, limits)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if not builder.take(event):
                break
    except yaml.MarkedYAMLError as error:
        builder.stop(_syntax_fault(error, text, lines))
    except yaml.YAMLError as error:
        at = lines.at(getattr(error, "position", 0))
        builder.stop(Fault(code="bad-yaml", message=f"not YAML: {error}", position=at))
    return builder.tree


class _Builder:
    """Open collections on a stack; a mapping's key waits in `keys` for its value."""

    def __init__(self, text: str, lines: Lines, limits: Limits) -> None:
        self.text = text
        self.lines = lines
        self.limits = limits
        self.tree = Tree()
        self.open: list[Node] = []
        self.keys: list[Node | None] = []
        self.anchors: dict[str, Node] = {}
        self.values = 0
        self.documents = 0

    def take(self, event: Any) -> bool:
        """Work in one event; False when reading on makes no sense."""
        position = self.lines.at(event.start_mark.index)
        if isinstance(event, yaml.DocumentStartEvent):
            return self.begin_document(position)
        if isinstance(event, yaml.CollectionEndEvent):
            closed = self.open.pop()
            self.keys.pop()
            closed.values += self.values  # see `node`, which took away what was there before
        elif isinstance(event, yaml.AliasEvent):
            self.alias(event.anchor or "", position)
        elif isinstance(event, yaml.NodeEvent):
            self.node(event, position)
        return self.is_bounded(position)

    def is_bounded(self, position: Position) -> bool:
        """Whether depth and the number of values are within the limits; else that is a fault."""
        if len(self.open) > self.limits.max_depth:
            self.stop(too_deep((), position, self.limits))
        elif self.values > self.limits.max_nodes:
            self.stop(too_many((), position, self.limits))
            self.tree.root = None  # a walk would write out what was refused
        return self.tree.is_whole

    def begin_document(self, position: Position) -> bool:
        self.documents += 1
        if self.documents > 1:
            self.fault("several-documents", "a second document begins", position, "one a file")
        return self.documents == 1

    def node(self, event: Any, position: Position) -> None:
        if event.tag is not None:
            hint = "quotes make text; everything else needs no tag"
            self.fault("bad-tag", f"the tag {_tag(event.tag)} is not allowed", position, hint)
        message, hint = _misread(self.text, event)
        if message:
            self.fault("bad-yaml", f"not YAML: {message}", position, hint)
        node = Node(kind=_kind(event), position=position)
        if event.anchor:
            self.anchors[event.anchor] = node
        if isinstance(event, yaml.ScalarEvent):
            node.text = event.value
            node.is_plain = not event.style
            self.add(node)
            return
        self.add(node)
        node.values -= self.values
        self.open.append(node)
        self.keys.append(None)

    def alias(self, name: str, position: Position) -> None:
        node = self.anchors.get(name)
        if node is None:
            message = f"nothing above is anchored as &{name}"
            hint = f'put text that begins with * into quotes, or write "&{name}" before a value'
            self.fault("bad-alias", message, position, hint)
        elif any(node is opened for opened in self.open):
            self.fault("bad-alias", f"*{name} stands inside itself", position)
            node = None
        self.add(node or Node(kind="scalar", position=position, is_plain=True))

    def add(self, node: Node) -> None:
        if not self.open:
            self.tree.root = self.tree.root or node
        elif self.open[-1].kind == "list":
            self.open[-1].items.append(node)
        elif self.keys[-1] is None:
            self.keys[-1] = node
            return  # the name of a value is none
        else:
            self.open[-1].pairs.append((self.keys[-1], node))
            self.keys[-1] = None
        self.values += node.values

    def fault(self, code: str, message: str, position: Position, hint: str = "") -> None:
        fault = Fault(code=code, message=message, hint=hint, position=position)
        self.tree.faults.append(fault)

    def stop(self, fault: Fault) -> None:
        """Take note of a fault after which the text makes no sense."""
        self.tree.is_whole = False
        self.tree.faults.append(fault)


def _misread(text: str, event: Any) -> tuple[str, str]:
    """What libyaml reads otherwise than YAML means, with a hint; nothing when all is well.

    It takes `?x` between brackets for a key `x`, and ends an anchor at the first odd character.
    """
    index = event.start_mark.index
    if text[index - 1 : index] == "?":
        return "a ? right before a text", "put the text into quotes, with the ? if it belongs to it"
    name = f"&{event.anchor}"
    follows = text[index + len(name) : index + len(name) + 1]
    if event.anchor and text.startswith(name, index) and follows not in _AFTER_ANCHOR:
        return f"the anchor {name} goes on with {follows}", "use letters, digits, - and _ alone"
    return "", ""


def _kind(event: Any) -> str:
    if isinstance(event, yaml.ScalarEvent):
        return "scalar"
    return "list" if isinstance(event, yaml.SequenceStartEvent) else "mapping"


def _tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")[:60]


_IN_WORDS = (
    ("mapping values are not allowed", "a second colon on the line", "quote"),
    ("could not find expected ':'", 'a line with neither ":" nor "-"', "colon"),
    ("did not find expected key", "the line does not fit what stands above it", "align"),
    ("did not find expected '-' indicator", "the line does not fit the list above it", "align"),
    ("did not find expected <document start>", "the line begins further left", "align"),
    ("did not find expected ',' or '}'", 'expected "," or "}"', "comma"),
    ("did not find expected ',' or ']'", 'expected "," or "]"', "comma"),
    ("found unknown escape character", "an escape that YAML does not know", "escape"),
    ("found character that cannot start any token", "a character that cannot begin a value",
     "quote"),
)  # fmt: skip
_HINTS = {
    "quote": "put text that holds a colon or begins with a sign into quotes",
    "colon": 'a field is written "name: value"',
    "align": "indent the fields of one mapping by the same number of spaces",
    "comma": "brackets that are opened must be closed",
    "escape": "double a backslash, or use 'single quotes'",
}


def _syntax_fault(error: yaml.MarkedYAMLError, text: str, lines: Lines) -> Fault:
    mark = error.problem_mark or error.context_mark
    index = mark.index if mark else 0
    problem = error.problem or error.context or "the text has not the form of YAML"
    if index >= len(text.rstrip()):
        begun = error.context_mark.index if error.context_mark else index
        message = f"the document ends before what begins at {_spot(lines.at(begun))} is closed"
        hint = "is the file still being written?"
        where = lines.at(len(text.rstrip()))
        return Fault(code="half-written", message=message, hint=hint, position=where)
    message, hint = _in_words(problem, text[index : index + 1])
    return Fault(
        code="bad-yaml", message=f"not YAML: {message}", hint=hint, position=lines.at(index)
    )


def _in_words(problem: str, character: str) -> tuple[str, str]:
    if character == "\t" or "\\t" in problem:
        return "a tab where YAML wants spaces", "indent with spaces"
    for theirs, ours, hint in _IN_WORDS:
        if theirs in problem:
            return ours, _HINTS[hint]
    return problem, _HINTS["quote"]


def _spot(position: Position) -> str:
    return f"{position.line}:{position.column}"
