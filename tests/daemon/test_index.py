from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, event, text

from daemon.index import IndexUnavailable, JobIndex, index_url, open_index
from daemon.index.questions import Question
from renderer.errors import UsageError
from tests.daemon.index_contract import IndexContract, job
from tests.daemon.postgres import running_postgres


def explained(index: JobIndex, words: str, asked: Question) -> str:
    """How the database would answer: the very statement and parameters, after EXPLAIN."""

    def ask(connection: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> Any:
        return f"{words} {statement}", values

    event.listen(index.engine, "before_cursor_execute", ask, retval=True)
    try:
        with index.engine.connect() as connection:
            cursor: Any = connection.execute(asked.statement, asked.values).cursor
            return "\n".join(str(row[-1]) for row in cursor.fetchall())
    finally:
        event.remove(index.engine, "before_cursor_execute", ask)


class TestSqlite(IndexContract):
    @pytest.fixture
    def index(self, tmp_path: Path) -> Iterator[JobIndex]:
        index = open_index(tmp_path, {})
        yield index
        index.close()

    def analyse(self, index: JobIndex) -> None:
        with index.engine.begin() as connection:
            connection.execute(text("ANALYZE"))

    def check_plan(self, index: JobIndex, question: Question) -> None:
        plan = explained(index, "EXPLAIN QUERY PLAN", question)
        assert "USING INDEX jobs_" in plan, plan
        assert "TEMP B-TREE" not in plan, plan

    def test_the_index_lies_in_the_state_folder_and_is_safe_to_share(
        self, index: JobIndex, tmp_path: Path
    ) -> None:
        assert (tmp_path / ".reelkiln" / "index.sqlite3").is_file()
        with index.engine.connect() as connection:
            asked = ("journal_mode", "synchronous", "busy_timeout")
            said = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
        assert said == ["wal", 1, 60_000]

    def test_a_damaged_file_is_told_with_the_way_out(self, tmp_path: Path) -> None:
        (tmp_path / ".reelkiln").mkdir()
        (tmp_path / ".reelkiln" / "index.sqlite3").write_bytes(b"not a database" * 999)
        with pytest.raises(IndexUnavailable, match="not a database") as told:
            open_index(tmp_path, {})
        assert "reindex" in told.value.hint


class TestPostgres(IndexContract):
    @pytest.fixture(scope="class")
    @classmethod
    def server(cls) -> Iterator[URL]:
        with running_postgres() as url:
            yield url

    @pytest.fixture
    def index(self, server: URL) -> Iterator[JobIndex]:
        index = JobIndex(server)
        with index.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        index.upgrade()
        yield index
        index.close()

    def analyse(self, index: JobIndex) -> None:
        with index.engine.begin() as connection:
            connection.execute(text("ANALYZE jobs"))

    def check_plan(self, index: JobIndex, question: Question) -> None:
        plan = explained(index, "EXPLAIN", question)
        assert "Index Scan" in plan, plan
        assert "Sort" not in plan, plan


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:***@h/d"),
        ("postgresql://u@h:5433/d?sslmode=require", "postgresql+psycopg://u@h:5433/d?sslmode=require"),
        ("sqlite:////srv/i.db", "sqlite:////srv/i.db"),
    ],
)  # fmt: skip
def test_addresses_are_taken_as_people_write_them(setting: str, address: str) -> None:
    url = index_url(Path("/r"), {"REELKILN_DATABASE_URL": setting})
    assert url.render_as_string(hide_password=True) == address


@pytest.mark.parametrize("setting", ["x", "mysql://h/d", "sqlite://", "postgresql+asyncpg://h/d"])
def test_other_addresses_are_refused(setting: str) -> None:
    with pytest.raises(UsageError, match="REELKILN_DATABASE_URL"):
        index_url(Path("/r"), {"REELKILN_DATABASE_URL": setting})


def test_a_server_that_is_gone_is_told_without_its_password(tmp_path: Path) -> None:
    setting = {"REELKILN_DATABASE_URL": f"postgresql://u:geheim@/d?host={tmp_path}"}
    index = open_index(tmp_path, setting)  # it may come later
    with pytest.raises(IndexUnavailable, match="does not answer") as told:
        index.counts()
    with pytest.raises(IndexUnavailable, match="does not answer"):
        index.upgrade()
    index.close()
    assert "geheim" not in str(told.value)
    assert told.value.retryable


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / ".reelkiln").write_bytes(b"no folder")
    with pytest.raises(IndexUnavailable, match="cannot be kept in"):
        open_index(tmp_path, {})


def test_an_index_is_found_again(tmp_path: Path) -> None:
    first = open_index(tmp_path, {})
    first.put(job(1))
    first.close()
    again = open_index(tmp_path, {})
    assert again.get(job(1).job_id) == job(1)
    again.close()


def test_daemons_that_start_together_make_the_tables_once(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from daemon.index import open_index\n"
    script += "print(flush=True); sys.stdin.read()\n"
    script += "open_index(Path(sys.argv[1]), {}).close()"
    command = [sys.executable, "-c", script, str(tmp_path)]
    home = Path(__file__).parents[2]
    pipe = subprocess.PIPE
    daemons = [subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=home) for _ in range(4)]
    for daemon in daemons:  # all have imported what they need
        assert daemon.stdout
        daemon.stdout.readline()
        daemon.stdout.close()
    for daemon in daemons:
        assert daemon.stdin
        daemon.stdin.close()
    assert [daemon.wait() for daemon in daemons] == [0] * 4
