"""Daemons over real folders, killed by SIGKILL before or after the n-th call of the file system."""

import gc
import os
import signal
import sys
import traceback
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Any

from daemon.fs import RealFs
from tests.daemon.small_daemon import (
    SmallDaemon,
    World,
    bundles_are_whole,
    drop,
    made,
    nothing_is_owed,
    receipts_hold,
)

CALLS = (
    "read", "write_new", "write_soon", "rename", "rename_new", "unlink", "sync_folder",
    "names", "stat", "make_folder",
)  # fmt: skip
DROPS = {"a.json": b"good 1", "b.json": b"refuse 2", "c.json": b"good 1", "d.json": b"fail 3"}


class KillingFs(RealFs):
    """Counts its calls; the n-th kills the process, before it is made or (`after`) once it was."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.calls = at, after, 0

    def __getattribute__(self, name: str) -> Any:
        call = super().__getattribute__(name)
        return self._killing(call) if name in CALLS else call

    def _killing(self, call: Any) -> Any:
        def made(*arguments: Any) -> Any:
            self.calls += 1
            if self.calls == self.at and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return call(*arguments)
            finally:
                if self.calls == self.at:
                    os.kill(os.getpid(), signal.SIGKILL)

        return made


class Storm:
    """One root, and daemons that die in it."""

    def __init__(self, root: Path) -> None:
        self.fs, self.root = RealFs(), root
        self.places = made(self.fs, root)
        self.world, self.kills, self.lives = World(), 0, count(1)
        for name, data in DROPS.items():
            drop(self.fs, self.places, name, data)

    def daemons(self, deaths: list[tuple[int, bool]]) -> int:
        """Run daemons at once, each to die at its call (0: never); how many were killed."""
        started = {self._start(at, after): None for at, after in deaths}
        killed = 0
        for pid, owner in ((pid, owner) for pid, owner in started):
            status = os.waitpid(pid, 0)[1]
            assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "a daemon failed"
            killed += os.WIFSIGNALED(status)
            self.world.dead.add(owner)
        self.kills += killed
        bundles_are_whole(self.fs, self.places)
        receipts_hold(self.fs, self.places)
        return killed

    def finish(self) -> None:
        """A last daemon that is left alone, and everything that must hold."""
        died, life = self.kills, next(self.lives)
        self.world.numbers = count(life * 10_000)
        SmallDaemon(self.fs, self.places, self.world, f"d{life}").run()
        bundles_are_whole(self.fs, self.places)
        nothing_is_owed(self.fs, self.places, DROPS, died=died)

    def _start(self, at: int, after: bool) -> tuple[int, str]:
        life = next(self.lives)
        owner = f"d{life}"
        pid = os.fork()
        if pid:
            return pid, owner
        gc.disable()  # it would touch, and so copy, all of the memory that we share
        status = 1
        try:
            self.world.numbers = count(life * 10_000)
            SmallDaemon(KillingFs(at, after=after), self.places, self.world, owner).run()
            status = 0
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)


def recovery_killed_everywhere(folder: Path, at: int, step: int = 1) -> int:
    """A life killed at its call `at`, and after it a recovery killed at every `step`th call.

    How many were killed; 0 when no life has that many calls.
    """
    kills = 0
    for then in count(1, step):
        storm = Storm(folder / f"{at}-{then}")
        if not storm.daemons([(at, bool(at % 2))]):
            return kills
        is_over = not storm.daemons([(then, bool(then % 2))])
        storm.finish()
        kills += storm.kills
        rmtree(storm.root)
        if is_over:
            return kills
    return kills
