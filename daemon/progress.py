"""Progress on a terminal as a bar, elsewhere as plain lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from renderer.events import (
    Event,
    Listener,
    PlanMade,
    StageStarted,
    StepFinished,
    StepProgress,
    Warned,
)


@contextmanager
def progress_listener(console: Console) -> Iterator[Listener]:
    """A listener that shows frames done of frames to draw, with the time left."""
    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn(),
               TextColumn("frames"), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task("start", total=None)
        done: dict[str, int] = {}

        def listen(event: Event) -> None:
            if isinstance(event, Warned):
                console.print(f"warning: {event.message}", markup=False)
            elif isinstance(event, StageStarted):
                bars.update(task, description=event.stage)
                if not console.is_terminal:
                    console.print(f"{event.stage} ...", markup=False, highlight=False)
            elif isinstance(event, PlanMade):
                bars.update(task, total=event.frames)
            elif isinstance(event, StepProgress):
                done[event.key] = event.frames_done
            elif isinstance(event, StepFinished) and not event.reused:
                done[event.key] = event.frames
            bars.update(task, completed=sum(done.values()))

        yield listen
