"""What a job was about to do, kept to be looked at: its timeline as a picture, and why each segment
was drawn, reused or repeated. A note in the store, that may be lost at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renderer.chart import chart
from renderer.inspection import Inspection
from renderer.store import Store

_KIND = "views"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """`chart` is an SVG; `segments`, `cost` and `warnings` are as `reelkiln inspect --json`."""

    chart: str
    segments: tuple[Mapping[str, Any], ...]
    cost: Mapping[str, int]
    warnings: tuple[str, ...]


def remember_view(store: Store, job_id: str, found: Inspection) -> None:
    """Keep what a job is about to do, before it does it. Raises as `Store.remember`."""
    plain = found.as_json()
    kept = {name: plain[name] for name in ("segments", "cost", "warnings")}
    store.remember(_KIND, job_id, {**kept, "chart": chart(found)})


def recall_view(store: Store, job_id: str) -> JobView | None:
    """What was kept of a job; None when that was lost, or it never came so far."""
    note = store.recall(_KIND, job_id)
    if note is None:
        return None
    return JobView(
        chart=note["chart"],
        segments=tuple(note["segments"]),
        cost=note["cost"],
        warnings=tuple(note["warnings"]),
    )
