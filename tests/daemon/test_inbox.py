import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.fs import RealFs
from daemon.inbox import Claimed
from daemon.jobs import JobState, Priority
from daemon.outbox import places_for
from daemon.recovery import recover
from tests.daemon.small_daemon import REFUSAL, SmallDaemon, World, made


@pytest.fixture
def daemon(tmp_path: Path) -> SmallDaemon:
    return SmallDaemon(RealFs(), made(RealFs(), tmp_path / "r"), World(), "d0")


def claimed(daemon: SmallDaemon, name: str = "a.json", data: bytes = b"good") -> Claimed:
    path = daemon.places.inbox / name
    path.write_bytes(data)
    got = daemon.inbox.claim(path, os.lstat(path), Priority.NORMAL)
    assert got is not None
    return got


def test_a_drop_that_is_no_longer_what_was_seen_stays(daemon: SmallDaemon) -> None:
    path = daemon.places.inbox / "a.json"
    path.write_bytes(b"a")
    seen = os.lstat(path)
    path.write_bytes(b"longer")
    assert daemon.inbox.claim(path, seen, Priority.NORMAL) is None
    assert path.read_bytes() == b"longer"


def test_a_second_refusal_of_one_name_overwrites_nothing(daemon: SmallDaemon) -> None:
    for data in (b"one", b"two", b"three"):
        daemon.inbox.reject(claimed(daemon, data=data), REFUSAL)
    specs = [p for p in daemon.places.rejected.iterdir() if not p.name.endswith(".error.json")]
    assert sorted(p.read_bytes() for p in specs) == [b"one", b"three", b"two"]
    assert all(p.with_name(p.name + ".error.json").exists() for p in specs)


@pytest.mark.parametrize("name", [b"x" * 250 + b".json", b"\xff\n-rf.json", b"-", b"a" * 255])
def test_any_name_is_kept(daemon: SmallDaemon, name: bytes) -> None:
    got = claimed(daemon, os.fsdecode(name))
    daemon.inbox.fail(got, REFUSAL)
    receipt = json.loads(daemon.places.receipt(got.job.job_id).read_text())
    assert os.fsencode(receipt["name"]) == name
    assert len(list(daemon.places.failed.iterdir())) == 2


def test_a_zombie_finds_its_claim_gone_and_changes_nothing(daemon: SmallDaemon) -> None:
    got = daemon.inbox.begin(claimed(daemon))
    daemon.world.dead.add("d0")
    other = SmallDaemon(daemon.fs, daemon.places, daemon.world, "d1")
    other.run()
    assert not daemon.inbox.still_ours(got.claim)
    daemon.inbox.fail(got, REFUSAL)
    daemon.inbox.give_back(got, 0.0)
    receipt = other.inbox.outbox.receipt(got.job.job_id)
    assert receipt is not None
    assert receipt.state is JobState.SUCCEEDED
    assert list(daemon.places.failed.iterdir()) == []


def test_a_link_planted_in_work_is_set_aside_and_its_target_untouched(
    daemon: SmallDaemon, tmp_path: Path
) -> None:
    target = tmp_path / "precious"
    target.mkdir()
    (target / "file").write_text("kept")
    (daemon.places.own("work") / f"{'0' * 26}.a1.x").symlink_to(target)
    recover(daemon.inbox, daemon.owners, daemon.fs, daemon.places)
    assert (target / "file").read_text() == "kept"
    assert list(daemon.places.own("work").iterdir()) == []


@settings(max_examples=200)
@given(name=st.binary(min_size=1, max_size=255), job_id=st.just("0" * 26))
def test_every_name_has_a_place_with_room_for_its_error_file(name: bytes, job_id: str) -> None:
    *_, last = places_for(Path("f"), os.fsdecode(name.replace(b"/", b"_")), job_id)
    assert len(os.fsencode(last.name + ".error.json")) <= 255
    assert job_id in last.name
