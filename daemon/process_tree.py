"""A process and everything below it, as /proc tells: is it alive, and is it gone?

Each FFmpeg leads a process group of its own, so one group does not hold a whole render.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from renderer.liveness import Effort, effort_told, stat_of

_PROC = Path("/proc")
_LOOK_AGAIN_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A process, told from a later one of the same number by when it began."""

    pid: int
    began: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a tree has done so far: who is in it, what they spent, bytes read and written."""

    members: frozenset[Member] = frozenset()
    effort: Effort = field(default_factory=Effort)
    moved_bytes: int = 0


def signs_of(pid: int) -> Signs:
    """The signs of life of `pid` and all below it; none where the system does not tell."""
    members, effort, moved = set(), Effort(), 0
    todo = [pid]
    while todo:
        number = todo.pop()
        fields = stat_of(_PROC / str(number))
        if not fields:
            continue
        members.add(Member(pid=number, began=int(fields[19])))
        effort += effort_told(number, fields)
        moved += _moved(number)
        todo += _children(number)
    return Signs(members=frozenset(members), effort=effort, moved_bytes=moved)


def wait_until_gone(members: frozenset[Member], patience_s: float) -> frozenset[Member]:
    """Wait for processes that are not our children, killing them. Those that are left."""
    until = time.monotonic() + patience_s
    left = _living(members)
    while left and time.monotonic() < until:
        for member in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(member.pid, signal.SIGKILL)
        time.sleep(_LOOK_AGAIN_S)
        left = _living(left)
    return left


def _living(members: frozenset[Member]) -> frozenset[Member]:
    return frozenset(member for member in members if _is_living(member))


def _is_living(member: Member) -> bool:
    fields = stat_of(_PROC / str(member.pid))
    return bool(fields) and int(fields[19]) == member.began and fields[0] not in (b"Z", b"X")


def _moved(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "io").read_bytes().split(b"\n")
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith((b"rchar", b"wchar")))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):  # gone meanwhile
        for thread in (_PROC / str(pid) / "task").iterdir():
            with suppress(OSError):  # the children of a thread that ended are another's now
                found += map(int, (thread / "children").read_bytes().split())
    return found
