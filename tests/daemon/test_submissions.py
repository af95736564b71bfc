"""Documents that were handed over with a promise: the job has its id before the drop is claimed."""

import os
from itertools import count
from pathlib import Path

import pytest

from daemon.fs import RealFs
from daemon.inbox import Inbox
from daemon.jobs import JobState, Priority
from daemon.places import Places
from daemon.records import find_job
from daemon.retrying import retry
from daemon.submissions import About, Submissions
from renderer.errors import UsageError
from tests.daemon.killed import KillingFs, Storm
from tests.daemon.small_daemon import FAILURE, SmallDaemon, World, made, nothing_is_owed


def desk(inbox: Inbox, world: World) -> Submissions:
    return Submissions(papers=inbox.papers, clock=lambda: world.now, new_id=world.new_id)


def opened(tmp_path: Path) -> tuple[Places, SmallDaemon, Submissions]:
    fs, world = RealFs(), World()
    places = made(fs, tmp_path)
    daemon = SmallDaemon(fs, places, world, "d1")
    return places, daemon, desk(daemon.inbox, world)


def test_a_submitted_job_keeps_its_id_and_owner_to_the_end(tmp_path: Path) -> None:
    places, daemon, submissions = opened(tmp_path)
    job = submissions.submit(b"good 1", owner="ada", world="w1")
    assert find_job(daemon.fs, places, job.job_id) == job
    daemon.run()
    ended = find_job(daemon.fs, places, job.job_id)
    assert (ended.state, ended.owner, ended.world) == (JobState.SUCCEEDED, "ada", "w1")
    nothing_is_owed(daemon.fs, places, {job.name: b"good 1"}, died=0)
    assert daemon.fs.names(places.own("submitted")) == []


def test_a_submission_lies_where_drops_of_its_priority_lie(tmp_path: Path) -> None:
    places, _, submissions = opened(tmp_path)
    job = submissions.submit(b"a: 1", suffix=".yaml", priority=Priority.HIGH)
    assert (places.inbox / "high" / f"{job.job_id}.yaml").read_bytes() == b"a: 1"
    with pytest.raises(ValueError, match="ends in one of"):
        submissions.submit(b"", suffix=".exe")


def test_what_is_moved_back_after_its_job_ended_is_a_new_job(tmp_path: Path) -> None:
    places, daemon, submissions = opened(tmp_path)
    job = submissions.submit(b"fail 1", owner="ada")
    daemon.run()
    os.rename(places.failed / job.name, places.inbox / job.name)
    daemon.run()
    receipts = daemon.fs.names(places.receipts)
    assert len(receipts) == 2
    owners = {find_job(daemon.fs, places, name.removesuffix(".json")).owner for name in receipts}
    assert owners == {"ada", ""}


def test_a_submitted_job_that_is_tried_again_keeps_its_owner(tmp_path: Path) -> None:
    places, daemon, submissions = opened(tmp_path)
    about = About(kind="video", spec_digest="ab")
    job = submissions.submit(b"fail 1", suffix=".yaml", owner="ada", world="w1", about=about)
    seen = daemon.fs.stat(places.inbox / job.name)
    assert seen is not None
    claimed = daemon.inbox.claim(places.inbox / job.name, seen, Priority.NORMAL)
    assert claimed is not None
    daemon.inbox.fail(claimed, FAILURE)
    path = retry(daemon.fs, places, find_job(daemon.fs, places, job.job_id), submissions)
    again = find_job(daemon.fs, places, path.stem)
    assert (again.owner, again.world, again.retry_of) == ("ada", "w1", job.job_id)
    assert (again.kind, again.spec_digest) == ("video", "ab")
    assert path.read_bytes() == b"fail 1"
    assert daemon.fs.names(places.failed) == []


def test_what_was_known_of_a_document_does_not_hold_for_other_bytes(tmp_path: Path) -> None:
    places, daemon, submissions = opened(tmp_path)
    known = About(spec_digest="ab")
    kept, changed = (submissions.submit(b"good", about=known) for _ in range(2))
    (places.inbox / changed.name).write_bytes(b"other")
    daemon.run()
    digests = [find_job(daemon.fs, places, j.job_id).spec_digest for j in (kept, changed)]
    assert digests == ["ab", ""]


def test_a_submission_that_meets_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    places, daemon, submissions = opened(tmp_path)
    (places.inbox / "high").rmdir()
    with pytest.raises(FileNotFoundError):
        submissions.submit(b"good", priority=Priority.HIGH)
    assert daemon.fs.names(places.own("submitted")) == []
    assert daemon.fs.names(places.own("parts")) == []


def test_a_drop_put_back_while_its_claimer_slept_keeps_its_id(tmp_path: Path) -> None:
    places, daemon, submissions = opened(tmp_path)
    job = submissions.submit(b"good 1", owner="ada")

    class Sleepy(RealFs):
        """Loses its claim to the inbox just before the status document appears."""

        def rename(self, old: Path, new: Path) -> None:
            if new == places.status(job.job_id) and not slept:
                slept.append(new)
                (claim,) = daemon.inbox.claims()
                os.rename(places.claimed(claim), places.inbox / job.name)
            super().rename(old, new)

    slept: list[Path] = []
    sleeper = SmallDaemon(Sleepy(), places, daemon.world, "d2")
    path = places.inbox / job.name
    assert sleeper.inbox.claim(path, path.stat(), Priority.NORMAL) is None
    with pytest.raises(UsageError):
        find_job(daemon.fs, places, "0" * 26)
    daemon.world.dead.add("d2")
    daemon.run()
    ended = find_job(daemon.fs, places, job.job_id)
    assert (slept, ended.state, ended.owner) == ([places.status(job.job_id)], "succeeded", "ada")
    nothing_is_owed(daemon.fs, places, {job.name: b"good 1"}, died=0)


def test_a_promise_outlives_a_kill_at_every_call(storm_path: Path) -> None:
    """Whoever dies, and wherever: a job that was promised ends, and ends once."""
    kills = 0
    for at in count(1):
        storm = Storm(storm_path / f"{at}")
        told = storm.root.parent / f"{at}.told"
        for drop in storm.places.inbox.glob("*.json"):
            drop.unlink()
        if not _killed_while_submitting(storm, at, told):
            break
        kills += 1
        storm.daemons([(0, False)])
        names = storm.fs.names(storm.places.receipts)
        promised = told.read_text().split() if told.exists() else []
        assert not promised or names == [f"{job_id}.json" for job_id in promised]
        assert len(names) <= 1
        for empty in ("submitted", "parts", "claimed", "intents"):
            assert storm.fs.names(storm.places.own(empty)) == [], empty
    assert kills > 40


def _killed_while_submitting(storm: Storm, at: int, told: Path) -> bool:
    pid = os.fork()
    if not pid:
        status = 1
        try:
            fs = KillingFs(at, after=bool(at % 2))
            daemon = SmallDaemon(fs, storm.places, storm.world, "d0")
            daemon.owners.beat()
            job = desk(daemon.inbox, storm.world).submit(b"good 1")
            told.write_text(job.job_id)
            daemon.run()
            status = 0
        finally:
            os._exit(status)
    status = os.waitpid(pid, 0)[1]
    storm.world.dead.add("d0")
    storm.world.numbers = count(1000)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)
