"""A hundred thousand specs dropped at once: what scanning costs, without any event.

    python -m benchmarks.burst [--files 100000]

Prints the time of the first scans, of the one that finds the first batch ready, and of taking
every batch away, and the memory that it takes.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from daemon.places import Places
from daemon.scanner import Scanner, ScanResult

_SPEC = b'{"reelkiln": 1, "tracks": [{"id": "t", "clips": [{"colour": "red", "length": "1s"}]}]}'


def main() -> None:
    """Measure a burst in a temporary folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=100_000)
    with tempfile.TemporaryDirectory(prefix="reelkiln-burst-") as folder:
        measure(Places(Path(folder)), parser.parse_args().files)


def measure(places: Places, files: int) -> None:
    """Drop them, then scan until none is left."""
    for folder in places.folders():
        folder.mkdir()
    before = _memory_mb()
    for index in range(files):
        (places.inbox / f"film-{index:06d}.json").write_bytes(_SPEC)
    scanner = Scanner(places=places)
    began = time.monotonic()
    first, taken, scans = None, 0, 0
    while taken < files:
        result = _timed_scan(scanner, say=scans < 4)
        scans += 1
        if result.ready and first is None:
            first = time.monotonic() - began
        taken += _take(places, result)
        if not result.ready:
            time.sleep(max(0.0, (result.next_at or 0) - time.monotonic()))
    print(f"first drop ready after   {first:8.3f} s")
    print(f"{files} taken after    {time.monotonic() - began:8.3f} s in {scans} scans")
    print(f"memory                   {_memory_mb():8.1f} MB, {before:.1f} MB of it before")


def _timed_scan(scanner: Scanner, *, say: bool) -> ScanResult:
    began = time.perf_counter()
    result = scanner.scan(time.monotonic())
    if say:
        seconds = time.perf_counter() - began
        print(f"one scan                 {seconds:8.3f} s, {len(result.ready)} ready")
    return result


def _take(places: Places, result: ScanResult) -> int:
    """What a claim does, as far as the inbox sees it."""
    for drop in result.ready:
        os.rename(drop.path, places.own("claimed") / drop.name)
    return len(result.ready)


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
