"""Whether new work may begin: not while a folder cannot be written or the disk is full.

Two ways to know. The folders are looked at every second, which says when they are well again.
What no look can see (a quota, a failing disk, a render too large for what is left) is told by
whoever met it; then there is a pause, and a longer one each time that it is met again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from daemon.conditions import Conditions
from daemon.logs import logger
from daemon.places import Places

DISK_FULL, FAULT = "disk-full", "machine-fault"
_LOOK_EVERY_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 16.0
_CALM_S = 10.0  # this long after a pause without another fault, all is well
_ROOM = 1 << 20  # so much more than at the time of the fault is worth a try at once
_log = logger("intake")


@dataclass(slots=True, kw_only=True)
class Intake:
    """The gate of one daemon. `monotonic` is in seconds; any thread may tell."""

    places: Places
    conditions: Conditions
    monotonic: Callable[[], float]
    least_free: int
    _looked_at: float = float("-inf")
    _pause_s: float = 0.0
    _until: float = float("-inf")
    _free: int = 0
    _unfit: frozenset[str] = frozenset()  # codes of what the last look found
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_open(self) -> bool:
        """Whether new work may begin now."""
        now = self.monotonic()
        with self._lock:
            if now >= self._looked_at + _LOOK_EVERY_S:
                self._looked_at = now
                was_unfit = bool(self._unfit)
                self._keep(unfit(self.places, self.least_free))
                self._end_pause(now, is_mended=was_unfit and not self._unfit)
            return not self._unfit and now >= self._until

    def tell(self, message: str) -> None:
        """Say that work met a fault of the machine: a full disk, a forbidden folder."""
        with self._lock:
            now = self.monotonic()
            if now >= self._until and not self._unfit:  # else it began before the pause
                self._pause_s = min(_LONGEST_PAUSE_S, 2 * self._pause_s or _FIRST_PAUSE_S)
                self._until = now + self._pause_s
                self._free = _free_bytes(self.places.root)
            self._begin(FAULT, message)

    def well(self) -> None:
        """Say that a job came to its end, with everything written that belongs to it."""
        with self._lock:
            if self.monotonic() >= self._until:  # else it began before the pause
                self._pause_s = 0.0
                self._end(FAULT)

    def _end_pause(self, now: float, *, is_mended: bool) -> None:
        if is_mended or _free_bytes(self.places.root) >= self._free + _ROOM:
            self._until = min(self._until, now)
        if now >= self._until + _CALM_S:
            self._pause_s = 0.0
            self._end(FAULT)

    def _keep(self, found: Mapping[str, str]) -> None:
        for code, message in sorted(found.items()):
            self._begin(code, message)
        for code in sorted(self._unfit - found.keys()):
            self._end(code)
        self._unfit = frozenset(found)

    def _begin(self, code: str, message: str) -> None:
        if self.conditions.begin(code, message):
            _log.warning("intake pauses", code=code, why=message)

    def _end(self, code: str) -> None:
        if self.conditions.end(code):
            _log.info("intake resumes", code=code)


def unfit(places: Places, least_free: int) -> dict[str, str]:
    """What keeps the folders of a root from being written, by code; empty when all is well.

    Nothing is written to find out. A disk counts as full below `least_free` bytes.
    """
    found: dict[str, str] = {}
    for folder in places.folders():
        reason = _reason_against(folder)
        if reason:
            name = folder.relative_to(places.root).parts[0].removeprefix(".reelkiln") or "state"
            hint = "mount it writable and give it to the daemon's user"
            found.setdefault(f"{name}-unusable", f"{folder} {reason}; {hint}")
    free = _free_bytes(places.root)
    if free < least_free:
        words = f"{places.root} has {free} bytes free, {least_free} are needed; free some space"
        found[DISK_FULL] = words
    return found


def _reason_against(folder: Path) -> str:
    if os.access(folder, os.W_OK | os.X_OK | os.R_OK):
        return ""
    if not os.path.lexists(folder):
        return "is not there"
    try:
        is_read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
    except OSError as error:
        return f"cannot be looked at ({error.strerror})"
    return "is read-only" if is_read_only else "may not be written by this user"


def _free_bytes(root: Path) -> int:
    """Bytes that may still be written; none where the folder cannot be asked."""
    try:
        disk = os.statvfs(root)
    except OSError:
        return 0
    return disk.f_bavail * disk.f_frsize
