"""One run of a registered command: alone in its session, bounded, ended with us or its deadline."""

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

from daemon.child.job_request import Module
from daemon.niceness import lower_session
from daemon.pipes import listen_to, pump
from renderer.errors import CommandFailed, CommandTimedOut
from renderer.tail import Tail

_TAIL_LINES = 20
_TICK_S = 0.1
_TELL_EVERY_S = 5.0
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "HOME", "PYTHONPATH", "REELKILN_FFMPEG")
_LAUNCHER = (
    "import ctypes,os,resource as r,sys;"
    "libc=ctypes.CDLL(None);"
    "libc.prctl(1,9);"  # PR_SET_PDEATHSIG, SIGKILL
    "libc.prctl(38,1,0,0,0);"  # PR_SET_NO_NEW_PRIVS
    "[r.setrlimit(w,(n,n)) for w,n in zip((r.RLIMIT_AS,r.RLIMIT_FSIZE,r.RLIMIT_CORE),"
    "map(int,sys.argv[1:4]))];"
    "os.execvp(sys.argv[4],sys.argv[4:])"
)


def run_module(
    module: Module,
    arguments: Sequence[str],
    *,
    name: str,
    cwd: Path,
    alive: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Run the command in `cwd` and wait. `alive` is called every few seconds meanwhile.

    Raises CommandFailed with its last words, CommandTimedOut after `timeout_s` seconds. Whatever
    is raised, the command and all of its session are gone by then.
    """
    words = Tail(most=_TAIL_LINES, clean=lambda line: line[:2000].rstrip())
    bounds = [str(n) for n in (module.memory_bytes, module.file_bytes, 0)]
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *bounds, *module.command, *arguments],
        cwd=cwd,
        env=_environment(module, cwd, os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        bufsize=0,
    )
    lower_session(child.pid)  # nice it is as we are
    try:
        is_late = _listen(child, words, clock() + module.timeout_s, alive, clock)
    finally:
        _end(child)
    if is_late:
        raise CommandTimedOut(
            f"the module {name} was not done after {module.timeout_s} s and was ended",
            hint="give it smaller inputs, or raise its timeout_s in the configuration",
        )
    if child.returncode:
        raise _failure(child.returncode, words.lines(), name)


def _listen(
    child: subprocess.Popen[bytes],
    words: Tail,
    until: float,
    alive: Callable[[], None],
    clock: Callable[[], float],
) -> bool:
    """Read what it says until it has ended; whether that took too long."""
    assert child.stdout is not None
    told_at = clock()
    with selectors.DefaultSelector() as selector:
        listen_to(selector, child.stdout, words.feed)
        while child.poll() is None:
            if clock() > until:
                return True
            if clock() - told_at > _TELL_EVERY_S:
                told_at = clock()
                alive()
            if selector.get_map():
                pump(selector, _TICK_S)
            else:
                time.sleep(_TICK_S)
        while selector.get_map() and pump(selector, 0):
            pass
    return False


def _end(child: subprocess.Popen[bytes]) -> None:
    """All of its session goes, also what it left behind."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _environment(module: Module, cwd: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Enough to start, what the operator gave it, no secrets of ours."""
    kept = {name: environ[name] for name in _INHERITED if name in environ}
    return {**kept, "TMPDIR": str(cwd), "LC_ALL": "C.UTF-8", "TZ": "UTC", **module.environment}


def _failure(status: int, tail: tuple[str, ...], name: str) -> CommandFailed:
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    last = tail[-1] if tail else "it said nothing"
    return CommandFailed(
        f"the module {name} {how}: {last}", status=max(status, 1), tail="\n".join(tail)
    )
