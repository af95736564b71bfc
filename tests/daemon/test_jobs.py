import itertools
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.jobs import (
    MOVES,
    IllegalMove,
    Job,
    JobState,
    Priority,
    Progress,
    advance,
    job_from_json,
    job_of,
)
from daemon.places import Claim, claim_of

JOB = Job(job_id="0" * 26, name="a.yaml", state=JobState.QUEUED)


@pytest.mark.parametrize(("state", "to"), list(itertools.product(JobState, JobState)))
def test_only_the_moves_of_the_table_are_made(state: JobState, to: JobState) -> None:
    job = Job(job_id="0" * 26, name="a.yaml", state=state)
    if to in MOVES[state]:
        assert advance(job, to, now=5.0).state is to
    else:
        with pytest.raises(IllegalMove, match=state):
            advance(job, to, now=5.0)


def test_every_move_makes_the_revision_grow_and_ends_are_dated() -> None:
    running = advance(JOB, JobState.RUNNING, now=1.0)
    ended = advance(running, JobState.SUCCEEDED, now=2.0, bundle="a-0")
    assert (JOB.rev, running.rev, ended.rev) == (0, 1, 2)
    assert (ended.started_at, ended.finished_at, ended.bundle) == (1.0, 2.0, "a-0")


def test_a_job_comes_back_from_json_as_it_was() -> None:
    job = advance(JOB, JobState.RUNNING, now=1.0, progress=Progress(percent=3, stage="run"))
    assert job_from_json({**job.as_json(), "later": 1}) == job


@given(
    owner=st.from_regex(r"[a-z0-9-]{1,60}", fullmatch=True),
    attempt=st.integers(0, 999_999),
    priority=st.sampled_from(Priority),
)
def test_a_claim_is_read_from_its_own_name(owner: str, attempt: int, priority: Priority) -> None:
    claim = Claim(job_id="01" * 13, owner=owner, attempt=attempt, priority=priority)
    assert claim_of(claim.file_name) == claim
    assert len(claim.file_name) <= 120


def test_a_short_record_is_read_once_and_a_long_one_is_not_kept() -> None:
    long = replace(JOB, error={"code": "x", "message": "words " * 10_000})
    for job, is_kept in ((JOB, True), (long, False)):
        document = json.dumps(job.as_json()).encode()
        assert job_of(document) == job
        assert (job_of(document) is job_of(document)) is is_kept
