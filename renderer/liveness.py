"""Whether a process is at work: as Linux tells in /proc, see proc(5)."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_ALIVE_S = 0.1  # whoever works less in a whole quiet time looks around, and no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """For how many seconds a core was used so far, and whether one is wanted now."""

    used_s: float = 0.0
    wants_more: bool = False

    def __add__(self, other: Effort) -> Effort:
        return Effort(
            used_s=self.used_s + other.used_s, wants_more=self.wants_more or other.wants_more
        )

    def is_more_than(self, before: Effort) -> bool:
        """Whether who had come as far as `before` has worked since then, or would, had others
        left a core."""
        return self.wants_more or self.used_s - before.used_s >= _ALIVE_S


def effort_of(pid: int) -> Effort:
    """What a process has spent so far; nothing where the system does not tell."""
    return effort_told(pid, stat_of(_PROC / str(pid)))


def effort_told(pid: int, stat: list[bytes]) -> Effort:
    """As `effort_of`, of a process whose stat was read already."""
    if not stat:
        return Effort()
    ticks = int(stat[11]) + int(stat[12])  # utime and stime: 14 and 15 of proc(5)
    return Effort(used_s=ticks / os.sysconf("SC_CLK_TCK"), wants_more=_wants_core(pid))


def _wants_core(pid: int) -> bool:
    """Whether one of its threads runs, or would."""
    with suppress(OSError):  # gone meanwhile
        threads = (_PROC / str(pid) / "task").iterdir()
        return any(stat_of(thread)[:1] == [b"R"] for thread in threads)
    return False


def stat_of(task: Path) -> list[bytes]:
    """What follows the name in the stat of a process or thread, whose folder in /proc is given: its
    state first; nothing when it is gone."""
    try:
        return (task / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return []
