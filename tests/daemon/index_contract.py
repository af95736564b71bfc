"""What every index does, whatever database it lies in. Subclasses bring the `index`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from daemon.index import Filters, IndexUnavailable, JobIndex
from daemon.index.questions import Question, oldest_question, page_question
from daemon.index.tables import metadata
from daemon.jobs import Job, JobState, Priority, Progress, advance, touched
from renderer.errors import UsageError

WHOLE = Job(
    job_id="01" + "A" * 24,
    name="late\n\udcff “x”.yaml",
    state=JobState.FAILED,
    priority=Priority.HIGH,
    kind="longform\0\ud800",
    spec_id="launch",
    spec_sha256="ab" * 32,
    attempt=2,
    rev=7,
    created_at=1_700_000_000.123456,
    updated_at=1_700_000_001.5,
    started_at=1_700_000_000.7,
    finished_at=1_700_000_001.5,
    progress=Progress(percent=40, frames_done=2, frames=5, stage="run", eta_s=3),
    bundle="launch-0123456789abcdef",
    bundle_digest="cd" * 32,
    error={"code": "x", "message": "nul \0 and 🎞", "errors": [{"pointer": "/a"}]},
    owner="ada",
    world="north\ud800",
    spec_digest="ef" * 32,
    input_hash="01" * 32,
    retry_of="01" + "B" * 24,
    outputs=("a1", "a2"),
)
OF_0002 = {"world": "world", "digest": "spec_digest", "inputs": "input_hash"}
FILTERS = {
    "state": JobState.QUEUED,
    "kind": "video",
    "name": "a.yaml",
    "owner": "ada",
    "spec_sha256": "ab",
    "spec_digest": "cd",
    "input_hash": "ef",
    "world": "north",
}


def job(number: int, **changes: Any) -> Job:
    plain = Job(
        job_id=f"{number:026d}",
        name=f"{number}.yaml",
        state=JobState.QUEUED,
        created_at=float(1000 + number // 2),  # two jobs share each moment
        rev=1,
    )
    return replace(plain, **changes)


class IndexContract:
    @pytest.fixture
    def index(self) -> Iterator[JobIndex]:
        raise NotImplementedError

    def test_a_job_comes_back_as_it_was(self, index: JobIndex) -> None:
        assert index.put(WHOLE)
        assert index.get(WHOLE.job_id) == WHOLE
        assert index.page(Filters(name=WHOLE.name, kind=WHOLE.kind)).jobs == (WHOLE,)
        assert index.get("0" * 26) is None

    def test_an_older_revision_never_overwrites_a_newer_one(self, index: JobIndex) -> None:
        first = job(1)
        running = advance(first, JobState.RUNNING, now=5.0)
        assert index.put(running)
        assert not index.put(first)
        assert not index.put(replace(running, kind="other"))
        assert index.get(first.job_id) == running
        assert index.put(touched(running, now=6.0, kind="video"))
        assert [j.kind for j in index.page(Filters(kind="video")).jobs] == ["video"]

    def test_writers_at_once_end_with_the_newest(self, index: JobIndex) -> None:
        revisions = [replace(job(1), rev=rev, attempt=rev) for rev in range(1, 25)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(index.put, revisions[::-1] + revisions))
        assert index.get(job(1).job_id) == revisions[-1]

    def test_pages_hold_every_job_once_newest_first(self, index: JobIndex) -> None:
        index.put_all(job(number) for number in range(23))
        for limit in (1, 5, 22, 23, 24):
            seen, cursor = [], ""
            while True:
                page = index.page(cursor=cursor, limit=limit)
                seen += [int(found.job_id) for found in page.jobs]
                cursor = page.cursor
                if not cursor:
                    break
            assert seen == list(range(22, -1, -1))

    def test_a_page_is_not_moved_by_newer_jobs(self, index: JobIndex) -> None:
        index.put_all(job(number) for number in range(6))
        first = index.page(limit=3)
        index.put(job(9))
        assert [int(j.job_id) for j in index.page(cursor=first.cursor).jobs] == [2, 1, 0]

    @pytest.mark.parametrize("column", sorted(FILTERS))
    def test_each_filter_gives_its_jobs_alone(self, index: JobIndex, column: str) -> None:
        other: Any = JobState.RUNNING if column == "state" else "else"
        wanted = {column: FILTERS[column]}
        index.put_all(job(n, **(wanted if n % 3 == 0 else {column: other})) for n in range(9))
        found = index.page(Filters(**wanted), limit=2)
        rest = index.page(Filters(**wanted), cursor=found.cursor, limit=2)
        assert [int(j.job_id) for j in found.jobs + rest.jobs] == [6, 3, 0]
        assert rest.cursor == ""

    def test_filters_are_joined_and_times_include_their_first_moment(self, index: JobIndex) -> None:
        index.put_all(job(n, owner="ada" if n % 2 else "bo") for n in range(10))
        span = Filters(created_from=1001.0, created_before=1003.0)
        assert [int(j.job_id) for j in index.page(span).jobs] == [5, 4, 3, 2]
        assert [int(j.job_id) for j in index.page(replace(span, owner="ada")).jobs] == [5, 3]

    def test_the_oldest_come_first_when_they_are_asked_for(self, index: JobIndex) -> None:
        index.put_all(job(n, owner="ada" if n % 2 else "bo") for n in range(9))
        assert [int(j.job_id) for j in index.oldest(Filters(owner="ada"), 3)] == [1, 3, 5]

    @pytest.mark.parametrize(
        "cursor", ["x", "é", "bm8", "WyJuYW4iLCAxLCAyXQ", "WzEsMl0", "W10", "!!!!", "W1sxXSwyXQ"]
    )
    def test_a_foreign_cursor_is_refused(self, index: JobIndex, cursor: str) -> None:
        with pytest.raises(UsageError, match="is not a cursor"):
            index.page(cursor=cursor)

    @pytest.mark.parametrize("limit", [0, -1, 1001])
    def test_a_page_of_no_size_is_refused(self, index: JobIndex, limit: int) -> None:
        with pytest.raises(UsageError, match="1 to 1000"):
            index.page(limit=limit)

    def test_states_are_counted_the_empty_ones_too(self, index: JobIndex) -> None:
        index.put_all([job(1), job(2), job(3, state=JobState.FAILED)])
        counts = index.counts()
        assert set(counts) == set(JobState)
        assert counts == {state: index.count(state) for state in JobState}
        assert (counts[JobState.QUEUED], counts[JobState.FAILED]) == (2, 1)
        assert counts[JobState.RUNNING] == 0

    def test_removed_jobs_are_gone_and_strangers_do_not_matter(self, index: JobIndex) -> None:
        index.put_all(job(number) for number in range(1200))
        assert index.remove([job(n).job_id for n in range(1100)] + ["stranger"]) == 1100
        assert sum(index.counts().values()) == 100

    def test_a_rebuild_holds_what_is_found_and_nothing_else(self, index: JobIndex) -> None:
        index.put_all([job(1, rev=9), job(2)])
        found = [job(1, rev=3), job(1, rev=4, kind="video"), job(1, rev=2), job(5)]
        assert index.rebuild(iter(found)) == 2
        assert index.get(job(1).job_id) == found[1]
        assert index.get(job(2).job_id) is None

    def test_a_rebuild_that_fails_changes_nothing(self, index: JobIndex) -> None:
        index.put(job(1))

        def torn() -> Iterator[Job]:
            yield from (job(number) for number in range(2, 700))
            raise OSError("the folder went away")

        with pytest.raises(OSError, match="went away"):
            index.rebuild(torn())
        assert [j.job_id for j in index.page().jobs] == [job(1).job_id]

    def test_what_is_put_during_a_rebuild_comes_on_top(self, index: JobIndex) -> None:
        index.put(job(1))
        with ThreadPoolExecutor(1) as pool:

            def found() -> Iterator[Job]:
                late = pool.submit(index.put, job(1, rev=2))
                assert index.get(job(1).job_id) == job(1)  # readers see the old index
                yield job(1)
                puts.append(late)

            puts: list[Any] = []
            assert index.rebuild(found()) == 1
            assert puts[0].result()
        assert index.get(job(1).job_id) == job(1, rev=2)

    def test_models_and_migrations_agree(self, index: JobIndex) -> None:
        with index.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []

    def test_an_upgrade_keeps_what_is_there_also_when_several_start(self, index: JobIndex) -> None:
        index.put(job(1))
        with ThreadPoolExecutor(1) as pool:  # Alembic's context is one a process
            pool.submit(index.upgrade).result()
        assert index.get(job(1).job_id) == job(1)

    def test_an_upgrade_fills_the_columns_that_an_older_version_lacked(
        self, index: JobIndex
    ) -> None:
        index.put_all([WHOLE, *(job(number) for number in range(1100))])
        with index.engine.begin() as connection:
            for name, column in OF_0002.items():
                connection.execute(text(f"DROP INDEX jobs_by_{name}"))
                connection.execute(text(f"ALTER TABLE jobs DROP COLUMN {column}"))
            connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        with ThreadPoolExecutor(1) as pool:
            pool.submit(index.upgrade).result()
        for column in OF_0002.values():
            assert index.page(Filters(**{column: getattr(WHOLE, column)})).jobs == (WHOLE,)
        assert len(index.page(Filters(world=""), limit=1000).jobs) == 1000

    def test_a_database_of_a_newer_version_is_refused_with_the_way_out(
        self, index: JobIndex
    ) -> None:
        with index.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(IndexUnavailable, match="another version") as refused:
            index.upgrade()
        assert "reindex" in refused.value.hint

    def test_any_text_and_moment_come_back(self, index: JobIndex) -> None:
        strings = st.text(st.characters(codec=None, categories=None), max_size=20)

        @settings(max_examples=15, deadline=None)
        @given(words=st.tuples(strings, strings, strings, strings), moment=st.floats(0, 1e11))
        def check(words: tuple[str, str, str, str], moment: float) -> None:
            name, kind, owner, spec = words
            filters = Filters(name=name, kind=kind, owner=owner, spec_sha256=spec)
            wanted = job(7, name=name, kind=kind, owner=owner, spec_sha256=spec, created_at=moment)
            index.rebuild([wanted])
            assert index.page(filters).jobs == (wanted,)
            assert index.page(Filters(created_from=moment)).jobs == (wanted,)
            assert index.page(Filters(created_before=moment)).jobs == ()

        check()

    def test_every_question_is_answered_from_an_index_in_its_order(self, index: JobIndex) -> None:
        index.put_all(job(number, kind=f"k{number % 40}") for number in range(3000))
        self.analyse(index)
        cursor = index.page(limit=2).cursor
        for filters in ({}, *({column: value} for column, value in FILTERS.items())):
            self.check_plan(index, oldest_question(Filters(**filters), 50))
            for place in ("", cursor):
                self.check_plan(index, page_question(Filters(**filters), place, 50))
        self.check_plan(index, page_question(Filters(created_from=1.0, created_before=9.0), "", 50))

    def analyse(self, index: JobIndex) -> None:
        raise NotImplementedError

    def check_plan(self, index: JobIndex, question: Question) -> None:
        raise NotImplementedError
