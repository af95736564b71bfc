from __future__ import annotations

import hashlib
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import pytest

from daemon import retrying
from daemon.commands.reindex import reindex
from daemon.fs import RealFs
from daemon.index import open_index
from daemon.jobs import Job, JobState, Priority, Progress
from daemon.ledger import Papers
from daemon.places import Claim, Places
from daemon.records import all_jobs, find_job
from daemon.retrying import failed_document, retry
from daemon.submissions import Submissions
from renderer.errors import UsageError
from tests.command import reelkiln

SPEC = b"reelkiln: 1\n"


def job_id(number: int) -> str:
    return f"{number:026d}"


def job(number: int, **changes: object) -> Job:
    plain = Job(
        job_id=job_id(number),
        name=f"{number}.yaml",
        state=JobState.QUEUED,
        spec_sha256=hashlib.sha256(SPEC).hexdigest(),
        created_at=1000.0 + number,
        rev=1,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def desk(places: Places) -> Submissions:
    papers = Papers(fs=RealFs(), places=places, owner="d1", nonce=lambda: "n1")
    return Submissions(papers=papers, clock=lambda: 9.0, new_id=lambda: job_id(9))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path / "root")
    places.root.mkdir()
    for folder in places.folders():
        folder.mkdir()
    return places


def record(path: Path, job: Job) -> None:
    path.write_text(json.dumps(job.as_json()))


def run(places: Places, *words: str) -> subprocess.CompletedProcess[str]:
    return reelkiln(*words, "--root", places.root, store=places.root / "home")


def test_the_index_is_made_again_from_status_documents_and_receipts(places: Places) -> None:
    record(places.status(job_id(1)), job(1))
    record(places.status(job_id(2)), job(2, rev=4, state=JobState.RUNNING))
    record(places.receipt(job_id(2)), job(2, rev=5, state=JobState.SUCCEEDED))
    record(places.receipt(job_id(3)), job(3, state=JobState.FAILED, name="\udcff\n.yaml"))
    (places.own("jobs") / ".0123.part").write_bytes(b"{")
    (places.own("jobs") / "notes.txt").write_bytes(b"by hand")
    index = open_index(places.root, {})
    index.put(job(8))
    index.close()
    assert json.loads(run(places, "reindex", "--json").stdout) == {"jobs": 3, "damaged": []}
    listed = json.loads(run(places, "jobs", "list", "--json").stdout)
    states = [(found["job_id"], found["state"]) for found in listed["jobs"]]
    assert states == [(job_id(3), "failed"), (job_id(2), "succeeded"), (job_id(1), "queued")]
    assert run(places, "reindex").stdout == "3 jobs\n"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"job_id": 1}', b"[" * 100_000, json.dumps(job(9).as_json()).encode()],
    ids=["empty", "torn", "list", "fields", "deep", "another job"],
)
def test_a_damaged_record_is_told_and_the_others_count(places: Places, content: bytes) -> None:
    record(places.status(job_id(1)), job(1))
    places.status(job_id(2)).write_bytes(content)
    done = reindex(places.root)
    assert done.jobs == 1
    assert [job_id(2) in line for line in done.damaged] == [True]


def test_a_link_in_place_of_a_record_is_not_followed(places: Places) -> None:
    record(places.root / "secret", job(2))
    places.status(job_id(2)).symlink_to(places.root / "secret")
    assert reindex(places.root).jobs == 0


def test_a_folder_that_is_no_root_is_refused_and_left_alone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds neither"):
        reindex(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_records_that_vanish_while_they_are_read_are_no_damage(places: Places) -> None:
    record(places.status(job_id(1)), job(1))
    record(places.status(job_id(2)), job(2))
    told: list[str] = []
    jobs = all_jobs(RealFs(), places, told.append)
    assert next(jobs) == job(1)
    places.status(job_id(2)).unlink()
    assert list(jobs) == []
    assert told == []


def test_jobs_are_listed_for_people_a_page_at_a_time(places: Places) -> None:
    for number in range(3):
        record(places.status(job_id(number)), job(number, name=f"\x1b[31m{number}\n.yaml"))
    reindex(places.root)
    first = run(places, "jobs", "list", "--limit", "2")
    assert [line[:26] for line in first.stdout.splitlines()] == [job_id(2), job_id(1)]
    assert "\x1b" not in first.stdout
    cursor = first.stderr.split()[-1]
    rest = run(places, "jobs", "list", "--limit", "2", "--cursor", cursor)
    assert rest.stdout.startswith(job_id(0))
    assert rest.stderr == ""
    assert run(places, "jobs", "list", "--state", "failed").stdout == ""


def test_a_job_is_shown_from_its_status_or_its_receipt(places: Places) -> None:
    record(places.receipt(job_id(1)), job(1, state=JobState.SUCCEEDED, bundle="launch-00"))
    shown = json.loads(run(places, "jobs", "show", job_id(1), "--json").stdout)
    assert (shown["state"], shown["bundle"]) == ("succeeded", "launch-00")
    record(places.status(job_id(1)), job(1, state=JobState.RUNNING, started_at=1.0, progress=HALF))
    words = run(places, "jobs", "show", job_id(1)).stdout
    assert "state:         running\n" in words
    assert "progress:      rendering, 50 %, 5 of 10 frames\n" in words
    assert "started_at:    1970-01-01T00:00:01Z\n" in words


HALF = Progress(percent=50, frames_done=5, frames=10, stage="run")


@pytest.mark.parametrize("name", ["", "x", "../../../etc/passwd", "01JJ", job_id(1) + "\n"])
def test_a_job_that_is_not_there_is_refused(places: Places, name: str) -> None:
    with pytest.raises(UsageError, match="no job is called"):
        find_job(RealFs(), places, name)
    assert run(places, "jobs", "show", job_id(1)).returncode == 2


def test_a_cancel_is_left_for_the_daemon(places: Places) -> None:
    record(places.status(job_id(1)), job(1, state=JobState.RUNNING))
    for _ in range(2):
        done = run(places, "jobs", "cancel", job_id(1), "--json")
        assert json.loads(done.stdout) == {"job_id": job_id(1), "cancel": "asked"}
    assert os.listdir(places.own("cancel")) == [job_id(1)]


def test_an_ended_job_is_not_cancelled(places: Places) -> None:
    record(places.status(job_id(1)), job(1, state=JobState.SUCCEEDED))
    done = run(places, "jobs", "cancel", job_id(1))
    assert done.returncode == 1
    assert "illegal-move" in done.stderr
    assert RealFs().names(places.own("cancel")) == []


@pytest.mark.parametrize("priority", list(Priority))
def test_a_failed_job_goes_back_to_where_it_was_dropped(places: Places, priority: Priority) -> None:
    failed = job(1, name="\udcffa\n.yaml", state=JobState.FAILED, priority=priority)
    (places.failed / failed.name).write_bytes(SPEC)
    (places.failed / f"{failed.name}.error.json").write_bytes(b"{}")
    folder = places.inbox if priority is Priority.NORMAL else places.inbox / priority
    assert retry(RealFs(), places, failed, desk(places)) == folder / failed.name
    assert (folder / failed.name).read_bytes() == SPEC
    assert os.listdir(places.failed) == []


def test_of_two_failures_of_one_name_the_right_one_is_tried_again(places: Places) -> None:
    (places.failed / "1.yaml").write_bytes(b"another")
    (places.failed / "1~2.yaml").write_bytes(SPEC)
    record(places.status(job_id(1)), job(1, state=JobState.FAILED))
    done = run(places, "jobs", "retry", job_id(1))
    assert done.stdout == f"{places.inbox / '1.yaml'}\n"
    assert (places.inbox / "1.yaml").read_bytes() == SPEC
    assert os.listdir(places.failed) == ["1.yaml"]


def test_a_retry_never_replaces_a_drop(places: Places) -> None:
    (places.failed / "1.yaml").write_bytes(SPEC)
    (places.inbox / "1.yaml").write_bytes(b"newer")
    with pytest.raises(UsageError, match="is there already"):
        retry(RealFs(), places, job(1, state=JobState.FAILED), desk(places))
    assert (places.inbox / "1.yaml").read_bytes() == b"newer"
    assert (places.failed / "1.yaml").read_bytes() == SPEC


def test_a_retry_waits_for_a_spec_that_is_being_put_away(places: Places) -> None:
    """As a job is told to have failed a moment before its spec lies in failed/."""
    failed = job(1, state=JobState.FAILED)
    claimed = places.claimed(Claim(job_id=job_id(1), owner="d1", attempt=1))
    claimed.parent.mkdir(parents=True, exist_ok=True)
    claimed.write_bytes(SPEC)
    with ThreadPoolExecutor() as pool:
        retried = pool.submit(retry, RealFs(), places, failed, desk(places))
        assert not wait([retried], timeout=0.2).done
        claimed.rename(places.failed / failed.name)
        assert retried.result() == places.inbox / failed.name
    assert os.listdir(places.failed) == []


def test_a_spec_that_nobody_puts_away_is_not_waited_for_forever(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "_PATIENCE_S", 0)
    claimed = places.claimed(Claim(job_id=job_id(1), owner="d1", attempt=1))
    claimed.parent.mkdir(parents=True, exist_ok=True)
    claimed.write_bytes(SPEC)
    with pytest.raises(UsageError, match="not put away yet"):
        failed_document(RealFs(), places, job(1, state=JobState.FAILED))
    assert claimed.read_bytes() == SPEC


def test_only_failed_jobs_whose_spec_is_there_are_tried_again(places: Places) -> None:
    with pytest.raises(UsageError, match="only a failed job"):
        retry(RealFs(), places, job(1, state=JobState.RUNNING), desk(places))
    (places.failed / "1.yaml").write_bytes(b"changed by hand")
    with pytest.raises(UsageError, match="no spec of job"):
        retry(RealFs(), places, job(1, state=JobState.FAILED), desk(places))
