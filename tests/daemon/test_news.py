from pathlib import Path

import pytest

from daemon.fs import RealFs
from daemon.jobs import Job, JobState
from daemon.news import Listener, News, ends
from daemon.places import Places
from tests.daemon.small_daemon import SmallDaemon, World, made


@pytest.fixture
def daemon(tmp_path: Path) -> SmallDaemon:
    fs = RealFs()
    return SmallDaemon(fs, made(fs, tmp_path / "r"), World(), "me")


def ended(daemon: SmallDaemon, places: Places) -> str:
    (places.inbox / "a.json").write_bytes(b"good")
    daemon.run()
    (name,) = daemon.fs.names(places.own("jobs"))
    return name.removesuffix(".json")


def test_a_listener_that_fails_keeps_nothing_from_the_others(daemon: SmallDaemon) -> None:
    heard: list[Job] = []

    def fails(job: Job) -> None:
        raise RuntimeError("the database is gone")

    news = News(
        ledger=daemon.inbox.ledger, listeners=(Listener("a", fails), Listener("b", heard.append))
    )
    job_id = ended(daemon, daemon.places)
    news.changed(job_id)
    assert [(job.job_id, job.state) for job in heard] == [(job_id, JobState.SUCCEEDED)]


def test_nobody_hears_of_a_job_without_a_record(daemon: SmallDaemon) -> None:
    heard: list[Job] = []
    news = News(ledger=daemon.inbox.ledger, listeners=(Listener("b", heard.append),))
    news.changed("0" * 26)
    daemon.places.status("1" * 26).mkdir()  # no record can be read here
    news.changed("1" * 26)
    assert heard == []


def test_who_hears_of_ends_hears_of_nothing_else(daemon: SmallDaemon) -> None:
    heard: list[str] = []
    listener = ends(heard.append)
    for state in JobState:
        listener(Job(job_id=state.value, name="a.json", state=state))
    assert heard == ["succeeded", "partial", "failed", "cancelled"]
