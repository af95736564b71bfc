from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from daemon.jobs import Job, JobState, advance
from daemon.metrics import Metrics

JOB = Job(job_id="0" * 26, name="secret name", state=JobState.QUEUED, created_at=10.0)


def samples(metrics: Metrics) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels.get("le") or sample.labels.get("state", "")): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_jobs_are_counted_by_state_the_empty_ones_too() -> None:
    metrics = Metrics()
    metrics.counted({JobState.QUEUED: 3, JobState.RUNNING: 1})
    metrics.counted({JobState.QUEUED: 2})
    found = samples(metrics)
    jobs = {state: found["reelkiln_jobs", state] for state in JobState}
    assert jobs == {state: 2.0 if state is JobState.QUEUED else 0.0 for state in JobState}
    assert found["reelkiln_queue_length", ""] == 2


def test_an_ended_job_is_counted_and_timed() -> None:
    metrics = Metrics("0.1.0")
    running = advance(JOB, JobState.RUNNING, now=14.0)
    metrics.started(running)
    metrics.ended(advance(running, JobState.SUCCEEDED, now=17.0))
    metrics.ended(advance(JOB, JobState.CANCELLED, now=17.0))
    found = samples(metrics)
    assert found["reelkiln_jobs_ended_total", "succeeded"] == 1
    assert found["reelkiln_jobs_ended_total", "cancelled"] == 1
    assert found["reelkiln_job_duration_seconds_sum", "succeeded"] == 3
    assert found["reelkiln_job_wait_seconds_sum", ""] == 4
    assert "secret" not in metrics.text().decode()


def test_the_disk_is_measured() -> None:
    metrics = Metrics()
    metrics.stored(5000, 7)
    found = samples(metrics)
    assert (found["reelkiln_store_bytes", ""], found["reelkiln_disk_free_bytes", ""]) == (5000, 7)


def test_two_daemons_in_one_process_do_not_share_their_counts() -> None:
    first, second = Metrics(), Metrics()
    first.stored(1, 1)
    assert samples(second)["reelkiln_store_bytes", ""] == 0


def test_a_job_that_changes_often_starts_once_and_ends_once() -> None:
    metrics = Metrics()
    running = advance(JOB, JobState.RUNNING, now=14.0)
    ended = advance(running, JobState.SUCCEEDED, now=17.0)
    for job in (JOB, running, running, running, ended):
        metrics.saw(job)
    found = samples(metrics)
    assert found["reelkiln_job_wait_seconds_count", ""] == 1
    assert found["reelkiln_jobs_ended_total", "succeeded"] == 1
