"""Progress as people see it: plain lines in a log, a bar on a terminal."""

from io import StringIO

from rich.console import Console

from daemon.commands.progress import progress_listener
from renderer.events import (
    Event,
    PlanMade,
    StageStarted,
    StepFinished,
    StepProgress,
    Warned,
)


class Clock:
    """A clock that the test winds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def heard(*events: Event | float, terminal: bool = False) -> list[str]:
    """What is written when the events come, a number being seconds that pass."""
    clock, out = Clock(), StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None)
    with progress_listener(console, clock) as listen:
        for event in events:
            if isinstance(event, float):
                clock.now += event
            else:
                listen(event)
    return out.getvalue().splitlines()


def progress(frames: int) -> StepProgress:
    return StepProgress(key="a", frames_done=frames)


RUN = StageStarted(stage="run")
PLAN = PlanMade(steps=3, reused=0, frames=100)


def test_a_log_gets_frames_speed_and_time_left() -> None:
    assert heard(RUN, PLAN, 2.0, progress(50)) == [
        "rendering ...",
        "50/100 frames, 25 fps, 2 s left",
    ]


def test_a_log_gets_at_most_one_line_a_second_however_many_events_come() -> None:
    events = [step for n in range(1, 101) for step in (0.1, progress(n))]
    lines = [line for line in heard(RUN, PLAN, *events) if "frames" in line]
    assert len(lines) in (9, 10)


def test_a_short_render_is_silent_between_its_stages() -> None:
    assert heard(RUN, PLAN, 0.1, progress(50), 0.1, StageStarted(stage="seal")) == [
        "rendering ...",
        "sealing ...",
    ]


def test_what_an_earlier_run_saves_is_said() -> None:
    said = heard(RUN, PlanMade(steps=9, reused=4, frames=10))
    assert said[-1] == "4 of 9 steps are reused from an earlier run"
    said = heard(RUN, PlanMade(steps=9, reused=9, frames=0))
    assert said[-1] == "all 9 steps are reused from an earlier run"


def test_steps_that_were_reused_do_not_count_as_drawn() -> None:
    reused = StepFinished(key="b", title="b", frames=70, reused=True)
    assert heard(RUN, PLAN, reused, 2.0, progress(20))[-1].startswith("20/100 frames, 10 fps")


def test_a_warning_is_printed_as_it_is_even_with_brackets() -> None:
    said = heard(Warned(code="x", message="tracks[0] begins late"))
    assert said == ["warning: tracks[0] begins late"]


def test_a_terminal_gets_a_bar_that_ends_full() -> None:
    done = StepFinished(key="a", title="a", frames=100, reused=False)
    said = heard(RUN, PLAN, 1.0, progress(50), 1.0, done, terminal=True)
    bar = [line for line in said if "━" in line][-1]
    assert "rendering" in bar
    assert "━" * 40 in bar
    assert "100/100 frames, 50 fps" in bar


def test_a_terminal_with_nothing_to_draw_does_not_wait_for_ever() -> None:
    said = heard(RUN, PlanMade(steps=4, reused=4, frames=0), terminal=True)
    assert "all 4 steps are reused from an earlier run" in "".join(said)
    assert "━" * 40 in [line for line in said if "━" in line][-1]
