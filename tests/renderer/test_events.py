from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from renderer.events import Event, PlanMade, StepFinished, ignore


def test_events_are_values() -> None:
    assert PlanMade(steps=3, reused=1, frames=9) == PlanMade(steps=3, reused=1, frames=9)
    with pytest.raises(FrozenInstanceError):
        PlanMade(steps=3, reused=1, frames=9).steps = 4  # type: ignore[misc]


def test_every_event_is_an_event_and_may_be_ignored() -> None:
    event = StepFinished(key="k", title="t", frames=1, reused=False)
    assert isinstance(event, Event)
    ignore(event)
