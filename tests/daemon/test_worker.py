import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from daemon.child.job_request import Bounds, JobRequest
from daemon.jobs import Progress
from daemon.outcomes import Decision, Ended, Fate, Outcome, decide, is_suspect
from daemon.process_tree import Member, signs_of, wait_until_gone
from daemon.promises.contract import Needs, Supply
from daemon.worker import child_environment, deadline_for, run_job

SECRET = "canary-6f1d"
SHORT = {"clips": [{"colour": "navy", "length": "0.5s"}]}
LONG = {"clips": [{"image": "a.png", "motion": "zoom-in", "length": "60s"}]}


def request_of(root: Path, track: Any, size: str = "64x36", **more: Any) -> JobRequest:
    output = {"size": size, "fps": 30}
    spec = {"reelkiln": 1, "id": "t", "output": output, "tracks": [track]}
    for name in ("media", "inbox"):
        (root / name).mkdir(exist_ok=True)
    Image.linear_gradient("L").save(root / "media" / "a.png")
    (root / "claim").write_text(json.dumps(spec))
    return JobRequest(
        spec=root / "claim",
        name="a.json",
        outbox=root / "outbox",
        store=root / "store",
        media=(root / "media", root / "inbox"),
        **more,
    )


@pytest.fixture
def short(tmp_path: Path) -> JobRequest:
    return request_of(tmp_path, SHORT)


@pytest.fixture
def long(tmp_path: Path) -> JobRequest:
    return request_of(tmp_path, LONG, size="640x360")


@pytest.fixture(autouse=True)
def _nothing_is_left_below_us() -> Iterator[None]:
    before = below_us()
    yield
    assert not wait_until_gone(below_us() - before, 0)


def below_us() -> frozenset[Member]:
    return frozenset(m for m in signs_of(os.getpid()).members if m.pid != os.getpid())


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def leftovers(request: JobRequest) -> list[str]:
    """Unfinished folders in store and outbox."""
    found = [*(request.store / "work").glob("*"), *request.outbox.glob(".staging-*")]
    return [path.name for path in found]


class Seen:
    """Gathers what lives below us once frames are drawn, and did not before."""

    def __init__(self, *, until: int = 1) -> None:
        self.progress: list[Progress] = []
        self.before = below_us()
        self.members: frozenset[Member] = frozenset()
        self.until = until

    def __call__(self, progress: Progress) -> None:
        self.progress.append(progress)
        self.members |= below_us() - self.before

    @property
    def is_drawing(self) -> bool:
        return any(progress.frames_done >= self.until for progress in self.progress)


def test_a_job_becomes_a_bundle_and_a_second_time_the_same_one(short: JobRequest) -> None:
    first, second = run_job(short), run_job(short)
    assert first.ended is second.ended is Ended.SUCCEEDED, first
    assert (first.reused, second.reused) == (False, True)
    assert first.bundle is not None
    assert first.bundle == second.bundle
    assert first.bundle_digest == second.bundle_digest
    assert first.bundle_digest
    assert (first.bundle / "manifest.json").is_file()
    assert (first.spec_id, first.kind, first.status, first.stderr) == ("t", "video", 0, ())
    assert leftovers(short) == []


def test_a_cancelled_job_leaves_no_process_and_no_temporary_folder(long: JobRequest) -> None:
    seen = Seen()
    outcome = run_job(long, on_progress=seen, should_stop=lambda: seen.is_drawing, grace_s=60)
    assert outcome.ended is Ended.STOPPED
    assert (outcome.code, outcome.status) == ("interrupted", 130)
    assert len(seen.members) >= 2, "the child and an FFmpeg"
    assert not wait_until_gone(seen.members, 0)
    assert leftovers(long) == []
    assert not outcome.bundle
    assert decide(outcome, 1).fate is Fate.STOPPED
    last = seen.progress[-1]
    assert last.stage == "run"
    assert last.frames >= 1800
    assert last.step


def test_a_child_that_does_not_listen_is_killed_and_swept_up(long: JobRequest) -> None:
    seen = Seen()

    def stop() -> bool:
        for member in seen.members if seen.is_drawing else ():
            with suppress(ProcessLookupError):  # one FFmpeg follows the other
                os.kill(member.pid, signal.SIGSTOP)
        return seen.is_drawing

    outcome = run_job(long, on_progress=seen, should_stop=stop, grace_s=0.2)
    assert (outcome.ended, outcome.status) == (Ended.STOPPED, -signal.SIGKILL)
    assert not wait_until_gone(seen.members, 0)
    assert leftovers(long) == []


def test_what_was_drawn_before_is_not_drawn_again(long: JobRequest) -> None:
    seen = Seen(until=260)
    run_job(long, on_progress=seen, should_stop=lambda: seen.is_drawing)
    again = Seen()
    run_job(long, on_progress=again, should_stop=lambda: again.is_drawing)
    assert 0 < again.progress[-1].frames < seen.progress[-1].frames


def test_progress_is_told_at_most_twice_a_second_and_never_goes_back(tmp_path: Path) -> None:
    lines = [{"event": "progress", "progress": {"percent": n, "stage": "run"}} for n in range(100)]
    said = "\n".join(map(json.dumps, lines))
    command = python(
        f"import time\nfor l in {said!r}.split(chr(10)): print(l, flush=True); time.sleep(.01)"
    )
    now, heard = [0.0], []

    def clock() -> float:
        now[0] += 0.01
        return now[0]

    def listen(progress: Progress) -> None:
        heard.append((now[0], progress.percent))

    run_job(request_of(tmp_path, SHORT), command=command, clock=clock, on_progress=listen)
    assert len(heard) > 1
    assert all(b[0] - a[0] >= 0.5 and b[1] > a[1] for a, b in itertools.pairwise(heard))


def test_a_job_past_its_deadline_is_ended(long: JobRequest) -> None:
    seen = Seen()
    outcome = run_job(long, on_progress=seen, deadline_s=2.5)
    assert (outcome.ended, outcome.code) == (Ended.OVERDUE, "job-overdue")
    assert leftovers(long) == []
    assert is_suspect(outcome)


def test_the_deadline_follows_the_length_of_the_video(short: JobRequest) -> None:
    assert (deadline_for(1), deadline_for(60)) == (120, 1200)
    said = {"event": "prepared", "length_s": 60}
    command = python(f"import time; print({json.dumps(said)!r}, flush=True); time.sleep(600)")
    now = [0.0]

    def clock() -> float:
        now[0] += 20
        return now[0]

    outcome = run_job(short, command=command, clock=clock, quiet_s=1e9)
    assert outcome.ended is Ended.OVERDUE
    assert 1200 < now[0] < 1700
    assert "1200 s" in str((outcome.error or {})["message"])


def test_a_child_that_stands_still_is_ended(long: JobRequest) -> None:
    seen = Seen()

    def listen(progress: Progress) -> None:
        seen(progress)
        for member in seen.members if seen.is_drawing else ():
            with suppress(ProcessLookupError):  # one FFmpeg follows the other
                os.kill(member.pid, signal.SIGSTOP)

    outcome = run_job(long, on_progress=listen, quiet_s=1.0, grace_s=0.1)
    assert (outcome.ended, outcome.code) == (Ended.STALLED, "job-stalled")
    assert not wait_until_gone(seen.members, 0)
    assert leftovers(long) == []
    assert decide(outcome, 2).fate is Fate.FAILED


def test_a_child_that_works_without_a_word_is_left_alone(short: JobRequest) -> None:
    spin = 'import time\nprint(\'{"event": "began"}\', flush=True)\n'
    spin += "end=time.time()+2.5\nwhile time.time()<end: pass\nraise SystemExit(7)"
    outcome = run_job(short, command=python(spin), quiet_s=1.0)
    assert (outcome.ended, outcome.status) == (Ended.DIED, 7)


def test_a_child_killed_from_outside_is_suspect_and_its_ffmpegs_are_gone(long: JobRequest) -> None:
    seen = Seen()

    def listen(progress: Progress) -> None:
        seen(progress)
        if seen.is_drawing:
            os.kill(children_of_ours(), signal.SIGKILL)

    outcome = run_job(long, on_progress=listen)
    assert (outcome.ended, outcome.status) == (Ended.DIED, -signal.SIGKILL)
    assert "SIGKILL" in str((outcome.error or {})["message"])
    assert not wait_until_gone(seen.members, 0)
    assert leftovers(long) == []
    assert is_suspect(outcome)
    assert (decide(outcome, 2).error or {})["code"] == "poison"


def children_of_ours() -> int:
    """The pid of the one render below us: it leads a session, and we are its parent."""
    (pid,) = {
        m.pid for m in below_us() if b"render_job" in Path(f"/proc/{m.pid}/cmdline").read_bytes()
    }
    return pid


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", 0),
        ("raise SystemExit(3)", 3),
        ("print('rubbish'); print('{'); print('[]'); print('{\"event\": \"result\"}')", 0),
        ("import os; os.write(1, bytes(range(256)) * 50)", 0),
        ("import os; os.kill(os.getpid(), 11)", -11),
        ("print('[' * 100000)", 0),
        ("raise ValueError('no')", 1),
    ],
)
def test_a_child_without_a_result_has_died(short: JobRequest, code: str, status: int) -> None:
    began = 'print(\'{"event": "began"}\', flush=True)\n'
    outcome = run_job(short, command=python(began + code))
    assert (outcome.ended, outcome.status, outcome.code) == (Ended.DIED, status, "job-died")
    assert is_suspect(outcome)


@pytest.mark.parametrize("gone", ["daemon.status", "daemon.child.needs", "renderer.pipeline"])
def test_a_child_that_does_not_start_is_no_fault_of_the_job(short: JobRequest, gone: str) -> None:
    """As while an upgrade replaces the files below a daemon that runs."""
    code = (
        f"import sys; sys.modules[{gone!r}] = None\n"
        "from daemon.child.render_job import main; sys.exit(main())"
    )
    outcome = run_job(short, command=python(code))
    assert (outcome.ended, outcome.code) == (Ended.TOLD, "install-broken")
    assert outcome.error is not None
    assert gone in outcome.error["message"]
    assert decide(outcome, 1) == Decision(fate=Fate.HELD, counts=False)


def test_a_child_that_was_killed_before_it_began_is_suspect(short: JobRequest) -> None:
    outcome = run_job(short, command=python("import os; os.kill(os.getpid(), 9)"))
    assert is_suspect(outcome)


def test_the_last_forty_lines_of_stderr_are_kept(short: JobRequest) -> None:
    code = "import sys\nfor n in range(99): print('line', n, file=sys.stderr)"
    outcome = run_job(short, command=python(code))
    assert outcome.stderr == tuple(f"line {n}" for n in range(59, 99))


def test_a_child_leads_a_group_in_the_session_of_the_daemon(short: JobRequest) -> None:
    code = "import os,sys; print(os.getsid(0), os.getpgid(0) == os.getpid(), file=sys.stderr)"
    outcome = run_job(short, command=python(code))
    assert outcome.stderr == (f"{os.getsid(0)} True",)


def test_what_a_child_leaves_in_its_group_goes_with_it(short: JobRequest) -> None:
    code = (
        "import subprocess,sys\n"
        "p = subprocess.Popen(['sleep', '600'])\n"
        "print(p.pid, file=sys.stderr)"
    )
    outcome = run_job(short, command=python(code))
    (pid,) = map(int, outcome.stderr)
    give_up = time.monotonic() + 10
    while wait_until_gone(signs_of(pid).members, 0):
        assert time.monotonic() < give_up
        threading.Event().wait(0.02)


@pytest.mark.parametrize(
    ("then", "quiet_s", "how"),
    [("time.sleep(600)", 200, Ended.STALLED), ("time.sleep(1)", 1e9, Ended.DIED)],
    ids=["killed", "ended"],
)
def test_what_a_child_leaves_in_a_session_of_its_own_goes_with_it(
    then: str, quiet_s: float, how: Ended, short: JobRequest
) -> None:
    now = [0.0]

    def clock() -> float:  # so fast that the child is looked at in every round
        now[0] += 1
        return now[0]

    code = (
        "import subprocess,sys,time\n"
        "p = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"print(p.pid, file=sys.stderr, flush=True); {then}"
    )
    outcome = run_job(short, command=python(code), quiet_s=quiet_s, clock=clock, deadline_s=1e9)
    (pid,) = map(int, outcome.stderr)
    assert outcome.ended is how
    assert not wait_until_gone(signs_of(pid).members, 0)


def test_a_child_is_not_blamed_for_the_time_that_an_answer_took(short: JobRequest) -> None:
    now = [0.0]

    def clock() -> float:  # so fast that the child is looked at in every round
        now[0] += 1
        return now[0]

    def supply(needs: Needs) -> Supply:
        now[0] += 5000  # an asset came from far away
        return Supply()

    code = (
        "import json,sys,time\n"
        "sys.stdin.readline()\n"
        "def say(**what): print(json.dumps(what), flush=True)\n"
        "say(event='needs', needs={'references': [], 'makes': [], 'on_failed_promise': 'fail'})\n"
        "time.sleep(1)\n"
        "sys.stdin.readline()\n"
        "say(event='result', error={'code': 'x', 'message': 'heard'})"
    )
    outcome = run_job(
        short, supply=supply, command=python(code), clock=clock, quiet_s=4000, deadline_s=1e9
    )  # fmt: skip
    assert (outcome.ended, outcome.code) == (Ended.TOLD, "x")


def test_a_callback_that_raises_ends_the_child(long: JobRequest) -> None:
    def listen(progress: Progress) -> None:
        raise OSError("the status cannot be written")

    with pytest.raises(OSError, match="status"):
        run_job(long, on_progress=listen)
    assert leftovers(long) == []


def test_too_little_memory_makes_a_suspect(tmp_path: Path) -> None:
    bounds = Bounds(memory_bytes=160 << 20)
    outcome = run_job(request_of(tmp_path, SHORT, bounds=bounds))
    assert outcome.ended is not Ended.SUCCEEDED
    assert is_suspect(outcome)
    assert decide(outcome, 2).fate is Fate.FAILED


@pytest.mark.parametrize("size", [100, 6_000], ids=["our own", "of FFmpeg"])
def test_a_file_over_its_bound_makes_a_suspect_and_not_a_full_disk(
    size: int, tmp_path: Path
) -> None:
    outcome = run_job(request_of(tmp_path, LONG, bounds=Bounds(file_bytes=size)))
    assert outcome.ended is not Ended.SUCCEEDED
    assert is_suspect(outcome), outcome


def test_no_secret_of_ours_is_anywhere_below(
    long: JobRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GEMINI_API_KEY", "AWS_SECRET_ACCESS_KEY", "REELKILN_SECRET", "DATABASE_URL"):
        monkeypatch.setenv(name, SECRET)
    told: dict[int, bytes] = {}
    seen = Seen()

    def listen(progress: Progress) -> None:
        seen(progress)
        for member in below_us():
            with suppress(ProcessLookupError, FileNotFoundError):  # it ended since it was listed
                told[member.pid] = b"".join(
                    Path(f"/proc/{member.pid}/{name}").read_bytes()
                    for name in ("environ", "cmdline")
                )

    run_job(long, on_progress=listen, should_stop=lambda: seen.is_drawing)
    assert len(told) >= 2
    assert any(told.values())
    assert SECRET.encode() not in b"".join(told.values())


def test_a_child_sees_what_it_needs_to_start() -> None:
    environment = child_environment(
        {"PATH": "/bin", "HOME": "/h", "TOKEN": "t", "PYTHONPATH": "/p"}
    )
    assert environment["PATH"] == "/bin"
    assert environment["PYTHONPATH"].endswith(":/p")
    assert "TOKEN" not in environment


def test_a_render_dies_with_the_daemon(long: JobRequest, tmp_path: Path) -> None:
    daemon = tmp_path / "daemon_of_the_test.py"
    daemon.write_text(
        "import sys, pathlib\n"
        "from daemon.child.job_request import JobRequest\n"
        "from daemon.worker import run_job\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "request = JobRequest(spec=root/'claim', name='a.json', outbox=root/'outbox',\n"
        "    store=root/'store', media=(root/'media',))\n"
        "run_job(request, on_progress=lambda p: print(p.frames_done, flush=True))\n"
    )
    house = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, str(daemon), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": house},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) == 0:
            pass
        below = frozenset(m for m in signs_of(process.pid).members if m.pid != process.pid)
        for member in below:
            os.kill(member.pid, signal.SIGSTOP)  # else it would find out by talking to nobody
        process.kill()
    assert len(below) >= 2
    give_up = time.monotonic() + 10
    while left := frozenset(m for m in below if wait_until_gone(frozenset({m}), 0)):
        assert time.monotonic() < give_up, left
        threading.Event().wait(0.02)


def test_a_job_without_a_place_for_sources_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="folder"):
        JobRequest(spec=tmp_path, name="a", outbox=tmp_path, store=tmp_path, media=())


def test_an_unreadable_outcome_is_never_a_success() -> None:
    assert decide(Outcome(ended=Ended.DIED), 1).fate is Fate.RETRY
