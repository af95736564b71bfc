"""A daemon with a renderer of no time at all, over any file system, and what must hold of it."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from daemon.fs import Fs, move_new
from daemon.inbox import Claimed, Inbox
from daemon.jobs import Job, JobState, Priority, job_from_json
from daemon.outcomes import MAX_SUSPECT_ATTEMPTS
from daemon.owners import Owners
from daemon.places import Places
from daemon.recovery import recover
from daemon.stranded import let_go

WORDS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFUSAL = {"code": "spec-invalid", "message": "no", "errors": [{"line": 1, "column": 2}]}
FAILURE = {"code": "render-failed", "message": "no", "errors": [{"line": None, "column": None}]}


@dataclass
class World:
    """What outlives a daemon: numbers that are never used twice, who is dead, and what
    was told of jobs."""

    numbers: "count[int]" = field(default_factory=lambda: count(1))
    starts: Counter[str] = field(default_factory=Counter)
    published: dict[str, str] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    told: dict[tuple[str, int], Job] = field(default_factory=dict)
    now: float = 1000.0
    wait_s: float = 0.0

    def word(self) -> str:
        return f"n{next(self.numbers)}"

    def new_id(self) -> str:
        return f"{next(self.numbers):026d}"


class SomeOwners(Owners):
    """Owners whose death the test announces."""

    world: World

    def is_dead(self, owner: str) -> bool:
        return owner != self.me and (owner in self.world.dead or super().is_dead(owner))


class SmallDaemon:
    """What a dispatcher does, one job at a time."""

    def __init__(self, fs: Fs, places: Places, world: World, owner: str) -> None:
        self.fs, self.places, self.world, self.owner = fs, places, world, owner
        self.inbox = Inbox(fs, places, owner, lambda: world.now, world.new_id, world.word)
        self.owners = SomeOwners(papers=self.inbox.papers, monotonic=lambda: world.now)
        self.owners.world = world

    def run(self) -> None:
        """Start, recover, and work until nothing is left."""
        self.owners.beat()
        while self.turn():
            pass

    def turn(self) -> bool:
        """One job, if there is one."""
        let_go(self.inbox, self.places, (), lambda: self.world.now)  # nothing is worked on now
        for claim in recover(self.inbox, self.owners, self.fs, self.places):
            job = self.inbox.ledger.read(claim.job_id)
            if job is not None and job.not_before > self.world.now:
                continue
            claimed = self.inbox.take(claim)
            if claimed is not None:
                self.work(claimed)
            return True
        for name in self.fs.names(self.places.inbox):
            path = self.places.inbox / name
            seen = self.fs.stat(path)
            if name.endswith(".json") and seen is not None:
                claimed = self.inbox.claim(path, seen, Priority.NORMAL)
                if claimed is not None:
                    self.work(claimed)
                return True
        return False

    def changed(self, job_id: str) -> None:
        """Tell the index and whoever listens, who go by `rev` and forget nothing."""
        job = self.inbox.ledger.read(job_id)
        if job is not None:
            assert self.world.told.setdefault((job_id, job.rev), job) == job, "a rev of two things"

    def work(self, claimed: Claimed) -> None:
        self.changed(claimed.job.job_id)
        self._work(claimed)
        self.changed(claimed.job.job_id)

    def _work(self, claimed: Claimed) -> None:
        if self.inbox.is_cancelled(claimed.job):
            self.inbox.cancel(claimed)
        elif b"refuse" in claimed.data:
            self.inbox.reject(claimed, REFUSAL)
        else:
            claimed = self.inbox.begin(claimed)
            self.changed(claimed.job.job_id)
            if b"fail" in claimed.data:
                self.inbox.fail(claimed, FAILURE)
            elif b"later" in claimed.data and not claimed.job.retries:
                self.inbox.give_back(claimed, self.world.now + self.world.wait_s, retries=1)
            else:
                self.render(claimed)

    def render(self, claimed: Claimed) -> None:
        claim = claimed.claim
        work = self.places.own("work")
        self.world.starts[claim.job_id] += 1
        folder = work / f"{claim.job_id}.a{claim.attempt}.{self.world.word()}"
        try:
            self.build(claimed, folder, work)
        except FileNotFoundError:
            if self.inbox.still_ours(claim):
                raise

    def build(self, claimed: Claimed, folder: Path, work: Path) -> None:
        fs = self.fs
        fs.make_folder(folder)
        film = b"film of " + claimed.data
        name = f"b-{sha256(claimed.data).hexdigest()[:16]}"
        manifest = json.dumps({"video.mp4": sha256(film).hexdigest()}).encode()
        fs.write_new(folder / "video.mp4", film)
        fs.write_new(folder / "manifest.json", manifest)
        fs.sync_folder(folder)
        digest = sha256(manifest).hexdigest()
        told = self.inbox.announce(claimed, name, digest)
        if told is None:
            if self.inbox.is_cancelled(claimed.job):
                self.inbox.cancel(claimed)
            return  # recovery clears the folder away
        try:
            fs.rename_new(folder, self.places.outbox / name)
            self.world.published[claimed.job.job_id] = name
        except FileExistsError:
            pass
        assert self.inbox.is_published(told.job)
        self.inbox.succeed(told, name, digest)


def made(fs: Fs, root: Path) -> Places:
    places = Places(root)
    fs.make_folder(root)
    for folder in places.folders():
        fs.make_folder(folder)
    for folder in (root.parent, root, *places.folders()):
        fs.sync_folder(folder)
    return places


def drop(fs: Fs, places: Places, name: str, data: bytes) -> None:
    fs.write_new(places.polite / name, data)
    move_new(fs, places.polite / name, places.inbox / name)


def bundles_are_whole(fs: Fs, places: Places) -> None:
    """I3: at every instant."""
    for name in fs.names(places.outbox):
        if name == "receipts":
            continue
        manifest = json.loads(fs.read(places.outbox / name / "manifest.json", 10**6))
        assert set(fs.names(places.outbox / name)) == {"manifest.json", *manifest}
        for file, digest in manifest.items():
            assert sha256(fs.read(places.outbox / name / file, 10**6)).hexdigest() == digest


def settled(fs: Fs, places: Places) -> set[str]:
    """The jobs whose end a client has been told."""
    names = fs.names(places.own("jobs"))
    jobs = [json.loads(fs.read(places.own("jobs") / name, 10**6)) for name in names]
    return {job["job_id"] for job in jobs if JobState(job["state"]).is_final}


def spec_bytes(fs: Fs, places: Places) -> list[bytes]:
    """The bytes of every spec there is, wherever it lies."""
    found = []
    for folder in (
        places.inbox, places.own("claimed"), places.rejected, places.failed, places.own("done"),
    ):  # fmt: skip
        for name in fs.names(folder):
            status = fs.stat(folder / name)
            assert status is not None
            is_file = status.st_mode & 0o170000 == 0o100000
            if is_file and not name.endswith((".error.json", ".cancel")):
                found.append(fs.read(folder / name, 10**6))
    return sorted(found)


def receipts_hold(fs: Fs, places: Places) -> dict[str, Job]:
    """I6: a receipt of success has its bundle. At every instant."""
    receipts = {}
    for name in fs.names(places.receipts):
        job = job_from_json(json.loads(fs.read(places.receipts / name, 10**6)))
        assert job.state.is_final
        if job.state is JobState.SUCCEEDED:
            manifest = fs.read(places.outbox / job.bundle / "manifest.json", 10**6)
            assert sha256(manifest).hexdigest() == job.bundle_digest
        receipts[job.job_id] = job
    return receipts


def nothing_is_owed(
    fs: Fs,
    places: Places,
    drops: Mapping[str, bytes],
    *,
    died: int,
    tried_again: Collection[str] = (),
) -> None:
    """I1 to I8 and I10 once daemons have run undisturbed.

    The specs of the jobs `tried_again` were moved back to the inbox by hand.
    """
    receipts = all_is_told(fs, places, sorted(drops.values()), died=died, tried_again=tried_again)
    assert sorted(job.name for job in receipts.values()) == sorted(drops)


def all_is_told(
    fs: Fs, places: Places, specs: list[bytes], *, died: int, tried_again: Collection[str] = ()
) -> dict[str, Job]:
    """As `nothing_is_owed`, for specs whose names may be equal; the receipts."""
    bundles_are_whole(fs, places)
    assert spec_bytes(fs, places) == specs
    receipts = receipts_hold(fs, places)
    assert len(receipts) == len(specs) + len(tried_again)
    for empty in ("claimed", "intents", "work", "parts", "cancel"):
        assert fs.names(places.own(empty)) == [], empty
    assert all(not name.endswith((".json", ".cancel")) for name in fs.names(places.inbox))
    assert {name.removesuffix(".json") for name in fs.names(places.own("jobs"))} == set(receipts)
    for job in receipts.values():
        document = json.loads(fs.read(places.status(job.job_id), 10**6))
        assert (document["state"], document["bundle"]) == (job.state, job.bundle)
        assert (job.error or {}).get("code") != "poison" or died >= MAX_SUSPECT_ATTEMPTS
    _ends_lie_where_they_belong(fs, places, receipts, tried_again)
    return receipts


def _ends_lie_where_they_belong(
    fs: Fs, places: Places, receipts: dict[str, Job], tried_again: Collection[str]
) -> None:
    done = set(fs.names(places.own("done")))
    failed = {job_id for job_id, job in receipts.items() if job.state is JobState.FAILED}
    assert done == set(receipts) - failed
    explained: dict[str, Any] = {}
    for folder in (places.rejected, places.failed):
        names = fs.names(folder)
        errors = [name for name in names if name.endswith(".error.json")]
        assert len(names) == 2 * len(errors) - _alone(errors, names)
        for name in errors:
            data = json.loads(fs.read(folder / name, 10**6))
            explained[data["job_id"]] = data
            assert data["code"]
            assert data["code"] == "poison" or {"line", "column"} <= data["errors"][0].keys()
            if data["job_id"] in tried_again:
                assert name.removesuffix(".error.json") not in names
                continue
            spec = fs.read(folder / name.removesuffix(".error.json"), 10**6)
            assert sha256(spec).hexdigest() == receipts[data["job_id"]].spec_sha256
    assert set(explained) == failed


def _alone(errors: list[str], names: list[str]) -> int:
    """How many error files stand beside no spec: those of specs that were moved back."""
    return sum(name.removesuffix(".error.json") not in names for name in errors)
