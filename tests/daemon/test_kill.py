"""kill -9 at every call of a job's life, in recovery too, by one to three daemons."""

import random
from itertools import count
from pathlib import Path
from shutil import rmtree

from tests.daemon.killed import Storm, recovery_killed_everywhere


def test_a_daemon_killed_before_or_after_any_call_loses_and_doubles_nothing(
    storm_path: Path,
) -> None:
    kills = 0
    for at in count(1):
        storm = Storm(storm_path / f"{at}")
        if not storm.daemons([(at, bool(at % 2))]):
            break
        storm.finish()
        kills += storm.kills
        rmtree(storm.root)
    assert kills > 150


def test_a_recovery_killed_at_any_call_after_a_life_killed_at_some_loses_nothing(
    storm_path: Path,
) -> None:
    kills = sum(recovery_killed_everywhere(storm_path, at, step=29) for at in (31, 97, 141))
    assert kills > 15


def test_daemons_killed_together_and_in_recovery_lose_and_double_nothing(storm_path: Path) -> None:
    chance, kills = random.Random(3), 0
    for i in range(100):
        storm = Storm(storm_path / f"{i}")
        for _ in range(chance.randint(1, 3)):
            deaths = [(chance.randint(1, 120), chance.random() < 0.5) for _ in range(3)]
            storm.daemons(deaths[: chance.randint(1, 3)])
        storm.finish()
        kills += storm.kills
        rmtree(storm.root)
    assert kills > 150
