"""The index with 100 000 jobs: python -m benchmarks.index [--postgres].

Times rebuilding it, pages by each filter (the first, and one deep inside), counts, and one put.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from daemon.index import Filters, JobIndex, open_index
from daemon.jobs import Job, JobState

JOBS = 100_000
_STATES = tuple(JobState)
_ROUNDS = 21


def jobs(count: int) -> Iterator[Job]:
    for number in range(count):
        yield Job(
            job_id=f"{number:026d}",
            name=f"{number % 5000}.yaml",
            state=_STATES[number % len(_STATES)],
            kind=("video", "longform", "topic", "asset")[number % 4],
            owner=f"account-{number % 50}",
            spec_sha256=f"{number % 20_000:064x}",
            created_at=1_700_000_000 + number / 7,
            rev=1,
            error={"code": "x", "message": "words " * 20, "errors": []},
        )


def measure(index: JobIndex, count: int) -> None:
    began = time.perf_counter()
    index.rebuild(jobs(count))
    print(f"rebuild of {count} jobs          {time.perf_counter() - began:8.2f} s")
    deep = Filters(created_before=1_700_000_000 + count / 14)
    asked = {
        "newest": Filters(),
        "from the middle on": deep,
        "state": Filters(state=JobState.FAILED),
        "kind": Filters(kind="topic"),
        "name": Filters(name="77.yaml"),
        "owner": Filters(owner="account-7"),
        "digest": Filters(spec_sha256=f"{77:064x}"),
        "owner and state": Filters(owner="account-7", state=JobState.FAILED),
        "nothing fits": Filters(owner="nobody"),
    }
    for words, filters in asked.items():
        page = index.page(filters, limit=50)
        told(f"page of 50: {words}", lambda f=filters: index.page(f, limit=50))
        if page.cursor:
            told("  the next one", lambda f=filters, c=page.cursor: index.page(f, cursor=c))
    told("counts", index.counts)
    newest = next(jobs(1))
    revisions = iter(range(2, 1000))
    told("put", lambda: index.put(replace(newest, rev=next(revisions))))


def told(words: str, act: Callable[[], object]) -> None:
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    print(f"{words:32} {statistics.median(times) * 1000:8.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="in a PostgreSQL of its own")
    parser.add_argument("--jobs", type=int, default=JOBS)
    arguments = parser.parse_args()
    if arguments.postgres:
        from tests.daemon.postgres import running_postgres

        with running_postgres() as url:
            index = JobIndex(url)
            index.upgrade()
            measure(index, arguments.jobs)
            index.close()
        return
    with tempfile.TemporaryDirectory(prefix="reelkiln-bench-") as folder:
        index = open_index(Path(folder), {})
        measure(index, arguments.jobs)
        index.close()


if __name__ == "__main__":
    main()
