"""Who goes first: what answers and beats, before a render that takes every core.

Both stay in one session: where Linux groups tasks by session (sched_autogroup), it weighs groups,
and within a group of its own a render's low priority would count for nothing.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from contextlib import suppress
from pathlib import Path

NICENESS = 10
_SLICE_NS = 1_300_000
"""Since Linux 6.12 whoever asks for less time at once than others (on two cores they get 1.4 ms) is
put on a core at once, where it would else wait for the next tick: up to 4 ms. Whoever has used its
time up can lose its core at a tick, until the next: this is enough for most answers."""

_INIT = 1  # a container's, which leads the session of what it starts
_AUTOGROUPS = Path("/proc/sys/kernel/sched_autogroup_enabled")
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
_SCHED_ATTR = struct.Struct("=IIQiIQQQ")
"""size, policy, flags, nice, priority, runtime, deadline and period of sched_setattr(2)."""


def come_first() -> None:
    """Let this thread, and those that it starts, run as soon as they have something to do."""
    _ask_for_slices(_SLICE_NS)


def give_way(niceness: int) -> None:
    """Lower the priority of this thread and of all that it starts, on other systems than Linux
    that of its process."""
    os.nice(niceness)
    _ask_for_slices(0)


def come_last(daemon: int) -> None:
    """Lower the priority of this child of `daemon` and of all that it starts. Where the daemon's
    session is its own, they even run only on cores that nobody else in it wants.

    In a session that other programs keep busy, a shell's, they would not come up at all, and so
    everywhere if the kernel gave the session no share. For a whole process only: a thread that
    comes last would keep the others of its process from what it has locked.
    """
    give_way(NICENESS)
    if sys.platform == "linux" and os.getsid(0) in (daemon, _INIT) and has_share():
        with suppress(OSError):  # forbidden to us: then we give way
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def has_share() -> bool:
    """Whether Linux weighs sessions, or the control group that we are in, against others."""
    with suppress(OSError):
        if _AUTOGROUPS.read_text().strip() == "1":
            return True
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            hierarchy, _, path = line.split(":", 2)
            if hierarchy == "0":  # version 2 of control groups; its root has no weight
                return (_CONTROL_GROUPS / path.lstrip("/") / "cpu.weight").exists()
    return False


def lower_session(process: int) -> None:
    """Lower the priority of the session that a process is in, beside other sessions."""
    with suppress(OSError):  # another system, or told too often: then sessions share evenly
        Path(f"/proc/{process}/autogroup").write_text(str(NICENESS))


def _ask_for_slices(slice_ns: int) -> None:
    """How long this thread wants a core at once; 0 is what the system gives.

    A kernel that knows no such thing ignores or refuses it, and nothing is lost but time.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    asked = _SCHED_ATTR.pack(_SCHED_ATTR.size, os.SCHED_OTHER, 0, nice, 0, slice_ns, 0, 0)
    ctypes.CDLL(None).syscall(number, 0, asked, 0)
