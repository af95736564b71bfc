"""Proof that every sync and every rename of the protocol is needed: without it a history fails."""

import pytest

from tests.daemon.mutants import sites, without
from tests.daemon.test_power_loss import history, promised, seed_that_tells

SITES = sites(range(20), history, promised)
SEEDS = (*range(18), 40, 41, 67, 160, 268, 584)
"""Enough for every site; python -m benchmarks.mutation_proof finds others."""


def test_the_sites_are_found() -> None:
    assert len(SITES) > 40


@pytest.mark.parametrize("site", SITES)
def test_without_any_one_sync_or_rename_something_is_lost_doubled_or_left_over(site: str) -> None:
    assert seed_that_tells(without(site), SEEDS) is not None
