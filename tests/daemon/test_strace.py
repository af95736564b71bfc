"""The real `reelkiln serve`, killed at a few of its system calls; the long run is a benchmark."""

import pytest

from benchmarks import strace_storm

WHY = strace_storm.reason_against()


@pytest.mark.skipif(WHY is not None, reason=str(WHY))
@pytest.mark.parametrize(("call", "number"), [("renameat2", 2), ("fsync", 9)])
def test_a_served_inbox_loses_and_doubles_nothing_when_its_daemon_is_killed(
    call: str, number: int
) -> None:
    assert strace_storm.kill_at(call, number), "the daemon never came there"
