"""A hundred thousand specs dropped at once on a daemon whose renderer costs nothing.

    python -m benchmarks.burst [100000] [--root DIR] [--workers 2]

Three daemons, each with a root of its own: one that hears events while the specs arrive, one
that has none, and one that is started when all of them lie there. For each: when the first drop
was claimed, how many drops a second came to their end, the memory of the daemon at its highest;
and every drop is looked for, its receipt, its bundle and its spec.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from daemon.places import Places

_LONGEST_S = 3600.0
_WAYS = (("events", False), ("no-events", False), ("lying-there", True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What one daemon made of a burst. Seconds; `first_claim_s` from the first drop, or from the
    start of the daemon when all lay there; negative `after_last_s`: before the last drop."""

    dropping_s: float
    first_claim_s: float
    after_last_s: float
    all_s: float
    memory_mb: float
    per_second: float


def main() -> None:
    """Measure the three in a temporary folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("drops", type=int, nargs="?", default=100_000)
    parser.add_argument("--root", type=Path, help="A folder on the disk to measure on.")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=[words for words, _ in _WAYS])
    chosen = parser.parse_args()
    for words, lying in _WAYS:
        if chosen.only not in (None, words):
            continue
        with tempfile.TemporaryDirectory(prefix="reelkiln-burst-", dir=chosen.root) as folder:
            flags = [] if words == "events" else ["--no-events"]
            burst = measure(Path(folder), chosen.drops, chosen.workers, flags, lying=lying)
        print(
            f"{words:12} {chosen.drops} drops in {burst.dropping_s:.2f} s; "
            f"first claim after {burst.first_claim_s:.3f} s "
            f"({burst.after_last_s:+.2f} s from the last drop); all after {burst.all_s:.1f} s, "
            f"{burst.per_second:.0f} drops/s; {burst.memory_mb:.0f} MB",
            flush=True,
        )


def measure(root: Path, drops: int, workers: int, flags: list[str], *, lying: bool) -> Burst:
    """Drop them, wait for the end of the last one, and look for each. Raises AssertionError."""
    places, journal = made(root / "root"), root / "journal"
    words = ["--workers", str(workers), *flags]
    if lying:
        dropped, last = drop_all(places, root, drops)
        began = time.monotonic()
    with serving(places.root, journal, words):
        if not lying:
            wait_for(lambda: b"serve" in journal.read_bytes() if journal.exists() else False)
            wait_for(lambda: any(places.own("owners").iterdir()))
            time.sleep(0.5)
            began, last = drop_all(places, root, drops)
        all_ended(places, drops)
        ended = time.monotonic()
    nothing_is_missing(places, drops)
    lines = [line.split() for line in journal.read_text().splitlines()]
    starts = [float(at) for what, _, at in lines if what == "start"]
    if lying:
        began = next(float(at) for what, _, at in lines if what == "serve")
    memory = next(int(word) for what, word, _ in lines if what == "memory_kb")
    assert len(starts) == drops, "each is tried once"
    return Burst(
        dropping_s=last - (dropped if lying else began), first_claim_s=min(starts) - began,
        after_last_s=min(starts) - last, all_s=ended - began, memory_mb=memory / 1024,
        per_second=drops / (ended - began),
    )  # fmt: skip


def made(root: Path) -> Places:
    """A root with its folders."""
    places = Places(root)
    root.mkdir()
    for folder in places.folders():
        folder.mkdir()
    return places


def drop_all(places: Places, beside: Path, drops: int) -> tuple[float, float]:
    """Write them elsewhere first, then drop them by renames: when the first and last one were."""
    ready = beside / "ready"
    ready.mkdir()
    for number in range(drops):
        (ready / f"film-{number:06d}.json").write_bytes(spec(number))
    began = time.monotonic()
    source, target = f"{ready}/film-", f"{places.inbox}/film-"
    for number in range(drops):
        os.rename(f"{source}{number:06d}.json", f"{target}{number:06d}.json")
    return began, time.monotonic()


def spec(number: int) -> bytes:
    """A spec that differs from every other one."""
    clip = {"colour": "red", "length": "1s"}
    return json.dumps({"reelkiln": 1, "id": f"f{number}", "tracks": [{"clips": [clip]}]}).encode()


@contextmanager
def serving(root: Path, journal: Path, words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon as a process of its own, ended by SIGTERM."""
    argv = [sys.executable, "-m", "benchmarks.idle", str(root), "--journal", str(journal), *words]
    with (journal.with_suffix(".log")).open("ab") as log:
        child = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        yield child
    finally:
        for number in (signal.SIGCONT, signal.SIGTERM):
            child.send_signal(number)
        child.wait(60)


def wait_for(found: object, longest_s: float = 60.0) -> None:
    """Until `found()` says so. Raises TimeoutError."""
    deadline = time.monotonic() + longest_s
    assert callable(found)
    while not found():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


def all_ended(places: Places, drops: int) -> None:
    """Wait until the specs of all lie among the done, which is the last step of a job."""
    deadline = time.monotonic() + _LONGEST_S
    done, seen = places.own("done"), -1
    while (ended := len(os.listdir(done)) + len(os.listdir(places.failed)) // 2) < drops:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{ended} of {drops} ended")
        time.sleep(0.02 if drops - ended < 1000 or seen < 0 else 0.5)
        seen = ended


def nothing_is_missing(places: Places, drops: int) -> None:
    """A receipt, a bundle and a spec for each drop, and nothing else. Raises AssertionError."""
    receipts = [json.loads(path.read_bytes()) for path in places.receipts.iterdir()]
    assert len(receipts) == drops
    assert {receipt["name"] for receipt in receipts} == {
        f"film-{number:06d}.json" for number in range(drops)
    }
    assert {receipt["state"] for receipt in receipts} == {"succeeded"}
    bundles = {path.name for path in places.outbox.iterdir()} - {"receipts"}
    assert bundles == {receipt["bundle"] for receipt in receipts}
    assert len(bundles) == drops
    assert set(os.listdir(places.own("done"))) == {receipt["job_id"] for receipt in receipts}
    assert not [entry for entry in os.scandir(places.inbox) if entry.is_file()]
    for empty in ("claimed", "intents", "work", "parts"):
        assert os.listdir(places.own(empty)) == [], empty


if __name__ == "__main__":
    main()
