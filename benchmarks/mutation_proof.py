"""Leaves out each sync and rename of the protocol in turn and looks for a history that fails.

python -m benchmarks.mutation_proof [histories]

Prints the first seed that tells for each site, the sites that are listed with a reason, and ends
with status 1 when one is neither.
"""

import sys
import time

from tests.daemon.mutants import reason_for, sites, without
from tests.daemon.test_mutants import seed_that_tells
from tests.daemon.test_power_loss import history


def main(histories: int = 3000) -> int:
    """The exit status."""
    begun, unproven = time.monotonic(), 0
    found = sites(range(300), history)
    for site in found:
        if why := reason_for(site):
            print(f"listed   {site}\n         {why}", flush=True)
            continue
        seed = seed_that_tells(without(site), range(histories))
        unproven += seed is None
        print(f"{'MISSED' if seed is None else seed!s:>8} {site}", flush=True)
    seconds = time.monotonic() - begun
    print(f"{len(found)} sites, {unproven} neither proven nor listed, {seconds:.0f} s")
    return 1 if unproven else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
