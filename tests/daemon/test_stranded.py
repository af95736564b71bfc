"""A disk that fills up or fails at any call of a job's life: nothing is lost, nothing counted."""

import errno
from pathlib import Path

import pytest

from daemon.jobs import Priority
from daemon.places import Places, claim_of
from daemon.stranded import let_go
from tests.daemon.faulty_fs import WRITES, FaultyFs
from tests.daemon.small_daemon import SmallDaemon, World, drop, made, settled, spec_bytes

ERRORS = ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO")
KINDS = (b"film", b"refuse", b"fail")


def a_daemon(root: Path) -> tuple[FaultyFs, Places, SmallDaemon]:
    fs = FaultyFs()
    places = made(fs, root)
    daemon = SmallDaemon(fs, places, World(), "me")
    daemon.owners.beat()
    return fs, places, daemon


def freed(daemon: SmallDaemon, blamed: str = "") -> None:
    let_go(daemon.inbox, daemon.places, (), lambda: 1000.0, blamed=blamed)


def calls_of_one_job(root: Path, data: bytes) -> int:
    fs, places, daemon = a_daemon(root)
    drop(fs, places, "a.json", data)
    fs.fail_once(0, 10**6)
    daemon.run()
    return 10**6 - fs.at


@pytest.mark.parametrize("data", KINDS)
def test_a_fault_at_any_call_of_a_job_costs_it_nothing(tmp_path: Path, data: bytes) -> None:
    calls = calls_of_one_job(tmp_path / "whole", data)
    assert calls > 20
    for at in range(1, calls + 1):
        fs, places, daemon = a_daemon(tmp_path / f"r{at}")
        drop(fs, places, "a.json", data)
        fs.fail_once(getattr(errno, ERRORS[at % len(ERRORS)]), at)
        try:
            daemon.run()
        except OSError:
            freed(daemon)
            fs.heal()
            daemon.run()
        assert not fs.names(places.own("claimed")), at
        assert len(settled(fs, places)) == 1, at
        assert spec_bytes(fs, places) == [data], at
        (name,) = fs.names(places.receipts)
        job = daemon.inbox.outbox.receipt(name.removesuffix(".json"))
        assert job is not None
        assert (job.attempt, job.name) == (1, "a.json"), at


@pytest.mark.parametrize("data", KINDS)
def test_on_a_full_disk_claims_are_let_go_by_renames_alone(tmp_path: Path, data: bytes) -> None:
    for at in range(1, calls_of_one_job(tmp_path / "whole", data) + 1):
        fs, places, daemon = a_daemon(tmp_path / f"r{at}")
        drop(fs, places, "a.json", data)
        fs.fail_once(errno.ENOSPC, at)
        try:
            daemon.run()
        except OSError:
            fs.fail(errno.ENOSPC, WRITES)  # and full it stays
            freed(daemon)
        claims = [claim_of(name) for name in fs.names(places.own("claimed"))]
        assert all(claim and (claim.owner, claim.attempt) == ("none", 0) for claim in claims), at
        assert spec_bytes(fs, places) == [data], at


def test_a_claim_that_a_shift_works_on_is_left_alone(tmp_path: Path) -> None:
    fs, places, daemon = a_daemon(tmp_path / "r")
    drop(fs, places, "a.json", b"film")
    path = places.inbox / "a.json"
    seen = fs.stat(path)
    assert seen is not None
    claimed = daemon.inbox.claim(path, seen, Priority.NORMAL)
    assert claimed is not None
    let_go(daemon.inbox, places, {claimed.job.job_id}, lambda: 0.0)
    assert daemon.inbox.still_ours(claimed.claim)


def test_what_brought_its_shift_down_has_used_an_attempt(tmp_path: Path) -> None:
    fs, places, daemon = a_daemon(tmp_path / "r")
    drop(fs, places, "a.json", b"film")
    path = places.inbox / "a.json"
    seen = fs.stat(path)
    assert seen is not None
    claimed = daemon.inbox.claim(path, seen, Priority.NORMAL)
    assert claimed is not None
    freed(daemon, blamed=claimed.job.job_id)
    (claim,) = daemon.inbox.waiting()
    assert (claim.owner, claim.attempt) == ("none", 1)
