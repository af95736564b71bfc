"""Why each segment of a plan will run, is reused, or repeats an earlier one."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from renderer.plan import Plan
from renderer.timebase import Span, clock_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One segment, counted from 1: its frames, when it begins, what will be done and why."""

    index: int
    span: Span
    time: str
    action: str  # run, reuse or repeat
    why: str
    key: str

    def as_json(self) -> dict[str, object]:
        """The row as data."""
        return {
            "index": self.index, "frames": f"{self.span.start}..{self.span.end}",
            "time": self.time, "action": self.action, "why": self.why, "key": self.key,
        }  # fmt: skip


def explain(
    plan: Plan, fps: Fraction, known: Container[str], before: Sequence[Mapping[str, Any]]
) -> tuple[Explained, ...]:
    """A row for each segment. `known` holds the keys the store can give; `before` are the
    segments of the last plan of the same spec, as `segments_of` wrote them."""
    seen: set[str] = set()
    rows = []
    for index, (segment, key) in enumerate(zip(plan.segments, plan.segment_steps, strict=True), 1):
        if key in seen:
            action, why = "repeat", "the same picture as an earlier segment"
        elif key in known:
            action, why = "reuse", "drawn before"
        else:
            action, why = "run", _why(plan.by_key[key].parts, segment.span.start, before)
        seen.add(key)
        time = clock_text(segment.span.start / fps)
        rows.append(
            Explained(index=index, span=segment.span, time=time, action=action, why=why, key=key)
        )
    return tuple(rows)


def segments_of(plan: Plan) -> list[dict[str, Any]]:
    """What to remember of a plan, so that the next one can be explained."""
    by_key = plan.by_key
    return [
        {"start": s.span.start, "end": s.span.end, "key": k, "parts": dict(by_key[k].parts)}
        for s, k in zip(plan.segments, plan.segment_steps, strict=True)
    ]


def _why(parts: Mapping[str, str], start: int, before: Sequence[Mapping[str, Any]]) -> str:
    old = next((s["parts"] for s in before if s["start"] <= start < s["end"]), None)
    if old is None:
        return "never drawn"
    changed = [name for name in parts if name in old and parts[name] != old[name]]
    added = [name for name in parts if name not in old]
    gone = [name for name in old if name not in parts]
    words = [("changed: ", changed), ("new: ", added), ("gone: ", gone)]
    return "; ".join(word + ", ".join(names) for word, names in words if names) or "moved in time"
