"""The protocol under power cuts, and proof that each of its syncs and renames is needed."""

import json
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from daemon.fs import move_new
from daemon.inbox import Claimed, Inbox
from daemon.jobs import Job, JobState, Priority
from daemon.ledger import Papers
from daemon.outcomes import MAX_SUSPECT_ATTEMPTS
from daemon.owners import BEAT_S, LEASE_S
from daemon.places import Claim, Places
from daemon.submissions import Submissions
from tests.daemon.simulated_fs import Disk, PowerCut, SimulatedFs
from tests.daemon.small_daemon import (
    SmallDaemon,
    World,
    all_is_told,
    bundles_are_whole,
    drop,
    made,
    nothing_is_owed,
    receipts_hold,
    settled,
)

DISKS = tuple(Disk)
SPECS = (b"good 1", b"refuse 2", b"fail 3", b"later 4", b"good 1")


def history(
    seed: int,
    make: Callable[..., SimulatedFs] = SimulatedFs,
    daemon: Any = None,
    *,
    hasty: bool = False,
) -> None:
    """Drops, daemons cut off one to four times at any call, then one that is left alone.

    A `hasty` one is about a single drop, and three or four daemons that come but to their first
    syncs.
    """
    chance, daemon = random.Random(seed), daemon or SmallDaemon
    fs = make(seed, disk=chance.choice(DISKS))
    places, world = made(fs, Path("/r")), World()
    drops = {
        f"x{i}.json": chance.choice(SPECS) for i in range(1 if hasty else chance.randint(1, 3))
    }
    for name, data in drops.items():
        drop(fs, places, name, data)
    if chance.random() < 0.3:
        fs.write_new(places.inbox / "x0.json.cancel", b"")
        fs.sync_folder(places.inbox)
    cuts, told, starts, tried_again = chance.randint(1, 4), set(), {}, list[str]()
    cuts = max(cuts, 3) if hasty else cuts
    for i in range(cuts):
        calls = 0 if hasty else chance.choice((20, 60, 200))
        _until_cut(fs, daemon(fs, places, world, f"d{i}"), calls, chance)
        world.dead.add(f"d{i}")
        bundles_are_whole(fs, places)
        told |= settled(fs, places)
        rejected = set(fs.names(places.rejected)) | set(fs.names(places.failed))
        is_lost = chance.random() < 0.6
        if is_lost:
            fs.power_loss()
        bundles_are_whole(fs, places)
        assert told <= receipts_hold(fs, places).keys()
        there = fs.names(places.outbox)
        if is_lost:  # what is there now stays there
            made_by = {job for job, bundle in world.published.items() if bundle in there}
            starts |= {job: world.starts[job] for job in made_by}
        assert len(rejected - set(fs.names(places.rejected)) - set(fs.names(places.failed))) <= 2
        if chance.random() < 0.2:
            tried_again += _tried_again(fs, places)
    last = daemon(fs, places, world, "last")
    last.run()
    all_is_told(fs, places, sorted(drops.values()), died=cuts, tried_again=tried_again)
    names = {job.name.partition(".")[0] for job in receipts_hold(fs, places).values()}
    assert names == {name.partition(".")[0] for name in drops}
    for job_id, rev in world.told:
        assert rev <= last.inbox.ledger.read(job_id).rev, "what was told last is not the end"
    assert all(n <= MAX_SUSPECT_ATTEMPTS + 1 for n in world.starts.values())
    assert all(world.starts[job] == n for job, n in starts.items()), "published, yet made again"


def _tried_again(fs: SimulatedFs, places: Places) -> list[str]:
    """Somebody moves what was refused or failed back into the inbox; the jobs it was."""
    jobs = []
    for folder in (places.rejected, places.failed):
        for name in fs.names(folder):
            told = folder / f"{name}.error.json"
            if fs.stat(told) is not None and fs.stat(places.inbox / name) is None:
                move_new(fs, folder / name, places.inbox / name)
                jobs.append(json.loads(fs.read(told, 10**6))["job_id"])
    return jobs


def _until_cut(fs: SimulatedFs, daemon: SmallDaemon, calls: int, chance: random.Random) -> None:
    """Any call may be the last one; half the time it is one that would have synced.

    Without `calls` it is one of the first three of those.
    """
    if calls and chance.random() < 0.5:
        fs.cut_at = fs.calls + chance.randint(1, calls)
    else:
        fs.cut_before_sync = fs.syncs + chance.randint(1, 3 + calls // 8)
    try:
        daemon.run()
    except PowerCut:
        pass
    finally:
        fs.cut_at = fs.cut_before_sync = -1


def promised(seed: int, make: Callable[..., SimulatedFs] = SimulatedFs) -> None:
    """A document is handed in, by a process that may die of it; what was promised comes true."""
    chance = random.Random(seed)
    fs = make(seed, disk=chance.choice(DISKS))
    places, world, ids = made(fs, Path("/r")), World(), set[str]()
    api = SmallDaemon(fs, places, world, "api")
    desk = Submissions(papers=api.inbox.papers, clock=lambda: world.now, new_id=world.new_id)
    fs.cut_at = fs.calls + chance.randint(1, 16)
    with suppress(PowerCut):
        ids.add(desk.submit(b"good 1", owner="ada").job_id)
    for i in range(chance.randint(1, 3)):
        world.dead.add(f"d{i - 1}" if i else "api")
        if chance.random() < 0.8:
            fs.power_loss()
        _until_cut(fs, SmallDaemon(fs, places, world, f"d{i}"), chance.choice((10, 60)), chance)
    world.dead |= {"api", "d0", "d1", "d2"}
    SmallDaemon(fs, places, world, "last").run()
    ends = receipts_hold(fs, places)
    assert ids <= ends.keys()
    assert len(ends) <= 1
    for job in ends.values():
        assert (job.owner, job.spec_sha256) == ("ada", sha256(b"good 1").hexdigest())
    for empty in ("submitted", "parts", "claimed", "intents"):
        assert fs.names(places.own(empty)) == [], empty


def observed(seed: int, make: Callable[..., SimulatedFs] = SimulatedFs) -> None:
    """A daemon that beats is not thought dead, for however long; one that does not is."""
    fs = make(seed, disk=DISKS[seed % 3])
    places, world = made(fs, Path("/r")), World()
    one, other = (SmallDaemon(fs, places, world, name).owners for name in ("one", "other"))
    for _ in range(20):
        one.beat()
        assert not other.is_dead("one")
        world.now += BEAT_S
    for _ in range(2):
        world.now += LEASE_S
        was_dead = other.is_dead("one")
    assert was_dead


def test_nothing_is_lost_doubled_or_halved_in_700_histories_of_power_cuts() -> None:
    for seed in range(700):
        try:
            history(seed)
        except BaseException as error:
            raise AssertionError(f"seed {seed}") from error


def test_nothing_is_lost_doubled_or_halved_by_daemons_that_die_young() -> None:
    for seed in range(700):
        history(seed, hasty=True)


def test_what_was_promised_outlasts_300_power_cuts() -> None:
    for seed in range(300):
        promised(seed)


def test_who_beats_is_alive() -> None:
    observed(0)


def test_a_spec_that_cuts_the_power_is_tried_twice() -> None:
    for seed in range(40):
        assert deadly(seed, SimulatedFs) <= MAX_SUSPECT_ATTEMPTS


def deadly(seed: int, make: Callable[..., SimulatedFs]) -> int:
    """How often a spec is tried that cuts the power whenever it runs."""

    class Deadly(SmallDaemon):
        def render(self, claimed: Claimed) -> None:
            self.world.starts[claimed.claim.job_id] += 1
            raise PowerCut

    fs = make(seed, disk=DISKS[seed % 3])
    places, world = made(fs, Path("/r")), World()
    drop(fs, places, "x.json", b"good")
    for i in range(12):
        try:
            Deadly(fs, places, world, f"d{i}").run()
        except PowerCut:
            world.dead.add(f"d{i}")
            fs.power_loss()
    nothing_is_owed(fs, places, {"x.json": b"good"}, died=12)
    return max(world.starts.values())


def drained(seed: int, make: Callable[..., SimulatedFs]) -> int:
    """The attempt of a job that was given back before the power went."""
    fs = make(seed, disk=DISKS[seed % 3])
    places, world = made(fs, Path("/r")), World()
    drop(fs, places, "x.json", b"good")
    daemon = SmallDaemon(fs, places, world, "d0")
    path = places.inbox / "x.json"
    seen = fs.stat(path)
    assert seen is not None
    claimed = daemon.inbox.claim(path, seen, Priority.NORMAL)
    assert claimed is not None
    daemon.inbox.give_back(daemon.inbox.begin(claimed), 0.0)
    fs.power_loss()
    world.dead.add("d0")
    second = SmallDaemon(fs, places, world, "d1")
    second.owners.beat()
    (claim,) = second.inbox.waiting() or second.inbox.claims()
    return claim.attempt


def test_a_job_given_back_has_used_no_attempt() -> None:
    assert {drained(seed, SimulatedFs) for seed in range(20)} == {0}


def unsynced_bytes_in(folder: str) -> type[SimulatedFs]:
    class Mutant(SimulatedFs):
        def rename(self, old: Path, new: Path) -> None:
            super().rename(old, new)
            if old.parent.name == "parts" and new.parent.name == folder:
                node = self._node(new)
                assert node is not None
                node.synced = False

    return Mutant


def unsynced_names_in(folder: str) -> type[SimulatedFs]:
    class Mutant(SimulatedFs):
        def sync_folder(self, path: Path) -> None:
            skipped = path.name == folder or (folder == "work/*" and path.parent.name == "work")
            if not (skipped and self.calls > 40):
                super().sync_folder(path)

    return Mutant


class CopiesInsteadOfMoving(SimulatedFs):
    def rename_new(self, old: Path, new: Path) -> None:
        node = self._node(old)
        if old.parent.name == "parts" or node is None or node.entries is not None:
            return super().rename_new(old, new)
        self.write_new(new, self.read(old, 10**6))
        return self.unlink(old)


class UnsyncedFilms(SimulatedFs):
    def write_new(self, path: Path, data: bytes) -> None:
        is_film = path.parent.parent.name == "work"
        (self.write_soon if is_film else super().write_new)(path, data)


MUTANTS = [
    *(pytest.param(unsynced_bytes_in(x), id=f"bytes of {x}") for x in (
        "intents", "jobs", "receipts", "rejected", "failed"
    )),
    *(pytest.param(unsynced_names_in(x), id=f"names of {x}") for x in (
        "intents", "claimed", "jobs", "receipts", "rejected", "outbox", "inbox", "work/*"
    )),
    pytest.param(CopiesInsteadOfMoving, id="copy and remove"),
    pytest.param(UnsyncedFilms, id="bytes of a bundle"),
]  # fmt: skip


def seed_that_tells(
    make: Callable[..., SimulatedFs], seeds: Iterable[int], daemon: Any = None
) -> int | None:
    """The first seed of which a history fails, if one does."""
    for seed in seeds:
        try:
            history(seed, make, daemon)
            history(seed, make, daemon, hasty=True)
            if daemon is None:
                promised(seed, make)
            if seed < 10 and daemon is None:
                observed(seed, make)
                assert deadly(seed, make) <= MAX_SUSPECT_ATTEMPTS
                assert drained(seed, make) == 0
        except Exception:
            return seed
    return None


def is_caught(make: Callable[..., SimulatedFs], daemon: Any = None, seeds: int = 800) -> bool:
    return seed_that_tells(make, range(seeds), daemon) is not None


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_protocol_without_one_of_its_steps_is_caught(mutant: type[SimulatedFs]) -> None:
    assert is_caught(mutant)


def _in_place(self: Papers, path: Path, document: Any, name: Any, claim: Any) -> None:
    if name == self.fs.rename_new and self.fs.stat(path) is not None:
        raise FileExistsError
    self.fs.unlink(path)
    self.fs.write_new(path, json.dumps(document).encode())


def _moved_before_explained(self: Inbox, claimed: Claimed, job: Job) -> None:
    self._fs.rename_new(
        self._places.claimed(claimed.claim), self._places.own("done") / claimed.job.job_id
    )
    job, _ = self._explained(claimed.claim, job)
    self.ledger.write(job, claimed.claim)


def _no_error_file(self: Inbox, claim: Claim, job: Job) -> tuple[Job, Path]:
    decided = self.outbox.decide(job, claim)
    is_failed = decided.state is JobState.FAILED
    target = (
        self._folder(decided) / job.name if is_failed else Path("/r/.reelkiln/done") / job.job_id
    )
    return decided, target


ORDERS = [
    (Papers, "_put", _in_place),
    (Inbox, "_end", _moved_before_explained),
    (Inbox, "_explained", _no_error_file),
    (Inbox, "_grant_wishes", lambda self, job: None),
    (Inbox, "is_published", lambda self, job: True),
]


@pytest.mark.parametrize(("owner", "step", "wrong"), ORDERS, ids=[o[1] for o in ORDERS])
def test_steps_left_out_or_in_another_order_are_caught(
    owner: type, step: str, wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, step, wrong)
    assert is_caught(SimulatedFs, SmallDaemon)


class RenamesReceiptFirst(SmallDaemon):
    """The receipt before the bundle."""

    def build(self, claimed: Claimed, folder: Path, work: Path) -> None:
        decide = self.inbox.outbox.decide
        job = self.inbox._ended(claimed, "succeeded", bundle="b", bundle_digest="0")  # type: ignore
        decide(job, claimed.claim)
        super().build(claimed, folder, work)


class BuildsInPlace(SmallDaemon):
    """The bundle is written where clients see it."""

    def build(self, claimed: Claimed, folder: Path, work: Path) -> None:
        seen = self.places.outbox / folder.name
        super().build(claimed, seen, work)


@pytest.mark.parametrize("daemon", [RenamesReceiptFirst, BuildsInPlace])
def test_a_daemon_that_shows_unfinished_things_is_caught(daemon: type[SmallDaemon]) -> None:
    assert is_caught(SimulatedFs, daemon)
