"""How a render gives way to the daemon, which answers and beats while it takes every core."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

NICENESS = 10


def give_way() -> None:
    """Lower the priority of this process, which leads a session, and of all that it starts.

    Where Linux groups tasks by their session (sched_autogroup), priorities count within a session
    alone, and sessions share the cores evenly: so the session's own is lowered as well.
    """
    os.nice(NICENESS)
    lower_session("self")


def lower_session(process: int | str) -> None:
    """Lower the priority of the session that a process is in, beside other sessions."""
    with suppress(OSError):  # another system, or told too often: then sessions share evenly
        Path(f"/proc/{process}/autogroup").write_text(str(NICENESS))
