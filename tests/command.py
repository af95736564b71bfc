"""The `reelkiln` command as people run it: a process of its own."""

import subprocess
import sys
from pathlib import Path


def reelkiln(*words: str | Path, store: Path) -> subprocess.CompletedProcess[str]:
    """Run it with nothing of the environment but a store (and home) at `store`."""
    command = [sys.executable, "-m", "daemon.cli", *map(str, words)]
    env = {"REELKILN_STORE": str(store), "PATH": "/usr/bin:/bin", "HOME": str(store)}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)
