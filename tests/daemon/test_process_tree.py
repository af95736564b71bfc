import os
import subprocess
import sys

from daemon.process_tree import Member, Signs, signs_of, wait_until_gone

DEEP = (
    "import subprocess,sys\n"
    "p = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
    "print(p.pid, flush=True)\n"
    "sys.stdin.read()\n"
)


def test_a_tree_holds_what_runs_in_sessions_of_its_own_and_can_be_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DEEP], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        deep = int(process.stdout.readline())
        signs = signs_of(process.pid)
        assert {member.pid for member in signs.members} == {process.pid, deep}
        assert signs.moved_bytes > 0
        assert wait_until_gone(signs.members, 0) == signs.members
        assert wait_until_gone(signs.members, 10) == frozenset()


def test_what_is_gone_gives_no_sign() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert signs_of(process.pid) == Signs()


def test_a_later_process_of_the_same_number_is_not_touched() -> None:
    stranger = frozenset({Member(pid=os.getpid(), began=1)})
    assert wait_until_gone(stranger, 1) == frozenset()
