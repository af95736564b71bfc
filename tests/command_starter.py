"""Forks of a process that has imported the command: each request on standard input is one.

A request is one line of JSON; the answer is one line with the exit status of what it ran.
"""

import json
import os
import sys
from importlib import import_module
from typing import Any

from daemon.accounts import passwords
from daemon.cli import main as command
from tests.passwords import WEAK

LATE = ("daemon.accounts.store", "daemon.catalog", "daemon.index", "daemon.webhooks", "jsonschema")
"""What commands import when they need it, and is slow."""


def main() -> None:
    passwords._HASHER = WEAK
    for name in LATE:
        import_module(name)
    for line in sys.stdin.buffer:
        child = os.fork()
        if not child:
            become(json.loads(line))
            command()
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def become(asked: dict[str, Any]) -> None:
    """Take over the words, the environment, the folder and the streams that were asked for."""
    for number, path in enumerate(asked["streams"]):
        opened = os.open(path, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    sys.argv = ["reelkiln", *asked["words"]]
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])


if __name__ == "__main__":
    main()
