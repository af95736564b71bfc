from pathlib import Path

import pytest

from daemon.jobs import JobState, Priority
from daemon.places import Places
from daemon.submissions import Submissions
from daemon.wishes import Wishes
from tests.daemon.faulty_fs import FaultyFs
from tests.daemon.small_daemon import SmallDaemon, World, drop, made


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return made(FaultyFs(), tmp_path / "r")


def some_wishes(places: Places) -> tuple[Wishes, SmallDaemon, Time]:
    fs, clock = FaultyFs(), Time()
    daemon = SmallDaemon(fs, places, World(), "me")
    return Wishes(fs=fs, places=places, inbox=daemon.inbox, monotonic=clock), daemon, clock


def a_wish(places: Places, folder: str = "") -> Path:
    path = places.inbox / folder / "a.json.cancel"
    path.touch()
    return path


@pytest.mark.parametrize("folder", ["", "high", "low"])
def test_a_cancel_file_without_a_job_goes_after_a_minute(places: Places, folder: str) -> None:
    wishes, _, clock = some_wishes(places)
    path = a_wish(places, folder)
    wishes.sweep([path])
    clock.now += 59
    wishes.sweep([])  # a scan may not have looked
    assert path.exists()
    clock.now += 1
    wishes.sweep([path])
    assert not path.exists()


def test_one_that_was_made_again_has_its_minute_again(places: Places) -> None:
    wishes, _, clock = some_wishes(places)
    path = a_wish(places)
    wishes.sweep([path])
    clock.now += 30
    path.unlink()
    wishes.sweep([])
    clock.now += 30
    a_wish(places)
    wishes.sweep([path])
    clock.now += 59
    wishes.sweep([path])
    assert path.exists()


@pytest.mark.parametrize("folder", ["", "low"])
def test_one_whose_drop_waits_in_any_folder_stays(places: Places, folder: str) -> None:
    wishes, _, clock = some_wishes(places)
    path = a_wish(places)
    waiting = places.inbox / folder / "a.json"
    waiting.touch()
    wishes.sweep([path])
    clock.now += 1000
    wishes.sweep([path])
    assert path.exists()
    waiting.unlink()
    clock.now += 60
    wishes.sweep([path])
    assert not path.exists()


def test_one_whose_job_is_claimed_stays(places: Places) -> None:
    wishes, daemon, clock = some_wishes(places)
    drop(daemon.fs, places, "a.json", b"film")
    seen = daemon.fs.stat(places.inbox / "a.json")
    assert seen is not None
    claimed = daemon.inbox.claim(places.inbox / "a.json", seen, Priority.NORMAL)
    assert claimed is not None
    path = a_wish(places)
    wishes.sweep([path])
    clock.now += 60
    wishes.sweep([path])
    assert daemon.inbox.is_cancelled(claimed.job)
    other = SmallDaemon(daemon.fs, places, daemon.world, "other")
    places.status(claimed.job.job_id).rename(places.intent(claimed.claim))
    elsewhere = Wishes(fs=other.fs, places=places, inbox=other.inbox, monotonic=clock)
    elsewhere.sweep([path])
    clock.now += 60
    elsewhere.sweep([path])  # claimed, but its status is not written yet
    assert path.exists()
    places.intent(claimed.claim).unlink()
    clock.now += 60
    elsewhere.sweep([path])  # nobody can say what is claimed
    assert path.exists()


def waiting(daemon: SmallDaemon, places: Places, name: str) -> str:
    """A job that was given back, by its id."""
    drop(daemon.fs, places, name, b"good")
    seen = daemon.fs.stat(places.inbox / name)
    assert seen is not None
    claimed = daemon.inbox.claim(places.inbox / name, seen, Priority.NORMAL)
    assert claimed is not None
    daemon.inbox.give_back(claimed, 9e9)
    return claimed.job.job_id


def test_wishes_about_what_waits_are_granted_and_about_nothing_else(places: Places) -> None:
    wishes, daemon, _ = some_wishes(places)
    by_id, kept = waiting(daemon, places, "1.json"), waiting(daemon, places, "2.json")
    by_name = waiting(daemon, places, "a.json")
    desk = Submissions(papers=daemon.inbox.papers, clock=lambda: 1.0, new_id=lambda: "P" * 26)
    promised = desk.submit(b"good").job_id
    assert wishes.grant([]) == ()
    for job_id in (by_id, promised, "X" * 26):
        (places.own("cancel") / job_id).touch()
    assert set(wishes.grant([a_wish(places)])) == {by_id, by_name, promised}
    states = {job_id: daemon.inbox.ledger.read(job_id) for job_id in (by_id, by_name, promised)}
    assert {job.state for job in states.values() if job} == {JobState.CANCELLED}
    assert [claim.job_id for claim in daemon.inbox.claims()] == [kept]
    assert daemon.fs.names(places.own("cancel")) == ["X" * 26]
    assert wishes.grant([]) == ()
