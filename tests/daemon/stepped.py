"""Daemons that go on by as many calls of the file system as they are told, and rest between."""

import errno
import json
import threading
from pathlib import Path

from tests.daemon.simulated_fs import Disk, PowerCut, SimulatedFs
from tests.daemon.small_daemon import SmallDaemon

WRITES = ("write_new", "rename", "rename_new", "unlink", "sync_folder", "make_folder")


class StageFs(SimulatedFs):
    """A simulated file system that many daemons share, one at a time, and whose disk has moods."""

    def __init__(self) -> None:
        super().__init__(1, disk=Disk.LOOSE)
        self.on_stage: Life | None = None
        self.fault_at, self.fault, self.is_full = -1, errno.EIO, False

    def at_cut(self) -> None:
        assert self.on_stage is not None
        self.on_stage.rest()

    def _step(self) -> None:
        super()._step()
        if self.calls == self.fault_at:
            raise OSError(self.fault, "injected")

    def write_new(self, path: Path, data: bytes) -> None:
        if self.is_full:
            self.write_soon(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "full", str(path))
        super().write_new(path, data)

    def rename_new(self, old: Path, new: Path) -> None:
        super().rename_new(old, new)
        if new.parent == Path("/r/outbox"):
            self._no_cancelled_job_publishes(old.name.split(".")[0])

    def _no_cancelled_job_publishes(self, job_id: str) -> None:
        """I9; only a daemon that lost its claim after it asked may still publish equal bytes."""
        receipt = self._node(Path(f"/r/outbox/receipts/{job_id}.json"))
        claims = self._node(Path("/r/.reelkiln/claimed"))
        assert claims is not None
        holds = any(f".{job_id}." in name for name in claims.entries or ())
        if receipt is not None and holds:
            assert json.loads(receipt.data)["state"] != "cancelled"


class Life:
    """One daemon in a thread of its own; nothing runs at the same time as its steps."""

    def __init__(self, fs: StageFs, daemon: SmallDaemon) -> None:
        self.fs, self.daemon = fs, daemon
        self.go, self.rested = threading.Semaphore(0), threading.Semaphore(0)
        self.is_killed = self.is_over = False
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._live, daemon=True)
        self.thread.start()

    def steps(self, calls: int) -> None:
        """Go on for `calls` calls, or until there is nothing to do."""
        if self.is_over:
            return
        self.fs.on_stage, self.fs.cut_at = self, self.fs.calls + calls
        self.go.release()
        self.rested.acquire()
        self.fs.cut_at = -1
        if self.failure is not None:
            raise self.failure

    def kill(self) -> None:
        """Nothing more happens, not even what was meant to at the end of a block."""
        self.is_killed = True
        self.daemon.world.dead.add(self.daemon.owner)
        self.steps(1)
        self.thread.join()

    def rest(self) -> None:
        self.rested.release()
        self.go.acquire()
        if self.is_killed:
            raise PowerCut

    def _live(self) -> None:
        self.go.acquire()
        try:
            while not self.is_killed:
                try:
                    self.daemon.run()
                except OSError as error:  # as the service: told, and tried again later
                    if isinstance(error, FileExistsError):
                        raise
                self.rest()
        except PowerCut:
            pass
        except BaseException as error:
            self.failure = error
        self.is_over = True
        self.rested.release()
