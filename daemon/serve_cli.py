"""`reelkiln serve`: run a daemon on a root until it is told to stop."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from daemon.logs import LogForm, set_up_logs
from daemon.settings import cache_budget_of, limits_of, retention_of, whole_number


def serve(
    root: Annotated[Path, typer.Option(help="The folder that holds inbox and outbox.")] = Path(),
    workers: Annotated[int, typer.Option(min=1, help="Jobs at once.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at once for each job.")] = (
        os.cpu_count() or 1
    ),
    media: Annotated[
        list[Path] | None, typer.Option(help="Where relative sources are looked up, in order.")
    ] = None,
    log: Annotated[LogForm, typer.Option(help="How log lines are written.")] = LogForm.AUTO,
) -> None:
    """Watch ROOT/inbox, render what is dropped there, write bundles to ROOT/outbox."""
    from daemon.service import LEAST_FREE, ServeSettings, Service  # SQLAlchemy takes long to import

    set_up_logs(log)
    service = Service(
        ServeSettings(
            root=root, workers=workers, jobs=jobs, limits=limits_of(os.environ),
            networks=os.environ.get("REELKILN_ALLOW_NETWORKS", ""),
            media=tuple(folder.absolute() for folder in media or ()),
            retention=retention_of(os.environ), budget=cache_budget_of(os.environ),
            least_free=whole_number(os.environ, "REELKILN_MIN_FREE_BYTES", LEAST_FREE),
        )
    )  # fmt: skip

    def stop(number: int, frame: FrameType | None) -> None:
        service.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    service.run()
