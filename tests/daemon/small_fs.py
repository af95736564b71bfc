"""Real mounts for tests: a disk of few megabytes, a folder that is read-only for a while."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def mounted(*words: str) -> None:
    """Run `mount`; the test is skipped where this user may not."""
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine does not let us mount: {done.stderr.strip()}")


def unmounted(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own."""
    folder.mkdir()
    mounted("-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder))
    try:
        yield folder
    finally:
        unmounted(folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """What lies below `folder` cannot be changed under that name."""
    mounted("--bind", str(folder), str(folder))
    try:
        mounted("-o", "remount,bind,ro", str(folder))
        yield
    finally:
        unmounted(folder)


def fill(folder: Path, *, leave: int) -> Path:
    """Fill the disk of `folder` until `leave` bytes are free; the file that does."""
    filler = folder / "filler"
    disk = os.statvfs(folder)
    with filler.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, max(1, disk.f_bavail * disk.f_frsize - leave))
    return filler
