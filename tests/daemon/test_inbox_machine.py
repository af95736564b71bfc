"""Drops, deaths, power cuts, zombies, faults and wishes in any order that hypothesis thinks of.

Every daemon goes on by single calls of the file system, so that any two of them may meet at any
call. After each step what must hold at every instant is checked (I1, I3, I4, I6, I9, I14); at the
end the faults stop, one daemon runs, and everything must be told (I2, I5, I7, I8, I10, I11).
"""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from daemon.fs import move_new
from daemon.jobs import MOVES, JobState
from tests.daemon.small_daemon import (
    SmallDaemon,
    World,
    all_is_told,
    bundles_are_whole,
    drop,
    made,
    receipts_hold,
    spec_bytes,
)
from tests.daemon.stepped import Life, StageFs

KINDS = st.sampled_from((b"good", b"refuse", b"fail", b"later"))
NAMES = st.sampled_from(("a.json", "b.json", "c.json"))
CALLS = st.integers(1, 40) | st.integers(40, 150)
FAULTS = st.sampled_from((errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, errno.ESTALE))
DAEMONS = 3
WHICH = st.integers(0, DAEMONS - 1)
EXAMPLES = 250


def _has_room(machine: Any) -> bool:
    return not machine.fs.is_full


class InboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fs, self.world = StageFs(), World(wait_s=2.0)
        self.places = made(self.fs, Path("/r"))
        self.lives: dict[int, Life] = {}
        self.born = self.deaths = 0
        self.specs: list[bytes] = []
        self.tried_again: list[str] = []
        self.seen: dict[str, Any] = {}
        self.records: dict[str, tuple[int, str, bytes]] = {}

    # -- clients ---------------------------------------------------------------------------

    @precondition(_has_room)
    @rule(kind=KINDS, name=NAMES, copy=st.booleans())
    def drops(self, kind: bytes, name: str, copy: bool) -> None:
        data = kind if copy else b"%s %d" % (kind, len(self.specs))
        assume(self.fs.stat(self.places.inbox / name) is None)
        drop(self.fs, self.places, name, data)
        self.specs.append(data)

    @precondition(_has_room)
    @rule(kind=KINDS, name=NAMES)
    def replaces_a_drop(self, kind: bytes, name: str) -> None:
        old = self._lies(self.places.inbox / name)
        assume(old is not None)
        data = b"%s new %d" % (kind, self.fs.calls)
        self.fs.write_new(self.places.polite / name, data)
        self.fs.rename(self.places.polite / name, self.places.inbox / name)
        self.fs.sync_folder(self.places.inbox)
        self.specs.remove(old)  # type: ignore[arg-type]
        self.specs.append(data)

    @precondition(_has_room)
    @rule(name=NAMES)
    def wishes_to_cancel_by_name(self, name: str) -> None:
        wish = self.places.inbox / f"{name}.cancel"
        assume(self._lies(self.places.inbox / name) is not None and self._lies(wish) is None)
        self.fs.write_new(wish, b"")
        self.fs.sync_folder(self.places.inbox)

    @precondition(lambda self: self._claims() and _has_room(self))
    @rule(data=st.data())
    def wishes_to_cancel_a_job(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(self._claims())).split(".")[1]
        wish = self.places.own("cancel") / job_id
        assume(self._lies(wish) is None and self._lies(self.places.status(job_id)) is not None)
        self.fs.write_new(wish, b"")

    @precondition(lambda self: self._failed())
    @rule(data=st.data())
    def tries_again_by_hand(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(self._failed()))
        told = self._lies(path.with_name(path.name + ".error.json"))
        assert told is not None, "a refused spec without an error file"
        assume(self._lies(self.places.inbox / path.name) is None)
        move_new(self.fs, path, self.places.inbox / path.name)
        self.tried_again.append(json.loads(told)["job_id"])

    # -- daemons ---------------------------------------------------------------------------

    @rule(which=WHICH, calls=CALLS)
    def goes_on(self, which: int, calls: int) -> None:
        self._life(which).steps(calls)

    @rule(which=WHICH, calls=CALLS, more=st.integers(1, 10))
    def sleeps_while_another_does_its_work(self, which: int, calls: int, more: int) -> None:
        sleeper = self._life(which)
        sleeper.steps(calls)
        self.world.dead.add(sleeper.daemon.owner)
        self.deaths += 1
        self._life((which + 1) % DAEMONS).steps(400)
        sleeper.steps(more)
        self.every_spec_lies_in_one_place()
        sleeper.steps(200)

    @precondition(lambda self: self._living())
    @rule(data=st.data())
    def is_killed(self, data: st.DataObject) -> None:
        life = self.lives.pop(data.draw(st.sampled_from(self._living())))
        life.kill()
        self.deaths += 1

    @precondition(lambda self: self._living())
    @rule(data=st.data())
    def is_thought_dead_but_only_sleeps(self, data: st.DataObject) -> None:
        life = self.lives[data.draw(st.sampled_from(self._living()))]
        self.world.dead.add(life.daemon.owner)
        self.deaths += 1

    @precondition(lambda self: self._sleeping())
    @rule(data=st.data(), calls=CALLS)
    def wakes_up(self, data: st.DataObject, calls: int) -> None:
        self.lives[data.draw(st.sampled_from(self._sleeping()))].steps(calls)

    @rule(seconds=st.sampled_from((1, 20, 40)))
    def time_passes(self, seconds: int) -> None:
        self.world.now += seconds
        self.deaths += DAEMONS  # whoever was not told to go on gave no sign of life

    # -- the machine they run on -----------------------------------------------------------

    @rule(number=FAULTS, which=WHICH, calls=st.integers(1, 60))
    def a_call_fails(self, number: int, which: int, calls: int) -> None:
        self.fs.fault, self.fs.fault_at = number, self.fs.calls + calls
        self.goes_on(which, calls + 1)
        self.fs.fault_at = -1

    @rule()
    def the_disk_fills_or_is_cleared(self) -> None:
        self.fs.is_full = not self.fs.is_full

    @rule()
    def the_power_goes(self) -> None:
        for which in self._living():
            self.lives.pop(which).kill()
            self.deaths += 1
        ended = {
            job_id for job_id, (_, state, _) in self.records.items() if JobState(state).is_final
        }
        self.fs.power_loss()
        self.seen, self.records = {}, {}
        assert ended <= receipts_hold(self.fs, self.places).keys()

    # -- what must hold --------------------------------------------------------------------

    @invariant()
    def every_spec_lies_in_one_place(self) -> None:
        assert spec_bytes(self.fs, self.places) == sorted(self.specs)

    @invariant()
    def bundles_and_receipts_are_whole_and_stay_as_they_are(self) -> None:
        bundles_are_whole(self.fs, self.places)
        receipts = receipts_hold(self.fs, self.places)
        bundles = self.fs.names(self.places.outbox)
        now = {f"bundle {name}": self._node_of(self.places.outbox / name) for name in bundles}
        now |= {f"receipt {name}": job for name, job in receipts.items()}
        assert self.seen.items() <= now.items() or all(
            now[key] == self.seen[key] for key in self.seen
        )
        self.seen = now

    @invariant()
    def records_only_grow(self) -> None:
        folder, now = self.places.own("jobs"), {}
        for name in self.fs.names(folder):
            data = self.fs.read(folder / name, 10**6)
            job = json.loads(data)
            now[job["job_id"]] = (job["rev"], job["state"], data)
            before = self.records.get(job["job_id"])
            if before is None or before[2] == data:
                continue
            assert job["rev"] > before[0]
            assert _leads_to(JobState(before[1]), JobState(job["state"]))
        self.records = now

    def teardown(self) -> None:
        self.fs.is_full = False
        for which in self._living():
            self.lives.pop(which).kill()
            self.deaths += 1
        last = SmallDaemon(self.fs, self.places, self.world, "last")
        for _ in range(2):  # what waits for its next attempt has waited enough
            last.run()
            self.world.now += 100
        last.run()
        self.every_spec_lies_in_one_place()
        self.bundles_and_receipts_are_whole_and_stay_as_they_are()
        all_is_told(
            self.fs, self.places, sorted(self.specs), died=self.deaths, tried_again=self.tried_again
        )

    # -- below -----------------------------------------------------------------------------

    def _lies(self, path: Path) -> bytes | None:
        node = self.fs._node(path)
        return None if node is None else node.data

    def _node_of(self, path: Path) -> int:
        node = self.fs._node(path)
        assert node is not None
        return node.number if path.name != "receipts" else 0

    def _life(self, which: int) -> Life:
        life = self.lives.get(which)
        if life is None or life.is_over or life.daemon.owner in self.world.dead:
            self.born += 1
            if life is not None:
                self.lives[DAEMONS + self.born] = life
            daemon = SmallDaemon(self.fs, self.places, self.world, f"d{self.born}")
            life = self.lives[which] = Life(self.fs, daemon)
        return life

    def _living(self) -> list[int]:
        return sorted(which for which, life in self.lives.items() if not life.is_over)

    def _sleeping(self) -> list[int]:
        dead = self.world.dead
        return [which for which in self._living() if self.lives[which].daemon.owner in dead]

    def _claims(self) -> list[str]:
        return self.fs.names(self.places.own("claimed"))

    def _failed(self) -> list[Path]:
        return [
            folder / name
            for folder in (self.places.rejected, self.places.failed)
            for name in self.fs.names(folder)
            if not name.endswith(".error.json")
        ]


def _leads_to(old: JobState, new: JobState) -> bool:
    """Whether a reader may see these two in a row: at most one move was not seen."""
    return old is new or new in MOVES[old] or any(new in MOVES[between] for between in MOVES[old])


@pytest.mark.parametrize("number", range(4))
def test_whatever_happens_in_whatever_order_nothing_is_lost_or_told_twice(number: int) -> None:
    examples = int(os.environ.get("REELKILN_TEST_EXAMPLES", EXAMPLES))
    run_state_machine_as_test(
        seed(number)(InboxMachine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=14,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
