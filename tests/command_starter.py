"""Forks of a process that has imported the command: each request on standard input is one.

A request is one line of JSON; the exit status of what it ran is written where the request says.
Several may run at once.
"""

import gc
import json
import os
import signal
import sys
from importlib import import_module
from typing import Any

from typer.main import get_command

from daemon import cli
from daemon.accounts import passwords
from daemon.lasting import end_at_once
from tests.passwords import WEAK

LATE = ("daemon.accounts.store", "daemon.catalog", "daemon.index", "daemon.webhooks", "jsonschema")
"""What commands import when they need it, and is slow."""


def main() -> None:
    passwords._HASHER = WEAK
    for name in LATE:
        import_module(name)
    cli.app = get_command(cli.app)  # type: ignore[assignment]
    gc.freeze()  # to look through what forks share would copy it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever waits for a command is not waited for
    print("ready", flush=True)
    for line in sys.stdin.buffer:
        if not os.fork():
            wait_for_one(json.loads(line))
            return


def wait_for_one(asked: dict[str, Any]) -> None:
    """Run a command in a process of its own, and tell its exit status once it has ended."""
    told = os.open(asked["status"], os.O_WRONLY)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os.write(told, b"%d" % os.waitstatus_to_exitcode(status))
    else:
        os.close(told)
        end_at_once()
        become(asked)
        cli.main()


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
