"""Looks at what the system lets this process have: files, memory, processes, inotify."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from daemon.doctor.finding import Finding, fine, poor

INOTIFY = Path("/proc/sys/fs/inotify")
_FEWEST = {"max_user_watches": 8192, "max_user_instances": 128}
_IN_CLOSE_WRITE = 8
_GIB = 1024**3


class _Bound(NamedTuple):
    """A bound of the system, the least of it that renders get along with, and how to raise it."""

    words: str
    which: int
    least: int
    shell: str
    unit: str


_BOUNDS = (
    _Bound("open files", resource.RLIMIT_NOFILE, 1024, "ulimit -n 65536", "LimitNOFILE=65536"),
    _Bound("processes", resource.RLIMIT_NPROC, 512, "ulimit -u 4096", "LimitNPROC=4096"),
    _Bound("bytes of address space", resource.RLIMIT_AS, 4 * _GIB, "ulimit -v unlimited",
           "LimitAS=infinity"),
    _Bound("bytes in one file", resource.RLIMIT_FSIZE, 16 * _GIB, "ulimit -f unlimited",
           "LimitFSIZE=infinity"),
)  # fmt: skip


def resource_bounds() -> Finding:
    """Whether this process may have what renders need. The daemon should be asked, not root."""
    had = [(bound, resource.getrlimit(bound.which)[0]) for bound in _BOUNDS]
    low = [(bound, has) for bound, has in had if -1 < has < bound.least]  # -1 is infinity
    if not low:
        return fine("resources", "files, processes, memory and file sizes are bounded generously")
    words = ", ".join(f"{has} {bound.words} (at least {bound.least})" for bound, has in low)
    shell = "; ".join(bound.shell for bound, _ in low)
    unit = " ".join(bound.unit for bound, _ in low)
    fix = f"{shell}, or {unit} in its unit"
    return poor("resources", f"this process may have only {words}", fix)


def inotify_findings(folder: Path = INOTIFY) -> Iterator[Finding]:
    """Whether the kernel lets the inbox be watched; `folder` is that of its settings."""
    if not folder.is_dir():
        yield poor("inotify", "this kernel has no inotify", "nothing: the inbox is scanned")
        return
    refused = _refused()
    few = [
        f"fs.inotify.{name}={fewest}"
        for name, fewest in sorted(_FEWEST.items())
        if int((folder / name).read_text()) < fewest
    ]
    if refused:
        yield poor(
            "inotify",
            f"the kernel gives no watch ({refused}); the inbox is scanned",
            "sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024",
        )
    elif few:
        yield poor(
            "inotify",
            "the kernel allows few watches; the inbox may have to be scanned",
            "sysctl -w " + " ".join(few),
        )
    else:
        yield fine("inotify", "enough watches are allowed, and one was given")


def _refused() -> str:
    """Why no watch can be had, by asking for one; empty when it can."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_CLOEXEC)
    if descriptor < 0:
        return os.strerror(ctypes.get_errno())
    try:
        watch = libc.inotify_add_watch(descriptor, b"/", _IN_CLOSE_WRITE)
        return "" if watch >= 0 else os.strerror(ctypes.get_errno())
    finally:
        os.close(descriptor)
