from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, event, text

from daemon.catalog import Catalog, open_catalog
from tests.daemon.catalog_contract import CatalogContract
from tests.daemon.postgres import running_postgres


def explained(catalog: Catalog, words: str, query: Any, *before: str) -> str:
    """How the database would answer: the very statement and parameters, after EXPLAIN."""

    def ask(connection: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> Any:
        return f"{words} {statement}", values

    event.listen(catalog.engine, "before_cursor_execute", ask, retval=True)
    try:
        with catalog.engine.connect() as connection:
            for setting in before:
                connection.connection.cursor().execute(setting)
            cursor: Any = connection.execute(query).cursor
            return "\n".join(str(row[-1]) for row in cursor.fetchall())
    finally:
        event.remove(catalog.engine, "before_cursor_execute", ask)


class TestSqlite(CatalogContract):
    @pytest.fixture
    def catalog(self, tmp_path: Path) -> Iterator[Catalog]:
        catalog = open_catalog(tmp_path, {})
        yield catalog
        catalog.close()

    def analyse(self, catalog: Catalog) -> None:
        with catalog.engine.begin() as connection:
            connection.execute(text("ANALYZE"))

    def check_plan(self, catalog: Catalog, query: Any, *, in_order: bool = True) -> None:
        plan = explained(catalog, "EXPLAIN QUERY PLAN", query)
        scans = [line for line in plan.splitlines() if line.startswith("SCAN")]
        assert all("walk" in line or "INDEX" in line or "CONSTANT" in line for line in scans), plan
        assert "INDEX" in plan, plan
        if in_order:
            assert "TEMP B-TREE" not in plan, plan


class TestPostgres(CatalogContract):
    @pytest.fixture(scope="class")
    @classmethod
    def server(cls) -> Iterator[URL]:
        with running_postgres() as url:
            yield url

    @pytest.fixture
    def catalog(self, server: URL, tmp_path: Path) -> Iterator[Catalog]:
        environment = {"REELKILN_DATABASE_URL": server.render_as_string(hide_password=False)}
        catalog = open_catalog(tmp_path, environment)
        with catalog.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        catalog.close()
        catalog = open_catalog(tmp_path, environment)
        yield catalog
        catalog.close()

    def analyse(self, catalog: Catalog) -> None:
        with catalog.engine.begin() as connection:
            connection.execute(text("ANALYZE"))

    def check_plan(self, catalog: Catalog, query: Any, *, in_order: bool = True) -> None:
        # What counts a tenth of a small table may well read all of it: could it do without?
        before = () if in_order else ("SET LOCAL enable_seqscan = off",)
        plan = explained(catalog, "EXPLAIN", query, *before)
        assert "Seq Scan" not in plan, plan
        assert "Index" in plan, plan
        if in_order:
            assert "Sort" not in plan.replace("Incremental Sort", ""), plan
