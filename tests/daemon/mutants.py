"""Each sync and rename of the protocol, found by where it is called from, and left out one by one.

A site is a line of the daemon's code that syncs or renames, with the function it is in. Lines of
`fs` and `ledger`, which all steps share, count for each function that comes by them. The mutant of
a site does everything else and not that.
"""

import linecache
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

from tests.daemon.simulated_fs import Disk, SimulatedFs

HOUSE = Path(__file__).parents[2]
DAEMON = str(HOUSE / "daemon") + "/"
RENDER = str(HOUSE / "tests" / "daemon" / "small_daemon.py")
MOST_CALLS = 12_000
PLACES = {"high": "inbox", "low": "inbox", "rejected": "failed"}
"""Folders that histories do not tell apart."""
SHARED = ("fs.", "ledger.")


class WithoutSite(SimulatedFs):
    """Notes every site in `seen` and does nothing at the one that is `left_out`."""

    def __init__(self, seed: int, *, disk: Disk, left_out: str, seen: set[str]) -> None:
        super().__init__(seed, disk=disk)
        self.left_out, self.seen = left_out, seen

    def write_new(self, path: Path, data: bytes) -> None:
        if self._is_left_out("bytes"):
            self.write_soon(path, data)
            self._step()
        else:
            super().write_new(path, data)

    def rename(self, old: Path, new: Path) -> None:
        self._step() if self._is_left_out("name") else super().rename(old, new)

    def rename_new(self, old: Path, new: Path) -> None:
        if self._is_left_out("name"):
            self._step()
        elif new.name in self._folder(new).entries and old.name in self._folder(old).entries:
            super().rename_new(old, new)  # which is refused
        else:
            SimulatedFs.rename(self, old, new)

    def sync_folder(self, path: Path) -> None:
        folder = "work" if path.parent.name == "work" else path.name
        what = f"names of {PLACES.get(folder, folder)}"
        self._about_to_sync() if self._is_left_out(what) else super().sync_folder(path)

    def _step(self) -> None:
        super()._step()
        assert self.calls < MOST_CALLS, "daemons that never rest"

    def _is_left_out(self, what: str) -> bool:
        site = _site(sys._getframe(2), what)
        if site:
            self.seen.add(site)
        return bool(site) and site == self.left_out


def sites(seeds: range, *histories: Callable[..., None]) -> list[str]:
    """Every site that the histories of these seeds come by."""
    seen: set[str] = set()
    for seed in seeds:
        for history in histories:
            history(seed, partial(WithoutSite, left_out="", seen=seen))
    return sorted(seen)


def without(site: str) -> Callable[..., SimulatedFs]:
    """A file system that leaves out what is done at `site`."""
    return partial(WithoutSite, left_out=site, seen=set())


def _site(frame: FrameType | None, what: str) -> str:
    chain: list[str] = []
    line = ""
    while frame is not None:
        code = frame.f_code
        inside = code.co_filename.startswith(DAEMON)
        if inside or (code.co_filename == RENDER and code.co_name == "build"):
            line = line or linecache.getline(code.co_filename, frame.f_lineno).strip()
            chain.append(f"{Path(code.co_filename).stem}.{code.co_name}")
        frame = frame.f_back
    if all(name.startswith("fs.") for name in chain):
        return ""  # a client, or the test
    first = next((i for i, name in enumerate(chain) if not name.startswith(SHARED)), 0)
    return f"{' > '.join(reversed(chain[: first + 1]))}: {line} ({what})"
