"""Leaves out each sync and rename of the protocol in turn and looks for a history that fails.

python -m benchmarks.mutation_proof [histories]

Prints the first seed that tells for each site, and ends with status 1 when there is none for one.
"""

import sys
import time

from tests.daemon.mutants import sites, without
from tests.daemon.test_power_loss import history, promised, seed_that_tells


def main(histories: int = 3000) -> int:
    """The exit status."""
    begun, unproven = time.monotonic(), 0
    found = sites(range(300), history, promised)
    for site in found:
        seed = seed_that_tells(without(site), range(histories))
        unproven += seed is None
        print(f"{'MISSED' if seed is None else seed!s:>8} {site}", flush=True)
    seconds = time.monotonic() - begun
    print(f"{len(found)} sites, {unproven} not proven, {seconds:.0f} s")
    return 1 if unproven else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
