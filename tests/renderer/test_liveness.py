"""What a process has spent, asked of real ones."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from renderer.liveness import Effort, effort_of

BUSY = "while True: pass"
QUIET = "import time; time.sleep(60)"


def efforts(*programs: str) -> list[Effort]:
    """What they spent within half a second, all on one core."""
    core = min(os.sched_getaffinity(0))
    with ExitStack() as stack:
        begun = []
        for program in programs:
            text = f"import os; os.sched_setaffinity(0, [{core}]); print(flush=True)\n{program}"
            child = stack.enter_context(
                subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE)
            )
            stack.callback(child.kill)
            assert child.stdout is not None
            child.stdout.readline()
            begun.append(child.pid)
        time.sleep(0.5)
        return [effort_of(pid) for pid in begun]


@pytest.mark.skipif(sys.platform != "linux", reason="told by Linux")
def test_of_those_who_share_a_core_all_want_it_but_one_who_sleeps() -> None:
    *busy, quiet = efforts(BUSY, BUSY, BUSY, QUIET)
    assert sum(effort.used_s for effort in busy) > 0.2
    assert [effort.wants_more for effort in busy] == [True] * 3
    assert not quiet.wants_more
    assert not quiet.is_more_than(quiet)


@pytest.mark.parametrize(
    ("since", "is_more"),
    [
        (Effort(), False),
        (Effort(used_s=0.05), False),
        (Effort(used_s=0.2), True),
        (Effort(wants_more=True), True),
    ],
)
def test_work_and_the_wish_to_are_signs_of_life_and_looking_around_is_none(
    since: Effort, is_more: bool
) -> None:
    before = Effort(used_s=7.0)
    assert (before + since).is_more_than(before) is is_more


def test_a_process_that_is_gone_has_spent_nothing() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    assert effort_of(child.pid) == Effort()
