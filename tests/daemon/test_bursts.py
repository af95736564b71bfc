"""A slice of what benchmarks.burst and benchmarks.herd show."""

from pathlib import Path

import pytest

from benchmarks.burst import measure
from benchmarks.herd import run


@pytest.mark.parametrize("flags", [[], ["--no-events"]], ids=["events", "no events"])
def test_every_drop_of_a_burst_gets_one_bundle_and_one_receipt_in_little_memory(
    tmp_path: Path, flags: list[str]
) -> None:
    burst = measure(tmp_path, 150, 2, flags, lying=False)
    assert burst.memory_mb < 300


def test_no_drop_is_claimed_or_published_twice_though_daemons_pause_and_die(
    tmp_path: Path,
) -> None:
    told = run(tmp_path, 3, 60, seed=2, lease_s=2, most=1)
    assert told.paused
