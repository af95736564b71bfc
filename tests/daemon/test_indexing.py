import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from daemon.fs import RealFs
from daemon.index import JobIndex, open_index
from daemon.indexing import Indexing
from daemon.jobs import Job, JobState
from daemon.ledger import Ledger, Papers
from daemon.places import Places


class Root:
    def __init__(self, path: Path) -> None:
        self.places = Places(path)
        for folder in self.places.folders():
            folder.mkdir()
        numbers, self.revisions = count(), count(1)
        papers = Papers(
            fs=RealFs(), places=self.places, owner="d", nonce=lambda: f"n{next(numbers)}"
        )
        self.ledger = Ledger(papers=papers)
        self.index: JobIndex = open_index(path, {})

    def write(self, number: int, state: JobState = JobState.QUEUED) -> str:
        job_id = f"{number:026d}"
        job = Job(job_id=job_id, name=f"{number}.json", state=state, rev=next(self.revisions))
        papers = self.ledger.papers
        papers.replace(papers.places.status(job_id), job.as_json())
        return job_id

    def ids(self) -> list[str]:
        return [path.stem for path in self.places.own("jobs").iterdir()]

    def indexing(self, **options: int) -> Indexing:
        return Indexing(index=self.index, ledger=self.ledger, ids=self.ids, **options)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    root = Root(tmp_path)
    yield root
    root.index.close()


def until(found: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def known(root: Root) -> int:
    return sum(root.index.counts().values())


def test_what_changed_is_in_the_index_and_nothing_is_due_at_the_end(root: Root) -> None:
    indexing = root.indexing()
    indexing.start()
    until(lambda: not indexing._behind)
    for number in range(600):
        indexing.changed(root.write(number))
    indexing.changed(root.write(7, JobState.RUNNING))
    indexing.stop()
    assert known(root) == 600
    assert root.index.counts()[JobState.RUNNING] == 1


def test_what_a_daemon_that_died_had_not_written_is_made_up_for_at_start(root: Root) -> None:
    root.index.put(Job(job_id=root.write(1), name="1.json", state=JobState.RUNNING, rev=0))
    root.write(1, JobState.SUCCEEDED)
    root.write(2, JobState.FAILED)
    indexing = root.indexing()
    indexing.start()
    until(lambda: root.index.counts()[JobState.FAILED] == 1)
    indexing.stop()
    assert root.index.counts()[JobState.SUCCEEDED] == 1


def test_a_locked_database_keeps_nobody_waiting_and_is_caught_up_with(root: Root) -> None:
    indexing = root.indexing(most_due=10)
    indexing.start()
    until(lambda: not indexing._behind)
    lock = sqlite3.connect(root.places.own("index.sqlite3"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    told = threading.Thread(
        target=lambda: [indexing.changed(root.write(number)) for number in range(100)]
    )
    told.start()
    told.join(20)
    assert not told.is_alive()
    assert known(root) == 0
    assert len(indexing._due) <= 10
    lock.execute("ROLLBACK")
    lock.close()
    until(lambda: known(root) == 100)
    indexing.stop()
