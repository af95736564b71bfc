"""What a process and its children are told by the kernel, asked with sched_getattr(2)."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.niceness import NICENESS, has_share, lower_session

_AUTOGROUP = Path("/proc/self/autogroup")
_ASKING = {"x86_64": 315, "aarch64": 275}
_PROGRAM = f"""
import ctypes, os, struct, sys, threading
from daemon.niceness import come_first, come_last, give_way

def told():
    into = ctypes.create_string_buffer(56)
    assert ctypes.CDLL(None).syscall({_ASKING.get(platform.machine(), 0)}, 0, into, 56, 0) == 0
    size, policy, flags, nice, priority, slice_ns = struct.unpack_from("=IIQiIQ", into)
    return policy, nice, slice_ns

def in_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(told()))
    thread.start()
    thread.join()
    return found[0]

before = told()
come_first()
first = in_a_thread()
give_way(3)
second = in_a_thread()
come_last(os.getpid())
print(before, first, second, in_a_thread(), sep=";")
"""


@pytest.mark.parametrize("is_leader", [True, False])
def test_the_daemon_comes_first_and_a_render_last_where_it_has_the_session_to_itself(
    is_leader: bool,
) -> None:
    if platform.machine() not in _ASKING:
        pytest.skip("how to ask is known for x86_64 and aarch64")
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, check=True, text=True,
        start_new_session=is_leader,
    ).stdout  # fmt: skip
    (policy, nice, usual), first, second, last = map(eval, told.split(";"))
    assert second == (policy, nice + 3, usual)
    is_last = is_leader and has_share()
    assert last[:2] == (os.SCHED_IDLE if is_last else policy, nice + 3 + NICENESS)
    if not usual:
        pytest.skip("this kernel is older than Linux 6.12 and tells of no slices")
    assert first == (policy, nice, 1_300_000)
    assert first[2] < usual


@pytest.mark.skipif(not _AUTOGROUP.exists(), reason="this kernel does not group by session")
def test_a_session_can_be_told_to_give_way() -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as child:
        try:
            lower_session(child.pid)
            told = Path(f"/proc/{child.pid}/autogroup").read_text().strip()
        finally:
            child.kill()
    assert told.endswith(f"nice {NICENESS}")
