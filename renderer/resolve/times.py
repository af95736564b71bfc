"""When clips begin and end: the graph of starts and lengths that may point at each other.

One node for the start, length and end of each clip and one for the whole video, worked off
in topological order; a cycle is a fault that names its members. Values are exact counts of
frames, as fractions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from graphlib import TopologicalSorter

from renderer.errors import Fault
from renderer.resolve.slots import Slot
from renderer.spec.clips import Clip, PointAt
from renderer.spec.model import VideoSpec
from renderer.spec.suggest import did_you_mean
from renderer.spec.values import Relation, to_relation, to_time
from renderer.timebase import Time

Node = tuple[str, int]
TOTAL: Node = ("total", -1)


class Times:
    """The graph of starts, lengths and ends."""

    def __init__(self, spec: VideoSpec, slots: tuple[Slot, ...], fps: Fraction) -> None:
        self.spec = spec
        self.slots = slots
        self.fps = fps
        self.by_id = {slot.clip.id: number for number, slot in enumerate(slots) if slot.clip.id}
        self.starts = tuple(_start_of(slot.clip) for slot in slots)
        self.lengths = tuple(_length_of(slot.clip) for slot in slots)

    def unknown_references(self) -> list[Fault]:
        """A fault for every `after` or `with` that points at nothing."""
        faults = []
        for number, slot in enumerate(self.slots):
            for field, when in (("start", self.starts[number]), ("length", self.lengths[number])):
                if isinstance(when, Relation) and when.clip and when.clip not in self.by_id:
                    faults.append(
                        Fault(
                            code="unknown-clip",
                            path=(*slot.path, field),
                            message=f'no clip has the id "{when.clip}"',
                            hint=did_you_mean(when.clip, self.by_id),
                        )
                    )
        return faults

    def evaluate(self) -> Mapping[Node, Fraction]:
        """All nodes, in exact frames. Raises CycleError."""
        graph: dict[Node, Sequence[Node]] = {}
        for number in range(len(self.slots)):
            graph["start", number] = self._start_needs(number)
            graph["length", number] = self._length_needs(number)
            graph["end", number] = (("start", number), ("length", number))
        graph[TOTAL] = self._total_needs(graph)
        values: dict[Node, Fraction] = {}
        for node in TopologicalSorter(graph).static_order():
            values[node] = self._value(node, values, graph)
        return values

    def cycle_fault(self, cycle: Sequence[Node]) -> Fault:
        """The fault that names the members of a cycle."""
        told = [node for node in reversed(cycle) if node[0] != "end"]
        names = [self._node_name(node) for node in told]
        if names[0] != names[-1]:
            names.append(names[0])
        number = next(n for kind, n in told if kind != "total")
        field = next(kind for kind, n in told if n == number)
        return Fault(
            code="time-cycle",
            path=(*self.slots[number].path, field),
            message="these times wait for each other: " + " -> ".join(names),
            hint="give one of them a time of its own",
        )

    def _node_name(self, node: Node) -> str:
        kind, number = node
        return "the end of the video" if node == TOTAL else f"{self.slots[number].name}.{kind}"

    def _start_needs(self, number: int) -> Sequence[Node]:
        when = self.starts[number]
        if isinstance(when, Time):
            return ()
        if when.how == "end":
            return (TOTAL, ("length", number))
        if when.how == "auto":
            previous = self.slots[number].previous
            return (("end", previous),) if previous >= 0 else ()
        return (("end" if when.how == "after" else "start", self.by_id[when.clip]),)

    def _length_needs(self, number: int) -> Sequence[Node]:
        when = self.lengths[number]
        if isinstance(when, Time) or when.how == "auto":
            return ()
        if when.how == "end":
            return (TOTAL, ("start", number))
        if when.how == "with":
            return (("length", self.by_id[when.clip]),)
        return (("end", self.by_id[when.clip]), ("start", number))

    def _total_needs(self, graph: Mapping[Node, Sequence[Node]]) -> Sequence[Node]:
        if self.spec.output.duration is not None:
            return ()
        waiting = _dependents(graph, TOTAL)
        deciding = {n for n, track in enumerate(self.spec.tracks) if track.decides_duration}
        deciding = deciding or set(range(len(self.spec.tracks)))
        return tuple(
            ("end", number)
            for number, slot in enumerate(self.slots)
            if slot.track in deciding and ("end", number) not in waiting
        )

    def _value(
        self, node: Node, values: Mapping[Node, Fraction], graph: Mapping[Node, Sequence[Node]]
    ) -> Fraction:
        kind, number = node
        if node == TOTAL:
            if self.spec.output.duration is not None:
                return to_time(self.spec.output.duration).exact_frames(self.fps)
            return max((values[need] for need in graph[node]), default=Fraction(0))
        if kind == "end":
            return values["start", number] + values["length", number]
        return self._start(number, values) if kind == "start" else self._length(number, values)

    def _start(self, number: int, values: Mapping[Node, Fraction]) -> Fraction:
        when, slot = self.starts[number], self.slots[number]
        if isinstance(when, Time):
            return when.exact_frames(self.fps)
        if when.how == "end":
            return values[TOTAL] - values["length", number]
        if when.how == "auto":
            before = values["end", slot.previous] if slot.previous >= 0 else Fraction(0)
            return before + slot.gap - (slot.join.asked if slot.join else 0)
        base = "end" if when.how == "after" else "start"
        return values[base, self.by_id[when.clip]] + when.offset.exact_frames(self.fps)

    def _length(self, number: int, values: Mapping[Node, Fraction]) -> Fraction:
        when, slot = self.lengths[number], self.slots[number]
        if isinstance(when, Time):
            return when.exact_frames(self.fps)
        if when.how == "auto":
            return slot.natural
        if when.how == "with":
            wanted = values["length", self.by_id[when.clip]]
        else:
            until = values[TOTAL] if when.how == "end" else values["end", self.by_id[when.clip]]
            wanted = until - values["start", number]
        # A relative length takes what there is: music that ends before the video just ends.
        return min(wanted, slot.natural) if slot.is_bounded else wanted


def _dependents(graph: Mapping[Node, Sequence[Node]], root: Node) -> set[Node]:
    users: dict[Node, list[Node]] = {}
    for node, needs in graph.items():
        for need in needs:
            users.setdefault(need, []).append(node)
    found: set[Node] = set()
    todo = [root]
    while todo:
        for node in users.get(todo.pop(), ()):
            if node not in found:
                found.add(node)
                todo.append(node)
    return found


def _start_of(clip: Clip) -> Time | Relation:
    start = clip.start
    if isinstance(start, PointAt):
        offset = to_time(start.offset)
        if start.after is not None:
            return Relation(how="after", clip=start.after, offset=offset)
        return Relation(how="with", clip=start.with_ or "", offset=offset)
    relation = to_relation(start) if isinstance(start, str) else None
    return relation or to_time(start)


def _length_of(clip: Clip) -> Time | Relation:
    relation = to_relation(clip.length) if isinstance(clip.length, str) else None
    return relation or to_time(clip.length)
