"""Tracks become slots: each clip in its place, with what stands before it and joins it.

Times here are exact counts of frames, as fractions: `29.97` fps makes a second 29.97 frames.
They become whole frames once, at the edges of clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from renderer.errors import Fault, Path
from renderer.spec.clips import Clip, Gap, Transition
from renderer.spec.model import Track, VideoSpec
from renderer.spec.values import to_time
from renderer.timebase import round_half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """A transition as it stands between two clips: `asked` frames as written, `length` as
    it falls between the clips' whole frames."""

    name: str
    asked: Fraction
    path: Path
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A clip in its place: which track, what stands before it, what joins it to neighbours.

    `previous` is the number of the slot before it on the track, -1 for none; `gap` the
    frames of nothing in between. `natural` is the clip's own length, and `is_bounded`
    whether it can be no longer than that.
    """

    track: int
    path: Path
    name: str
    clip: Clip
    previous: int
    gap: Fraction
    join: Join | None
    natural: Fraction = Fraction(0)
    is_bounded: bool = False

    @property
    def round_frames(self) -> int:
        """Whole frames of one round of a looped clip."""
        return max(1, round_half_up(self.natural))


Natural = Callable[[Clip], tuple[Fraction, bool]]
"""A clip's own length in frames, and whether it is a bound."""


def slots_of(spec: VideoSpec, fps: Fraction, natural: Natural) -> tuple[list[Slot], list[Fault]]:
    """Every clip of every track as a slot, and transitions that stand in wrong places."""
    slots: list[Slot] = []
    faults: list[Fault] = []
    for number, track in enumerate(spec.tracks):
        for slot_or_fault in _track_slots(number, track, fps, natural, first=len(slots)):
            if isinstance(slot_or_fault, Slot):
                slots.append(slot_or_fault)
            else:
                faults.append(slot_or_fault)
    return slots, faults


def _track_slots(
    number: int, track: Track, fps: Fraction, natural: Natural, first: int
) -> Iterator[Slot | Fault]:
    track_name = track.id or f"tracks[{number}]"
    previous, count, gap = -1, first, Fraction(0)
    join: Join | None = None
    for index, item in enumerate(track.clips):
        path: Path = ("tracks", number, "clips", index)
        if isinstance(item, Gap):
            gap += to_time(item.gap).exact_frames(fps)
            if join:
                yield misplaced(join.path, "a gap follows it")
                join = None
        elif isinstance(item, Transition):
            reason = "it is the first on its track" if previous < 0 else ""
            reason = "another transition stands before it" if join else reason
            reason = "a gap stands before it" if gap else reason
            if reason:
                yield misplaced(path, reason)
            else:
                asked = to_time(item.length).exact_frames(fps)
                join = Join(name=item.transition, asked=asked, path=path)
        else:
            name = item.id or f"{track_name}[{index}]"
            length, is_bounded = natural(item)
            yield Slot(
                track=number, path=path, name=name, clip=item, previous=previous, gap=gap,
                join=join, natural=length, is_bounded=is_bounded,
            )  # fmt: skip
            previous, count, gap, join = count, count + 1, Fraction(0), None
    if join:
        yield misplaced(join.path, "it is the last on its track")


def misplaced(path: Path, reason: str) -> Fault:
    """The fault of a transition that has no two neighbours."""
    return Fault(
        code="transition-misplaced",
        path=path,
        message=f"a transition must stand between two clips, but {reason}",
        hint='use "enter" or "exit" on the clip to fade it in or out alone',
    )
