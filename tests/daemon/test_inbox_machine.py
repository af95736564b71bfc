"""Drops, deaths, power cuts, zombies and cancels in any order that hypothesis thinks of."""

from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.daemon.simulated_fs import PowerCut, SimulatedFs
from tests.daemon.small_daemon import (
    SmallDaemon,
    World,
    bundles_are_whole,
    drop,
    made,
    nothing_is_owed,
    receipts_hold,
    spec_bytes,
)

CALLS = st.integers(1, 150)


class InboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fs, self.world, self.deaths, self.lives = SimulatedFs(1, ordered=False), World(), 0, 0
        self.places = made(self.fs, Path("/r"))
        self.drops: dict[str, bytes] = {}

    def daemon(self) -> SmallDaemon:
        self.lives += 1
        return SmallDaemon(self.fs, self.places, self.world, f"d{self.lives}")

    @rule(data=st.sampled_from((b"good 1", b"good 2", b"refuse", b"fail", b"later")))
    def drops_a_spec(self, data: bytes) -> None:
        name = f"x{len(self.drops)}.json"
        drop(self.fs, self.places, name, data)
        self.drops[name] = data

    @rule()
    def wishes_to_cancel_the_last(self) -> None:
        name = f"x{len(self.drops) - 1}.json"
        if name in self.fs.names(self.places.inbox):
            self.fs.write_new(self.places.polite / "wish", b"")
            self.fs.rename(self.places.polite / "wish", self.places.inbox / f"{name}.cancel")

    @rule(calls=CALLS, power=st.booleans())
    def lives_and_dies(self, calls: int, power: bool) -> None:
        daemon = self.daemon()
        self.fs.cut_at = self.fs.calls + calls
        try:
            daemon.run()
        except PowerCut:
            self.deaths += 1
        self.fs.cut_at = -1
        self.world.dead.add(daemon.owner)
        if power:
            self.fs.power_loss()

    @rule(calls=CALLS)
    def is_paused_thought_dead_and_resumed(self, calls: int) -> None:
        zombie = self.daemon()

        def pause() -> None:
            self.fs.cut_at = -1
            self.deaths += 1
            self.world.dead.add(zombie.owner)
            self.daemon().run()

        self.fs.at_cut, self.fs.cut_at = pause, self.fs.calls + calls  # type: ignore[method-assign]
        with suppress(FileNotFoundError):  # its half-written document was swept: it stops
            zombie.run()
        self.fs.cut_at = -1
        del self.fs.at_cut
        self.world.dead.add(zombie.owner)

    @invariant()
    def holds_at_every_instant(self) -> None:
        bundles_are_whole(self.fs, self.places)
        receipts_hold(self.fs, self.places)
        assert spec_bytes(self.fs, self.places) == sorted(self.drops.values())

    def teardown(self) -> None:
        self.fs.cut_at = -1
        self.daemon().run()
        nothing_is_owed(self.fs, self.places, self.drops, died=self.deaths)


TestInboxMachine = InboxMachine.TestCase
TestInboxMachine.settings = settings(max_examples=60, stateful_step_count=8, deadline=None)
