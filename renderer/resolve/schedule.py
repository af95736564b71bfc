"""When things happen: starts and lengths of all clips, in whole frames.

Starts and lengths may point at each other, so they form a graph: one node for the start,
length and end of each clip and one for the whole video. It is worked off in topological
order; a cycle is a fault that names its members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter

from renderer.errors import Fault, Path
from renderer.spec.clips import AudioClip, Clip, Gap, PointAt, Transition
from renderer.spec.model import Track, VideoSpec
from renderer.spec.suggest import did_you_mean
from renderer.spec.values import Relation, to_relation, to_time
from renderer.timebase import Span, Time, clock_text

Node = tuple[str, int]
_TOTAL: Node = ("total", -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """A transition as it stands between two clips."""

    name: str
    length: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A clip in its place: which track, what stands before it, what joins it to neighbours.

    `previous` is the number of the slot before it on the track, -1 for none; `gap` the
    frames of nothing in between. `natural` is the clip's own length in frames, and
    `is_bounded` whether it can be no longer than that.
    """

    track: int
    path: Path
    name: str
    clip: Clip
    previous: int
    gap: int
    join: Join | None
    natural: int = 0
    is_bounded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The outcome: a span for every slot, the length of the video, and what was wrong."""

    slots: tuple[Slot, ...]
    spans: tuple[Span, ...]
    total: int
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()


Natural = Callable[[Clip], tuple[int, bool]]
"""A clip's own length in frames, and whether it is a bound."""


def schedule(spec: VideoSpec, fps: Fraction, natural: Natural) -> Schedule:
    """Decide every start and length. Faults are returned, not raised."""
    slots, faults = _slots(spec, fps)
    slots = [_with_natural(slot, natural(slot.clip)) for slot in slots]
    nodes = _Nodes(spec, tuple(slots), fps)
    faults += nodes.unknown_references()
    if faults:
        return Schedule(slots=tuple(slots), spans=(), total=0, faults=tuple(faults))
    try:
        values = nodes.evaluate()
    except CycleError as error:
        fault = nodes.cycle_fault(error.args[1])
        return Schedule(slots=tuple(slots), spans=(), total=0, faults=(fault,))
    return _checked(nodes, values)


def _with_natural(slot: Slot, natural: tuple[int, bool]) -> Slot:
    return replace(slot, natural=natural[0], is_bounded=natural[1])


def _slots(spec: VideoSpec, fps: Fraction) -> tuple[list[Slot], list[Fault]]:
    slots: list[Slot] = []
    faults: list[Fault] = []
    for number, track in enumerate(spec.tracks):
        for slot_or_fault in _track_slots(number, track, fps, first=len(slots)):
            if isinstance(slot_or_fault, Slot):
                slots.append(slot_or_fault)
            else:
                faults.append(slot_or_fault)
    return slots, faults


def _track_slots(number: int, track: Track, fps: Fraction, first: int) -> Iterator[Slot | Fault]:
    track_name = track.id or f"tracks[{number}]"
    previous, count, gap = -1, first, 0
    join: Join | None = None
    for index, item in enumerate(track.clips):
        path: Path = ("tracks", number, "clips", index)
        if isinstance(item, Gap):
            gap += to_time(item.gap).to_frames(fps)
            if join:
                yield _misplaced(join.path, "a gap follows it")
                join = None
        elif isinstance(item, Transition):
            reason = "it is the first on its track" if previous < 0 else ""
            reason = "another transition stands before it" if join else reason
            reason = "a gap stands before it" if gap else reason
            if reason:
                yield _misplaced(path, reason)
            else:
                length = to_time(item.length).to_frames(fps)
                join = Join(name=item.transition, length=length, path=path)
        else:
            name = item.id or f"{track_name}[{index}]"
            yield Slot(
                track=number, path=path, name=name, clip=item, previous=previous, gap=gap, join=join
            )
            previous, count, gap, join = count, count + 1, 0, None
    if join:
        yield _misplaced(join.path, "it is the last on its track")


def _misplaced(path: Path, reason: str) -> Fault:
    return Fault(
        code="transition-misplaced",
        path=path,
        message=f"a transition must stand between two clips, but {reason}",
        hint='use "enter" or "exit" on the clip to fade it in or out alone',
    )


class _Nodes:
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

    def evaluate(self) -> Mapping[Node, int]:
        """All nodes in whole frames. Raises CycleError."""
        graph: dict[Node, Sequence[Node]] = {}
        for number in range(len(self.slots)):
            graph["start", number] = self._start_needs(number)
            graph["length", number] = self._length_needs(number)
            graph["end", number] = (("start", number), ("length", number))
        graph[_TOTAL] = self._total_needs(graph)
        values: dict[Node, int] = {}
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
        return "the end of the video" if node == _TOTAL else f"{self.slots[number].name}.{kind}"

    def _start_needs(self, number: int) -> Sequence[Node]:
        when = self.starts[number]
        if isinstance(when, Time):
            return ()
        if when.how == "end":
            return (_TOTAL, ("length", number))
        if when.how == "auto":
            previous = self.slots[number].previous
            return (("end", previous),) if previous >= 0 else ()
        return (("end" if when.how == "after" else "start", self.by_id[when.clip]),)

    def _length_needs(self, number: int) -> Sequence[Node]:
        when = self.lengths[number]
        if isinstance(when, Time) or when.how == "auto":
            return ()
        if when.how == "end":
            return (_TOTAL, ("start", number))
        if when.how == "with":
            return (("length", self.by_id[when.clip]),)
        return (("end", self.by_id[when.clip]), ("start", number))

    def _total_needs(self, graph: Mapping[Node, Sequence[Node]]) -> Sequence[Node]:
        if self.spec.output.duration is not None:
            return ()
        waiting = _dependents(graph, _TOTAL)
        deciding = {n for n, track in enumerate(self.spec.tracks) if track.decides_duration}
        deciding = deciding or set(range(len(self.spec.tracks)))
        return tuple(
            ("end", number)
            for number, slot in enumerate(self.slots)
            if slot.track in deciding and ("end", number) not in waiting
        )

    def _value(
        self, node: Node, values: Mapping[Node, int], graph: Mapping[Node, Sequence[Node]]
    ) -> int:
        kind, number = node
        if node == _TOTAL:
            if self.spec.output.duration is not None:
                return to_time(self.spec.output.duration).to_frames(self.fps)
            return max((values[need] for need in graph[node]), default=0)
        if kind == "end":
            return values["start", number] + values["length", number]
        return self._start(number, values) if kind == "start" else self._length(number, values)

    def _start(self, number: int, values: Mapping[Node, int]) -> int:
        when, slot = self.starts[number], self.slots[number]
        if isinstance(when, Time):
            return when.to_frames(self.fps)
        if when.how == "end":
            return values[_TOTAL] - values["length", number]
        if when.how == "auto":
            before = values["end", slot.previous] if slot.previous >= 0 else 0
            return before + slot.gap - (slot.join.length if slot.join else 0)
        base = "end" if when.how == "after" else "start"
        return values[base, self.by_id[when.clip]] + when.offset.to_frames(self.fps)

    def _length(self, number: int, values: Mapping[Node, int]) -> int:
        when, slot = self.lengths[number], self.slots[number]
        if isinstance(when, Time):
            return when.to_frames(self.fps)
        if when.how == "auto":
            return slot.natural
        if when.how == "with":
            wanted = values["length", self.by_id[when.clip]]
        else:
            until = values[_TOTAL] if when.how == "end" else values["end", self.by_id[when.clip]]
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


def _checked(nodes: _Nodes, values: Mapping[Node, int]) -> Schedule:
    total = values[_TOTAL]
    faults: list[Fault] = []
    spans: list[Span] = []
    for number, slot in enumerate(nodes.slots):
        start, length = values["start", number], values["length", number]
        faults += _time_faults(nodes, slot, start, length)
        spans.append(Span(start, start + max(length, 0)))
    faults += _neighbour_faults(nodes, spans)
    if total <= 0 and not faults:
        faults.append(_no_duration())
    late = [s.name for s, span in zip(nodes.slots, spans, strict=True) if span.start >= total > 0]
    warnings = tuple(f"{name} begins after the video ends and is left out" for name in late)
    return Schedule(
        slots=nodes.slots, spans=tuple(spans), total=total, faults=tuple(faults), warnings=warnings
    )


def _no_duration() -> Fault:
    return Fault(
        code="no-duration",
        path=("tracks",),
        message="nothing says how long the video is",
        hint='give a clip a length, or set "output.duration"',
    )


def _time_faults(nodes: _Nodes, slot: Slot, start: int, length: int) -> Iterator[Fault]:
    fps = nodes.fps
    if start < 0 and not slot.join:  # else the transition is too long, and that is told
        yield Fault(
            code="starts-before-zero",
            path=(*slot.path, "start") if slot.clip.start != "auto" else slot.path,
            message=f"{slot.name} would begin {clock_text(-start / fps)} before the video",
            hint="start it later or make it shorter",
        )
    if length <= 0:
        yield Fault(
            code="too-short",
            path=(*slot.path, "length"),
            message=f"{slot.name} is shorter than one frame ({clock_text(1 / fps)})",
            hint="give it a length of at least one frame",
        )
    elif slot.is_bounded and length > slot.natural:
        yield Fault(
            code="longer-than-source",
            path=(*slot.path, "length"),
            message=(
                f"{slot.name} asks for {clock_text(length / fps)} but its source "
                f"gives {clock_text(slot.natural / fps)}"
            ),
            hint='shorten "length", lower "speed", or set "loop: true"',
        )


def _neighbour_faults(nodes: _Nodes, spans: Sequence[Span]) -> Iterator[Fault]:
    taken = [slot.join.length if slot.join else 0 for slot in nodes.slots]
    for number, slot in enumerate(nodes.slots):
        if slot.previous < 0:
            continue
        before, span = nodes.slots[slot.previous], spans[number]
        overlap = spans[slot.previous].end - span.start
        if slot.join:
            yield from _join_faults(slot, before, overlap, span.length, spans[slot.previous].length)
            inside = taken[slot.previous] + slot.join.length
            if taken[slot.previous] and inside > spans[slot.previous].length:
                yield _too_long(slot, f"{before.name} is shorter than its two transitions together")
        elif overlap > 0:
            yield Fault(
                code="clips-overlap",
                path=(*slot.path, "start"),
                message=(
                    f"{slot.name} begins {clock_text(overlap / nodes.fps)} before "
                    f"{before.name} has ended, on the same track"
                ),
                hint="put it on a track of its own, or join the two with a transition",
            )


def _join_faults(
    slot: Slot, before: Slot, overlap: int, length: int, length_before: int
) -> Iterator[Fault]:
    if slot.join is None:
        return
    if isinstance(slot.clip, AudioClip) != isinstance(before.clip, AudioClip):
        yield _misplaced(slot.join.path, "it joins sound to a picture")
    if slot.join.length <= 0:
        yield _too_long(slot, "it is shorter than one frame")
    if overlap != slot.join.length:
        yield Fault(
            code="clips-overlap",
            path=(*slot.path, "start"),
            message=f"{slot.name} follows a transition, which already says when it begins",
            hint='leave "start" out',
        )
    if slot.join.length > min(length, length_before):
        shorter = slot.name if length < length_before else before.name
        yield _too_long(slot, f"it is longer than {shorter}")


def _too_long(slot: Slot, reason: str) -> Fault:
    path = slot.join.path if slot.join else slot.path
    return Fault(
        code="transition-length",
        path=(*path, "length"),
        message=f"the transition into {slot.name} does not fit: {reason}",
        hint="shorten the transition or lengthen the clips",
    )
