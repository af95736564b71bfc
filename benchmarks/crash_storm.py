"""Kills daemons over real folders until the wanted number of kills is reached; prints the count.

python -m benchmarks.crash_storm [kills] [seed]
python -m benchmarks.crash_storm recovery [step]    every call of a life, every call of its recovery

TMPDIR=/dev/shm makes it several times as fast: no kill reaches what a disk has not written yet.
"""

import random
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from shutil import rmtree

from tests.daemon.killed import Storm, recovery_killed_everywhere


def main(wanted: int = 5000, seed: int = 1) -> None:
    """Storms of one to four daemons, each killed at chance calls, recovery too."""
    chance, kills, begun = random.Random(seed), 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for i in count(1):
            storm = Storm(Path(folder) / f"{i}")
            for _ in range(chance.randint(1, 6)):
                deaths = [(chance.randint(1, 160), chance.random() < 0.5) for _ in range(4)]
                storm.daemons(deaths[: chance.randint(1, 4)])
            storm.finish()
            kills += storm.kills
            rmtree(storm.root)
            if kills >= wanted:
                break
    seconds = time.monotonic() - begun
    print(
        f"{kills} kills in {i} roots, {seconds:.0f} s: nothing lost, doubled, halved or left over"
    )


def recovery(step: int = 1) -> None:
    """Every call of the first life, and for each every `step`th call of the recovery."""
    kills, begun = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for at in count(1, step):
            died = recovery_killed_everywhere(Path(folder), at, step)
            if not died:
                break
            kills += died
    seconds = time.monotonic() - begun
    print(f"{kills} kills in lives of {at - 1} calls, {seconds:.0f} s: nothing lost or left over")


if __name__ == "__main__":
    if sys.argv[1:2] == ["recovery"]:
        recovery(*map(int, sys.argv[2:]))
    else:
        main(*map(int, sys.argv[1:]))
