"""Run one job in a child and watch over it: whatever happens, one Outcome and nothing left behind.

The child leads a session of its own and asks the kernel to die with the thread that waits for
it. It is given a handful of environment variables, so no secret of ours is anywhere below it.
It publishes only after it was given leave, and from then on it is no longer asked to stop.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from daemon.child.hearing import Publishing, Talk
from daemon.child.job_request import JobRequest
from daemon.error_files import STDERR_LINES
from daemon.jobs import Progress
from daemon.outcomes import Ended, InstallBroken, JobDied, JobOverdue, JobStalled, Outcome
from daemon.pipes import listen_to, pump
from daemon.process_tree import Member, Signs, signs_of, wait_until_gone
from daemon.promises.contract import UNKNOWN, Needs, Supply
from renderer.bundle.publish import STAGING
from renderer.disk import sweep_folders
from renderer.errors import Interrupted, ReelkilnError
from renderer.tail import Tail

COMMAND = (sys.executable, "-P", "-m", "daemon.child.render_job")
QUIET_S = 60.0
GRACE_S = 2.0
"""From SIGTERM to SIGKILL."""
_PREPARE_S = 2 * 3600.0  # sources may have to be fetched before the length is known
_LEAST_S = 120.0
_TIMES_LENGTH = 20
_TICK_S = 0.05
_LOOK_S = 1.0  # between two looks at what the child consumes
_LINGER_S = 5.0
_INHERITED = (
    "PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "HOME", "TMPDIR", "XDG_CACHE_HOME",
    "FONTCONFIG_FILE", "FONTCONFIG_PATH", "REELKILN_FFMPEG", "REELKILN_CPUFLAGS",
)  # fmt: skip

Clock = Callable[[], float]
"""Seconds from any zero, never backwards."""


def nothing_known(needs: Needs) -> Supply:
    """The answer where nobody keeps assets or jobs."""
    return Supply(found=dict.fromkeys(needs.references, UNKNOWN))


def run_job(
    request: JobRequest,
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    supply: Callable[[Needs], Supply | None] = nothing_known,
    may_publish: Callable[[Publishing], bool] = lambda coming: True,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Clock = time.monotonic,
    deadline_s: float | None = None,
    quiet_s: float = QUIET_S,
    grace_s: float = GRACE_S,
    command: Sequence[str] = COMMAND,
) -> Outcome:
    """Render `request` in a child and wait for the end; callbacks run in the calling thread.

    `on_progress` is called at most twice a second. `supply` hears which assets and jobs the
    document names; when one of them is promised only, the outcome is BLOCKED's, and when it
    cannot say (None) STOPPED's.
    `may_publish` hears of a finished bundle before anybody can see it; on False it never
    appears, and the outcome is STOPPED's. The child is stopped once `should_stop` says so,
    unless it may publish already, after `deadline_s` seconds (None: twenty times the
    length of the video, at least two minutes), or after `quiet_s` seconds
    in which it neither spoke nor used CPU or disk.
    Whatever comes of it, also an exception of a callback, the child, all below it and its
    unfinished folders are gone. Raises OSError when no process can be started.
    """
    watch = _Watch(should_stop, clock, deadline_s, quiet_s)
    talk = Talk(
        on_progress=on_progress, supply=supply, may_publish=may_publish, clock=clock,
        keys=request.keys,
    )  # fmt: skip
    errors = Tail(most=STDERR_LINES, clean=lambda line: line[:2000].rstrip())
    child = _start(request, command)
    leash = _Leash(child, grace_s)
    try:
        _follow(leash, {child.stdout: talk.feed, child.stderr: errors.feed}, talk, watch)
    finally:
        leash.end()
        if child.returncode:
            _sweep(request)
    return _outcome(child.returncode, talk, watch, errors.lines())


def deadline_for(length_s: int) -> float:
    """Seconds that a render of `length_s` seconds of video may take."""
    return max(_LEAST_S, float(_TIMES_LENGTH * length_s))


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a child may know: enough to start and to find FFmpeg and fonts, no secrets.

    It runs the code that we run, wherever it is started.
    """
    kept = {name: environ[name] for name in _INHERITED if name in environ}
    code = os.fspath(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (code, kept.get("PYTHONPATH"))))
    return {**kept, "PYTHONPATH": path, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class _Watch:
    """Decides when a child has had enough time; `verdict` is why it was ended."""

    def __init__(
        self,
        should_stop: Callable[[], bool],
        clock: Clock,
        deadline_s: float | None,
        quiet_s: float,
    ) -> None:
        self.should_stop = should_stop
        self.clock = clock
        self.deadline_s = deadline_s
        self.quiet_s = quiet_s
        self.verdict: Ended | None = None
        self.began = self.moved_at = self.looked_at = clock()
        self.ready_at: float | None = None
        self.signs: tuple[int, Signs] = (0, Signs())
        self.seen: frozenset[Member] = frozenset()  # a dead child no longer tells what it left

    def check(self, pid: int, talk: Talk) -> Ended | None:
        """Why the child `pid` must be ended now, if it must."""
        now = self.clock()
        if not talk.may and self.should_stop():
            return Ended.STOPPED
        if talk.length_s is not None and self.ready_at is None:
            self.ready_at = now
        if now > self._until(talk.length_s):
            return Ended.OVERDUE
        return Ended.STALLED if self._is_still(pid, talk.heard, now) else None

    def _until(self, length_s: int | None) -> float:
        if self.deadline_s is not None:
            return self.began + self.deadline_s
        if length_s is None or self.ready_at is None:
            return self.began + _PREPARE_S
        return self.ready_at + deadline_for(length_s)

    def _is_still(self, pid: int, heard: int, now: float) -> bool:
        if now - self.looked_at < min(_LOOK_S, self.quiet_s / 4):
            return False
        self.looked_at = now
        signs = (heard, signs_of(pid))
        self.seen |= signs[1].members
        if _has_moved(self.signs, signs):
            self.signs, self.moved_at = signs, now
        return now - self.moved_at > self.quiet_s


def _has_moved(before: tuple[int, Signs], after: tuple[int, Signs]) -> bool:
    old, new = before[1], after[1]
    worked = new.effort.is_more_than(old.effort)
    is_same = (before[0], old.members, old.moved_bytes) == (after[0], new.members, new.moved_bytes)
    return worked or not is_same


class _Leash:
    """Ends a child and all below it: asks first, insists after the grace."""

    def __init__(self, child: subprocess.Popen[bytes], grace_s: float) -> None:
        self.child = child
        self.grace_s = grace_s
        self.kill_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the child has ended. It is not reaped, so its number is nobody else's."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.child.pid, flags) is not None

    def pull(self) -> None:
        """Ask the child to end; when it was asked long enough ago, end it."""
        if self.kill_at is None:
            self.kill_at = time.monotonic() + self.grace_s
            self._signal(signal.SIGTERM)
        elif time.monotonic() > self.kill_at:
            self.kill()

    def end(self) -> None:
        """Whatever still runs ends now. The child is reaped, what it started is gone."""
        if self.child.returncode is None:
            self.kill()
            self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            if pipe is not None:
                pipe.close()

    def kill(self, known: frozenset[Member] = frozenset()) -> None:
        """FFmpeg runs in groups of its own and dies with the child; see that it has.

        `known` are those seen below a child that can no longer tell.
        """
        below = known | signs_of(self.child.pid).members
        self._signal(signal.SIGKILL)
        mine = frozenset(member for member in below if member.pid != self.child.pid)
        wait_until_gone(mine, _LINGER_S)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, number)


def _start(request: JobRequest, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """The child, with its request to read: far less than a pipe holds, so that nobody waits."""
    child = subprocess.Popen(
        command,
        cwd="/",
        env=child_environment(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,  # not a session of its own: see `niceness`
        bufsize=0,
    )
    if child.stdin is not None:
        with suppress(BrokenPipeError):  # it ended unheard; its status says how
            child.stdin.write(request.as_bytes(os.getpid()))
    return child


def _follow(
    leash: _Leash,
    sinks: Mapping[IO[bytes] | None, Callable[[bytes], None]],
    talk: Talk,
    watch: _Watch,
) -> None:
    """Listen to the child until it is gone, and to what it said last."""
    with selectors.DefaultSelector() as selector:
        for pipe, sink in sinks.items():
            if pipe is not None:
                listen_to(selector, pipe, sink)
        while not leash.is_over:
            pump(selector, _TICK_S)
            talk.tell()
            if watch.verdict is None:
                watch.verdict = watch.check(leash.child.pid, talk)
            if watch.verdict is None:
                talk.answer(leash.child.stdin)
            else:
                leash.pull()
        leash.kill(watch.seen)
        while selector.get_map() and pump(selector, 0):
            pass


def _sweep(request: JobRequest) -> None:
    """A killed child leaves its private folders; they are locked as long as someone lives."""
    for parent, prefix in ((request.store / "work", ""), (request.outbox, STAGING)):
        with suppress(OSError):  # not there yet, or not to be written: nothing to sweep
            sweep_folders(parent, prefix)


def _outcome(status: int, talk: Talk, watch: _Watch, stderr: tuple[str, ...]) -> Outcome:
    """Success told is success: the bundle is published, even if we had lost patience."""
    ended, error = _end_of(status, talk, watch, stderr)
    result = talk.result if ended is Ended.SUCCEEDED else {}
    return Outcome(
        ended=ended,
        bundle=result.get("bundle"),
        bundle_digest=result.get("bundle_digest", ""),
        reused=result.get("reused", False),
        spec_id=talk.spec_id,
        kind=talk.kind,
        error=error,
        status=status,
        stderr=stderr,
        warnings=tuple(talk.warnings),
        seconds=watch.clock() - watch.began,
        waits_for=talk.waits_for if ended is Ended.BLOCKED else (),
        partial=result.get("partial"),
    )


def _end_of(
    status: int, talk: Talk, watch: _Watch, stderr: tuple[str, ...]
) -> tuple[Ended, Mapping[str, Any] | None]:
    if talk.result and "error" not in talk.result:
        return Ended.SUCCEEDED, None
    if watch.verdict is not None:
        return watch.verdict, _impatience(watch, talk).as_json()
    if talk.result:
        return Ended.TOLD, talk.result["error"]
    if talk.waits_for and status == 0:
        return Ended.BLOCKED, None
    if status > 0 and not talk.has_begun:  # no fault of a job that it never looked at
        return Ended.TOLD, _no_start(status, stderr).as_json()
    return Ended.DIED, _death(status, talk.rubbish).as_json()


def _impatience(watch: _Watch, talk: Talk) -> ReelkilnError:
    hint = "try again on a calmer machine, or make the video smaller"
    if watch.verdict is Ended.OVERDUE:
        allowed = watch.deadline_s or deadline_for(talk.length_s or 0)
        return JobOverdue(f"the render was not done after {allowed:g} s and was ended", hint=hint)
    if watch.verdict is Ended.STALLED:
        words = f"the render made no progress for {watch.quiet_s:g} s and was ended"
        return JobStalled(words, hint=hint)
    return Interrupted("stopped on request", hint="what was finished is kept for the next time")


def _no_start(status: int, stderr: tuple[str, ...]) -> InstallBroken:
    last = stderr[-1] if stderr else f"it ended with status {status}"
    return InstallBroken(
        f"the process of the render does not start: {last}",
        hint="finish the upgrade or install Reelkiln again; the jobs wait meanwhile",
    )


def _death(status: int, rubbish: int) -> JobDied:
    how = f"ended with status {status}"
    if status < 0:
        how = f"was killed by {_signal_name(-status)}"
    said = f", after {rubbish} lines that make no sense" if rubbish else ""
    return JobDied(
        f"the process of the render {how} and gave no result{said}",
        hint="see the last lines of stderr; SIGKILL is most often the system short of memory",
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
