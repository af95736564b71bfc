"""Proof that every sync and every rename of the protocol is needed: without it a history fails."""

from collections.abc import Callable, Iterable

import pytest

from daemon.outcomes import MAX_SUSPECT_ATTEMPTS
from tests.daemon.mutants import NOT_PROVEN, is_rare, reason_for, sites, without
from tests.daemon.simulated_fs import SimulatedFs
from tests.daemon.test_power_loss import deadly, drained, history

SITES = sites(range(120), history)
SEEDS = (*range(80), 111, 715, 738, 1826)
"""Enough for every site; python -m benchmarks.mutation_proof finds others."""


def seed_that_tells(make: Callable[..., SimulatedFs], seeds: Iterable[int]) -> int | None:
    """The first seed whose history fails, if one does."""
    for seed in seeds:
        try:
            history(seed, make)
            if seed < 10:
                assert deadly(seed, make) <= MAX_SUSPECT_ATTEMPTS
                assert drained(seed, make) == 0
        except Exception:
            return seed
    return None


def test_the_sites_are_found_and_each_reason_is_of_one() -> None:
    assert len(SITES) > 40
    for part in NOT_PROVEN:
        assert any(part in site for site in SITES), part


@pytest.mark.parametrize(
    "site", [site for site in SITES if not (reason_for(site) or is_rare(site))]
)
def test_without_any_one_sync_or_rename_something_is_lost_doubled_or_left_over(site: str) -> None:
    assert seed_that_tells(without(site), SEEDS) is not None
