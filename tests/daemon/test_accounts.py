from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, inspect, text

from daemon.accounts.idempotency import idempotency_key
from daemon.accounts.refusals import IdempotencyKeyUnfit
from daemon.accounts.store import Accounts, open_accounts
from daemon.accounts.tokens import TokenKind, csrf_of, new_token, proves
from daemon.accounts.types import RENDER_AND_READ, Scope, allows, may_grant
from daemon.commands.reindex import reindex
from daemon.index import open_index
from daemon.kept import KeptUnavailable, kept_url
from daemon.places import Places
from tests.daemon.accounts_contract import NOW, PASSWORD, WISH, AccountsContract
from tests.daemon.postgres import running_postgres


class TestSqlite(AccountsContract):
    @pytest.fixture
    def accounts(self, tmp_path: Path) -> Iterator[Accounts]:
        accounts = open_accounts(tmp_path, {})
        yield accounts
        accounts.close()

    def test_every_commit_outlasts_the_power(self, accounts: Accounts) -> None:
        with accounts.engine.connect() as connection:
            asked = ("journal_mode", "synchronous")
            said = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
        assert said == ["wal", 2]

    def test_the_files_are_for_their_user_alone(self, accounts: Accounts, tmp_path: Path) -> None:
        accounts.keys.create(WISH, now=NOW)
        files = sorted((tmp_path / ".reelkiln").glob("catalog.sqlite3*"))
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}

    def test_no_secret_is_in_the_files(self, accounts: Accounts, tmp_path: Path) -> None:
        key = accounts.keys.create(WISH, now=NOW).secret
        accounts.people.register("ada@example.org", PASSWORD, now=NOW)
        begun = accounts.people.log_in("ada@example.org", PASSWORD, now=NOW, lasting=9)
        assert begun
        files = sorted((tmp_path / ".reelkiln").iterdir())
        held = b"".join(file.read_bytes() for file in files)
        assert b"ada@example.org" in held
        for secret in (key, begun.secret):
            assert secret.encode() not in held
            assert secret.split("_")[2].encode() not in held
            assert bytes.fromhex(secret.split("_")[2]) not in held
        assert PASSWORD.encode() not in held

    def test_reindex_leaves_the_catalog_alone(self, accounts: Accounts, tmp_path: Path) -> None:
        secret = accounts.keys.create(WISH, now=NOW).secret
        accounts.close()
        Places(tmp_path).own("jobs").mkdir()
        file = tmp_path / ".reelkiln" / "catalog.sqlite3"
        before = (file.read_bytes(), file.stat().st_mtime_ns)
        reindex(tmp_path)
        assert (file.read_bytes(), file.stat().st_mtime_ns) == before
        assert accounts.keys.find(secret, now=NOW)

    def test_a_lost_index_takes_no_key_along(self, accounts: Accounts, tmp_path: Path) -> None:
        secret = accounts.keys.create(WISH, now=NOW).secret
        for file in sorted((tmp_path / ".reelkiln").glob("index.sqlite3*")):
            file.unlink()
        open_index(tmp_path, {}).close()
        assert accounts.keys.find(secret, now=NOW)


class TestPostgres(AccountsContract):
    @pytest.fixture(scope="class")
    @classmethod
    def server(cls) -> Iterator[URL]:
        with running_postgres() as url:
            yield url

    @pytest.fixture
    def environment(self, server: URL) -> dict[str, str]:
        return {"REELKILN_DATABASE_URL": server.render_as_string(hide_password=False)}

    @pytest.fixture
    def accounts(self, environment: dict[str, str], tmp_path: Path) -> Iterator[Accounts]:
        index = open_index(tmp_path, environment)
        with index.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        index.close()
        accounts = open_accounts(tmp_path, environment)
        yield accounts
        accounts.close()

    def test_index_and_catalog_share_a_server_and_no_history(
        self, accounts: Accounts, environment: dict[str, str], tmp_path: Path
    ) -> None:
        secret = accounts.keys.create(WISH, now=NOW).secret
        index = open_index(tmp_path, environment)
        assert index.rebuild(()) == 0
        index.close()
        assert accounts.keys.find(secret, now=NOW)
        tables = set(inspect(accounts.engine).get_table_names())
        assert {"jobs", "alembic_version", "api_keys", "alembic_version_kept"} <= tables


def test_a_setting_that_names_the_file_of_the_index_does_not_mix_the_two() -> None:
    url = kept_url(Path("/r"), {"REELKILN_DATABASE_URL": "sqlite:////srv/i.db"})
    assert url.database == "/srv/catalog.sqlite3"


def test_a_damaged_catalog_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / ".reelkiln").mkdir()
    (tmp_path / ".reelkiln" / "catalog.sqlite3").write_bytes(b"not a database" * 999)
    with pytest.raises(KeptUnavailable, match="not a database") as told:
        open_accounts(tmp_path, {})
    assert "backup" in told.value.hint
    assert "reindex" not in told.value.hint


def test_a_token_shows_itself_to_nobody_by_accident() -> None:
    token = new_token(TokenKind.KEY)
    assert token.text.split("_")[2] not in repr(token)
    assert proves(token.text, token.digest)
    assert not proves(token.text, None)
    assert not proves("nobody", None)


def test_each_session_has_a_csrf_token_of_its_own_that_does_not_give_it_away() -> None:
    one, two = new_token(TokenKind.SESSION).text, new_token(TokenKind.SESSION).text
    assert csrf_of(one) == csrf_of(one) != csrf_of(two)
    assert csrf_of(one) not in one


@pytest.mark.parametrize(
    ("held", "enough_for"),
    [
        ({Scope.RENDER}, {Scope.RENDER}),
        ({Scope.READ}, {Scope.READ}),
        ({Scope.WORKER}, {Scope.WORKER}),
        ({Scope.ADMIN}, {Scope.ADMIN, Scope.RENDER, Scope.READ}),
        (set(), set()),
    ],
)
def test_scopes_are_enough_for_themselves_and_admin_for_all_but_the_worker(
    held: set[Scope], enough_for: set[Scope]
) -> None:
    assert {scope for scope in Scope if allows(frozenset(held), scope)} == enough_for


def test_nobody_hands_out_more_than_they_have_but_an_admin() -> None:
    assert may_grant(RENDER_AND_READ, frozenset({Scope.READ}))
    assert not may_grant(frozenset({Scope.READ}), RENDER_AND_READ)
    assert may_grant(frozenset({Scope.ADMIN}), frozenset(Scope))


@pytest.mark.parametrize(
    ("header", "key"),
    [('"a b"', "a b"), ("8e03978e-40d5", "8e03978e-40d5"), (r'"a\"\\b"', r'a"\b'), (' "k" ', "k")],
)
def test_an_idempotency_key_is_quoted_or_bare(header: str, key: str) -> None:
    assert idempotency_key(header) == key


@pytest.mark.parametrize(
    "header", ["", '""', '"', "a b", '"é"', "é", '"a', 'a"', "x" * 256, '"\t"']
)
def test_other_idempotency_keys_are_refused(header: str) -> None:
    with pytest.raises(IdempotencyKeyUnfit, match="visible ASCII"):
        idempotency_key(header)
