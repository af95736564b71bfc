"""Run one FFmpeg process and watch over it until it ends.

A child never outlives us: it leads a process group of its own, and the kernel kills it
when the thread that started it dies. That wish has to be made inside the child. Not by
`preexec_fn`, which forks the whole interpreter, is unsafe beside threads, warns since
Python 3.12 and took 28 ms more under 800 MB of memory; but by a launcher that turns into
FFmpeg: `setpriv` of util-linux (no measurable cost), else Python itself (12 ms).
"""

from __future__ import annotations

import errno
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import IO

from renderer.errors import CommandFailed, CommandTimedOut, Interrupted, StorageFull
from renderer.liveness import Effort, effort_of
from renderer.tail import Tail

COMMON_OPTIONS = ("-nostdin", "-hide_banner", "-y", "-nostats", "-stats_period", "0.2")
"""What every run begins with; the log level and the progress pipe are added to it."""

_TAIL_LINES = 20
_GRACE_S = 5.0  # from SIGTERM to SIGKILL
_TICK_S = 0.05  # how soon a stop is noticed
_NO_ROOM = ("No space left on device", "Disk quota exceeded")
_STATUS_NO_ROOM = (256 - errno.ENOSPC, 256 - errno.EDQUOT)  # as FFmpeg exits
_ADDRESS = re.compile(r" @ 0x[0-9a-f]+(?=\])")
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR", "FONTCONFIG_FILE", "FONTCONFIG_PATH")
_LAUNCHER = (
    "import ctypes,os,sys;"
    "ctypes.CDLL(None).prctl(1, 9);"  # PR_SET_PDEATHSIG, SIGKILL
    "os.execv(sys.argv[1], sys.argv[1:])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that ended well.

    `tail` holds the last lines FFmpeg said, `frames` the video frames written (0 for
    sound alone), `out_time` the seconds written.
    """

    status: int
    tail: tuple[str, ...]
    frames: int
    out_time: Fraction


def run(
    argv: Sequence[str],
    *,
    binary: Path,
    deadline_s: float,
    stall_s: float,
    stop: threading.Event,
    cwd: Path,
    title: str = "FFmpeg",
    on_frame: Callable[[int], None] | None = None,
    stdout_to: Callable[[bytes], None] | None = None,
) -> Finished:
    """Run `binary` with `argv` in `cwd` and wait; callbacks run in the calling thread.

    `on_frame` hears the count of frames written so far, `stdout_to` each piece of standard
    output. Raises CommandFailed with the tail, StorageFull, CommandTimedOut past
    `deadline_s` seconds or after `stall_s` seconds without a new frame, output or use for a core,
    and Interrupted once `stop` is set. Whatever is raised, the child is gone by then.
    """
    watch = _Watch(title=title, deadline_s=deadline_s, stall_s=stall_s, stop=stop)
    progress = _Progress(on_frame=on_frame)
    errors = Tail(most=_TAIL_LINES, clean=lambda line: strip_addresses(line.strip()))
    child, progress_end = _start(argv, binary, cwd, wants_stdout=stdout_to is not None)
    sinks: dict[IO[bytes], Callable[[bytes], None]] = {progress_end: progress.feed}
    assert child.stderr is not None
    sinks[child.stderr] = errors.feed
    if child.stdout is not None and stdout_to is not None:
        sinks[child.stdout] = stdout_to
    try:
        _drain(child, sinks, watch, progress)
    finally:
        for pipe in sinks:
            pipe.close()
        _end(child)
    return _judge(child.returncode, progress, errors.lines(), title)


def strip_addresses(line: str) -> str:
    """A log line without the memory addresses that make equal errors differ."""
    return _ADDRESS.sub("", line)


@dataclass(slots=True)
class _Progress:
    """Reads `-progress` blocks: `key=value` lines closed by `progress=continue|end`."""

    on_frame: Callable[[int], None] | None
    frames: int = 0
    out_time_us: int = 0
    ended: bool = False
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            key, _, value = line.decode("ascii", "replace").partition("=")
            self._note(key, value.strip())

    def _note(self, key: str, value: str) -> None:
        if key == "progress":
            self.ended = value == "end"
        elif value.isdigit() and key == "out_time_us":
            self.out_time_us = int(value)
        elif value.isdigit() and key == "frame" and int(value) > self.frames:
            self.frames = int(value)
            if self.on_frame is not None:
                self.on_frame(self.frames)


@dataclass(slots=True)
class _Watch:
    """Decides when a child has had enough time."""

    title: str
    deadline_s: float
    stall_s: float
    stop: threading.Event
    started: float = field(default_factory=time.monotonic)
    _moved_at: float = field(default_factory=time.monotonic)
    _effort: Effort = field(default_factory=Effort)
    _seen: tuple[int, ...] = ()

    def check(self, pid: int, seen: tuple[int, ...]) -> None:
        """Raise when the child `pid`, having got as far as `seen`, must be ended."""
        if self.stop.is_set():
            raise Interrupted(f"{self.title}: stopped on request")
        now = time.monotonic()
        if now - self.started > self.deadline_s:
            raise self._timed_out(f"was not done after {self.deadline_s:g} s", seen)
        if seen != self._seen:
            self._moved(seen, now, pid)
        elif now - self._moved_at > self.stall_s:
            if not effort_of(pid).is_more_than(self._effort):
                raise self._timed_out(f"stood still for {self.stall_s:g} s", seen)
            self._moved(seen, now, pid)

    def _moved(self, seen: tuple[int, ...], now: float, pid: int) -> None:
        self._seen, self._moved_at, self._effort = seen, now, effort_of(pid)

    def _timed_out(self, what: str, seen: tuple[int, ...]) -> CommandTimedOut:
        at = f" (at frame {seen[0]})" if seen and seen[0] else ""
        return CommandTimedOut(
            f"{self.title}: FFmpeg {what}{at} and was ended",
            hint="try again; if it repeats, look for an unreadable source or a full disk",
        )


def _start(
    argv: Sequence[str], binary: Path, cwd: Path, *, wants_stdout: bool
) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """The child and the reading end of its progress pipe."""
    read_fd, write_fd = os.pipe()
    try:
        child = subprocess.Popen(
            [*_launcher(), str(binary), *_prefix(argv, write_fd), *argv],
            cwd=cwd,
            env=_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if wants_stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(write_fd,),
            process_group=0,  # not a session of its own: it is as nice as its parent
            bufsize=0,
        )
    except OSError as error:
        os.close(read_fd)
        raise CommandFailed(
            f"FFmpeg could not be started: {error}", hint="run `reelkiln doctor`"
        ) from error
    finally:
        os.close(write_fd)
    return child, open(read_fd, "rb", buffering=0)


def _prefix(argv: Sequence[str], progress_fd: int) -> tuple[str, ...]:
    level = () if "-loglevel" in argv else ("-loglevel", "level+error")
    return (*COMMON_OPTIONS, *level, "-progress", f"pipe:{progress_fd}")


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a child may know: enough to start, no secrets, nothing that changes its words."""
    kept = {name: environ[name] for name in _INHERITED if name in environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC", "AV_LOG_FORCE_NOCOLOR": "1"}


@cache
def _launcher() -> tuple[str, ...]:
    if sys.platform != "linux":
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is not None and _works((setpriv, "--pdeathsig", "KILL", "--")):
        return (setpriv, "--pdeathsig", "KILL", "--")
    return (sys.executable, "-I", "-S", "-c", _LAUNCHER)


def _works(launcher: tuple[str, ...]) -> bool:
    """Whether this machine's `setpriv` knows the option (that of busybox does not)."""
    true = shutil.which("true")
    if true is None:
        return False
    return subprocess.run([*launcher, true], capture_output=True, check=False).returncode == 0


def _drain(
    child: subprocess.Popen[bytes],
    sinks: Mapping[IO[bytes], Callable[[bytes], None]],
    watch: _Watch,
    progress: _Progress,
) -> None:
    """Pass on what the child says until it has closed every pipe, then until it is gone."""
    received = 0
    with selectors.DefaultSelector() as selector:
        for pipe, sink in sinks.items():
            selector.register(pipe, selectors.EVENT_READ, sink)
        while selector.get_map():
            for key, _ in selector.select(_TICK_S):
                data = os.read(key.fd, 1 << 18)
                received += len(data) if key.fileobj is child.stdout else 0
                if data:
                    key.data(data)
                else:
                    selector.unregister(key.fileobj)
            watch.check(child.pid, (progress.frames, progress.out_time_us, received))
    while child.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(_TICK_S)
        watch.check(child.pid, (progress.frames, progress.out_time_us, received))


def _end(child: subprocess.Popen[bytes]) -> None:
    """Make sure the child and its group are gone: ask first, insist after five seconds."""
    if child.poll() is not None:
        return
    _signal_group(child, signal.SIGTERM)
    try:
        child.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        _signal_group(child, signal.SIGKILL)
        child.wait()
    except BaseException:
        _signal_group(child, signal.SIGKILL)
        child.wait()
        raise


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def _judge(status: int, progress: _Progress, tail: tuple[str, ...], title: str) -> Finished:
    if status != 0 or not progress.ended:
        raise _failure(status, tail, title)
    out_time = Fraction(progress.out_time_us, 1_000_000)
    return Finished(status=status, tail=tail, frames=progress.frames, out_time=out_time)


def _failure(status: int, tail: tuple[str, ...], title: str) -> CommandFailed | StorageFull:
    if status in _STATUS_NO_ROOM or any(words in line for line in tail for words in _NO_ROOM):
        return StorageFull(f"{title}: the disk is full", hint="free some space and run it again")
    complaints = [line for line in tail if "[error]" in line or "[fatal]" in line]
    words = next(iter(complaints or tail), "it said nothing")  # later lines repeat the first
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    return CommandFailed(f"{title}: FFmpeg {how}: {words}", status=status, tail="\n".join(tail))
