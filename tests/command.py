"""The `reelkiln` command as people run it: a process of its own.

To import what it needs takes a second. So each is a fork of one process that has done so, with
the words, the environment, the folder and the streams that it is given and nothing else. That an
interpreter gets there from nothing is shown where the wheel, the demo and the daemon are started.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock

_ASKING = Lock()
_BARE = {"PATH": "/usr/bin:/bin"}


def reelkiln(
    *words: str | Path, store: Path, cwd: Path | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run it with nothing of the environment but a store (and home) at `store`, and `settings`."""
    env = {"REELKILN_STORE": str(store), "HOME": str(store), **_BARE, **settings}
    return run_command(*words, env=env, cwd=cwd)


def run_command(
    *words: str | Path, env: Mapping[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it in the environment `env`; nothing is on its standard input. From any thread."""
    with tempfile.TemporaryDirectory() as folder:
        status, out, errors = (Path(folder) / name for name in ("status", "out", "errors"))
        os.mkfifo(status)
        out.touch()
        errors.touch()
        asked = {
            "words": [str(word) for word in words],
            "env": dict(env),
            "cwd": str(cwd or Path.cwd()),
            "streams": ["/dev/null", str(out), str(errors)],
            "status": str(status),
        }
        with _ASKING:
            asking = _starter().stdin
            assert asking is not None
            asking.write(json.dumps(asked).encode() + b"\n")
            asking.flush()
        code = int(status.read_bytes())  # once it has ended
        return subprocess.CompletedProcess(
            asked["words"], code, out.read_bytes().decode(), errors.read_bytes().decode()
        )


@cache
def _starter() -> "subprocess.Popen[bytes]":
    """The process that the others are forks of; it ends with us."""
    kept = {name: os.environ[name] for name in ("PYTHONPYCACHEPREFIX",) if name in os.environ}
    starter = subprocess.Popen(
        [sys.executable, "-m", "tests.command_starter"],
        cwd=Path(__file__).parent.parent,
        env={**_BARE, **kept},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    assert starter.stdout is not None
    assert starter.stdout.readline() == b"ready\n"

    def end() -> None:
        starter.communicate()

    atexit.register(end)
    return starter
