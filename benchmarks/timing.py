"""Wall time of whole processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path


def seconds_of(command: Sequence[str], folder: Path, **environment: str) -> float:
    """Wall seconds of a command that must succeed."""
    began = time.perf_counter()
    surroundings = os.environ | environment
    done = subprocess.run(
        list(command), cwd=folder, env=surroundings, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return time.perf_counter() - began


def reelkiln(*arguments: str) -> list[str]:
    """The command line of this checkout's own `reelkiln`."""
    return [sys.executable, "-m", "daemon.entry", *arguments]
