"""The protocol under power cuts, and proof that each of its syncs and renames is needed."""

import random
from collections.abc import Callable
from pathlib import Path

from tests.daemon.simulated_fs import PowerCut, SimulatedFs
from tests.daemon.small_daemon import (
    SmallDaemon,
    World,
    bundles_are_whole,
    drop,
    made,
    nothing_is_owed,
    receipts_hold,
)

SPECS = (b"good 1", b"refuse 2", b"fail 3", b"later 4", b"good 1")


def history(seed: int, make: Callable[..., SimulatedFs] = SimulatedFs) -> None:
    """Drops, daemons cut off one to four times at any call, then one that is left alone."""
    chance = random.Random(seed)
    fs = make(seed, ordered=chance.random() < 0.5)
    places, world = made(fs, Path("/r")), World()
    drops = [chance.choice(SPECS) for _ in range(chance.randint(1, 3))]
    for i, data in enumerate(drops):
        drop(fs, places, f"{(i % 2 and 'x') or 'y'}{i}.json", data)
    if chance.random() < 0.3:
        fs.write_new(places.inbox / "y0.json.cancel", b"")
        fs.sync_folder(places.inbox)
    cuts = chance.randint(1, 4)
    observed: set[str] = set()
    for i in range(cuts):
        daemon = SmallDaemon(fs, places, world, f"d{i}")
        fs.cut_at = fs.calls + chance.randint(1, chance.choice((20, 60, 200)))
        try:
            daemon.run()
        except PowerCut:
            world.dead.add(daemon.owner)
            fs.cut_at = -1
            seen = set(fs.names(places.own("done")))
            fs.power_loss()
            world.dead.add(daemon.owner)
        else:
            fs.cut_at = -1
            seen = set(fs.names(places.own("done")))
            world.dead.add(daemon.owner)
            fs.power_loss()
        del seen
        bundles_are_whole(fs, places)
        receipts = receipts_hold(fs, places)
        assert observed <= receipts.keys()
        observed |= receipts.keys()
    SmallDaemon(fs, places, world, "last").run()
    SmallDaemon(fs, places, world, "last").turn()
    nothing_is_owed(fs, places, drops, died=cuts)


def test_nothing_is_lost_doubled_or_halved_in_1500_histories_of_power_cuts() -> None:
    for seed in range(1500):
        try:
            history(seed)
        except BaseException as error:
            raise AssertionError(f"seed {seed}") from error
