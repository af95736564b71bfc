"""What the daemon counts, for Prometheus. No label ever holds a job's id or a stranger's word."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from daemon.jobs import Job, JobState

_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One set of counts, in a registry of its own."""

    def __init__(self, version: str = "") -> None:
        self.registry = CollectorRegistry()
        self._running: set[str] = set()
        self._jobs = Gauge(
            "reelkiln_jobs", "Jobs known, by state.", ["state"], registry=self.registry
        )
        self._ended = Counter(
            "reelkiln_jobs_ended", "Jobs that ended, by outcome.", ["state"], registry=self.registry
        )
        self._duration = Histogram(
            "reelkiln_job_duration_seconds",
            "From the start of a job's last attempt to its end.",
            ["state"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._wait = Histogram(
            "reelkiln_job_wait_seconds",
            "From the drop of a job to its start.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._queue = Gauge(
            "reelkiln_queue_length", "Jobs that wait to be run.", registry=self.registry
        )
        self._store = Gauge(
            "reelkiln_store_bytes", "Bytes in the store of segments.", registry=self.registry
        )
        self._free = Gauge(
            "reelkiln_disk_free_bytes", "Bytes free below the root.", registry=self.registry
        )
        build = Gauge(
            "reelkiln_build_info", "Which version runs.", ["version"], registry=self.registry
        )
        build.labels(version=version).set(1)
        self.counted({})

    def counted(self, counts: Mapping[JobState, int]) -> None:
        """Jobs by state, as the index counts them; a state left out has none."""
        for state in JobState:
            self._jobs.labels(state=state.value).set(counts.get(state, 0))
        self._queue.set(counts.get(JobState.QUEUED, 0))

    def started(self, job: Job) -> None:
        """A job began to run."""
        if job.started_at is not None:
            self._wait.observe(max(0.0, job.started_at - job.created_at))

    def ended(self, job: Job) -> None:
        """A job reached its end."""
        self._ended.labels(state=job.state.value).inc()
        if job.started_at is not None and job.finished_at is not None:
            seconds = max(0.0, job.finished_at - job.started_at)
            self._duration.labels(state=job.state.value).observe(seconds)

    def saw(self, job: Job) -> None:
        """A job changed: told of every change, this counts each start and each end once."""
        if job.state is JobState.RUNNING and job.job_id not in self._running:
            self._running.add(job.job_id)
            self.started(job)
        elif job.state is not JobState.RUNNING:
            self._running.discard(job.job_id)
        if job.state.is_final:
            self.ended(job)

    def stored(self, store_bytes: int, free_bytes: int) -> None:
        """How much the store holds, and how much more there is room for."""
        self._store.set(store_bytes)
        self._free.set(free_bytes)

    def text(self) -> bytes:
        """All of it in the text format of Prometheus, of `CONTENT_TYPE`."""
        return generate_latest(self.registry)
