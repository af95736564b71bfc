from hypothesis import given
from hypothesis import strategies as st

from daemon.jobs import Progress
from daemon.status import Meter, status_text
from renderer.events import (
    Event,
    PlanMade,
    SourceAcquired,
    StageStarted,
    StepFinished,
    StepProgress,
    StepStarted,
)


def heard(*events: Event, seconds: float = 1.0) -> Progress:
    times = iter([0.0])
    meter = Meter(clock=lambda: next(times, seconds))
    for event in events:
        meter.hear(event)
    return meter.progress


RUN = (StageStarted(stage="run"), PlanMade(steps=2, reused=0, frames=40))
STEP = StepStarted(key="k", title="segment 1", frames=40)


def test_percent_frames_time_left_and_step_are_told() -> None:
    progress = heard(*RUN, STEP, StepProgress(key="k", frames_done=10), seconds=2.0)
    assert progress == Progress(
        percent=25, frames_done=10, frames=40, stage="run", step="segment 1", eta_s=6
    )
    assert status_text(progress) == "rendering, 25 %, 10 of 40 frames, 6 s left: segment 1"


def test_sources_are_counted() -> None:
    acquire = (StageStarted(stage="acquire"), SourceAcquired(source="a", index=1, total=3))
    progress = heard(*acquire)
    assert (progress.percent, progress.eta_s) == (0, None)
    assert status_text(progress) == "reading sources: source 1 of 3"


def test_nothing_is_whole_before_the_bundle_is_there() -> None:
    done = StepFinished(key="k", title="segment 1", frames=40, reused=False)
    assert heard(*RUN, STEP, done).percent == 99
    assert heard(*RUN, STEP, done, StageStarted(stage="seal")).percent == 99
    assert heard(StageStarted(stage="run"), PlanMade(steps=1, reused=1, frames=0)).percent == 99


def test_a_plan_made_again_begins_the_count_anew() -> None:
    progress = heard(*RUN, STEP, StepProgress(key="k", frames_done=10), *RUN)
    assert (progress.frames_done, progress.eta_s) == (0, None)


@given(st.lists(st.integers(0, 60)))
def test_no_progress_leaves_its_bounds(counts: list[int]) -> None:
    events = [StepProgress(key=str(n), frames_done=count) for n, count in enumerate(counts)]
    progress = heard(*RUN, *events)
    assert 0 <= progress.percent <= 99
    assert progress.frames_done <= progress.frames
    assert progress.eta_s is None or progress.eta_s >= 0
