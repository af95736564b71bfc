"""Which daemons live: names that are never used twice, heartbeats, and what an observer saw."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from daemon.ledger import Papers
from daemon.places import UNOWNED

BEAT_S = 5.0
LEASE_S = 30.0


def new_owner_id() -> str:
    """A name for this process: host, boot, process, its start time, and chance."""
    pid = os.getpid()
    return f"{_host()}-{_boot()}-{pid}-{_started(pid)}-{secrets.token_hex(3)}"


@dataclass(slots=True, kw_only=True)
class Owners:
    """The daemons of one root as one of them sees them.

    `monotonic` is the observer's own clock, in seconds: no two clocks are ever compared.
    """

    papers: Papers
    monotonic: Callable[[], float]
    lease_s: float = LEASE_S
    _seq: int = 0
    _seen: dict[str, tuple[object, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def me(self) -> str:
        """The owner this process is."""
        return self.papers.owner

    def beat(self) -> None:
        """Give a sign of life; the first one registers. Raises OSError.

        Nothing is synced: when the power goes, so does the process that it tells of.
        """
        with self._lock:
            self._seq += 1
            document = {"owner": self.me, "seq": self._seq, "pid": os.getpid()}
            self.papers.replace_loosely(self.papers.places.heartbeat(self.me), document)

    def retire(self) -> None:
        """Leave in peace: the owner is forgotten."""
        self.papers.fs.unlink(self.papers.places.heartbeat(self.me))

    def is_dead(self, owner: str) -> bool:
        """Whether nothing of that owner will happen any more, as far as can be known.

        At once for processes of this host that are gone; for others when their heartbeat stood
        still for a lease of this observer's own time.
        """
        if owner == self.me:
            return False
        if owner == UNOWNED or _is_gone(owner):
            return True
        now = self.monotonic()
        document = self.papers.read(self.papers.places.heartbeat(owner))
        seq = document.get("seq") if document else None
        before = self._seen.get(owner)
        if before is None or before[0] != seq:
            self._seen[owner] = (seq, now)
            return False
        return now - before[1] >= self.lease_s

    def forget(self, owner: str) -> None:
        """Remove what a dead owner left of itself."""
        self.papers.fs.unlink(self.papers.places.heartbeat(owner))
        self._seen.pop(owner, None)


class Heart:
    """A thread of its own that beats, whatever the others are busy with.

    `failed` is told of an OSError; the heart goes on.
    """

    def __init__(
        self, owners: Owners, failed: Callable[[OSError], None], every_s: float = BEAT_S
    ) -> None:
        self._owners, self._failed, self._every_s = owners, failed, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def __enter__(self) -> Heart:
        self._owners.beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._owners.retire()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                self._owners.beat()
            except OSError as error:
                self._failed(error)


def _host() -> str:
    """The host and its process numbers: containers that share a boot do not share those."""
    try:
        numbers = Path("/proc/self/ns/pid").readlink()
    except OSError:
        numbers = Path()
    return hashlib.sha256(f"{socket.gethostname()} {numbers}".encode()).hexdigest()[:8]


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().replace("-", "")[:8]
    except OSError:
        return "0"


def _started(pid: int) -> str:
    """The start time of a process in clock ticks, "0" when it is gone or cannot be known."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2]
    except OSError:
        return "0"
    state, *rest = after_name.split()
    return "0" if state in "ZX" else rest[18]


def _is_gone(owner: str) -> bool:
    parts = owner.split("-")
    if len(parts) != 5 or parts[:2] != [_host(), _boot()] or _boot() == "0":
        return False
    return parts[2].isdigit() and _started(int(parts[2])) != parts[3]
