"""What accounts, keys and records do, whatever the database. Subclasses bring `accounts`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from daemon.accounts.idempotency import ATTEMPT_S, KEPT_S, Begun, Done
from daemon.accounts.keys import USED_EVERY_S, KeyWish
from daemon.accounts.refusals import (
    AccountUnknown,
    EmailTaken,
    EmailUnfit,
    IdempotencyInFlight,
    IdempotencyKeyReused,
    KeyUnfit,
    KeyUnknown,
    PasswordUnfit,
)
from daemon.accounts.store import Accounts
from daemon.accounts.types import RENDER_AND_READ, Scope
from daemon.database import upgrade
from daemon.kept import KEPT, KeptUnavailable
from daemon.kept.tables import accounts as accounts_table
from daemon.kept.tables import api_keys, idempotency, sessions

NOW = 1_700_000_000.25
PASSWORD = "lighthouses of the north"
WISH = KeyWish(scopes=RENDER_AND_READ, owner="ada", label="ci")


class AccountsContract:
    @pytest.fixture
    def accounts(self) -> Iterator[Accounts]:
        raise NotImplementedError

    def test_a_key_opens_from_the_moment_it_is_made(self, accounts: Accounts) -> None:
        wish = KeyWish(
            scopes=frozenset({Scope.WORKER, Scope.READ}),
            owner="ada\udcff",
            label="nul \0 and 🎞",
            world="north",
            per_minute=60,
            expires_at=NOW + 5,
        )
        made = accounts.keys.create(wish, now=NOW)
        assert made.secret.startswith(f"rk_{made.key.key_id}_")
        assert made.secret.endswith(made.key.last_four)
        assert made.secret not in repr(made)
        assert accounts.keys.find(made.secret, now=NOW) == made.key
        assert {name: getattr(made.key, name) for name in ("owner", "label", "world")} == {
            "owner": wish.owner,
            "label": wish.label,
            "world": wish.world,
        }
        assert (made.key.scopes, made.key.per_minute) == (wish.scopes, 60)

    def test_every_other_text_opens_nothing(self, accounts: Accounts) -> None:
        secret = accounts.keys.create(WISH, now=NOW).secret
        other = accounts.keys.create(WISH, now=NOW).secret
        crossed = secret[:20] + other[20:]
        others = (
            *("", "rk_", secret[:-1], secret + "0", secret.upper(), " " + secret, secret + "\n"),
            *("rs" + secret[2:], crossed, secret[:20] + "é" * 64),
        )
        for wrong in others:
            assert accounts.keys.find(wrong, now=NOW) is None
        assert accounts.keys.find(secret, now=NOW)

    def test_a_key_with_one_bit_flipped_opens_nothing(self, accounts: Accounts) -> None:
        secret = accounts.keys.create(WISH, now=NOW).secret.encode()
        for place in range(len(secret)):
            for bit in range(8):
                flipped = bytearray(secret)
                flipped[place] ^= 1 << bit
                assert accounts.keys.find(flipped.decode("latin-1"), now=NOW) is None

    def test_a_session_with_one_bit_flipped_opens_nothing(self, accounts: Accounts) -> None:
        accounts.people.register("ada@example.org", PASSWORD, now=NOW)
        begun = accounts.people.log_in("ada@example.org", PASSWORD, now=NOW, lasting=9)
        assert begun
        secret = begun.secret.encode()
        for place in range(len(secret)):
            for bit in range(8):
                flipped = bytearray(secret)
                flipped[place] ^= 1 << bit
                assert accounts.people.find(flipped.decode("latin-1"), now=NOW) is None

    def test_another_character_anywhere_in_a_key_opens_nothing(self, accounts: Accounts) -> None:
        secret = accounts.keys.create(WISH, now=NOW).secret

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(
            place=st.integers(0, len(secret) - 1),
            other=st.text(st.characters(codec=None, categories=None), max_size=3),
        )
        def check(place: int, other: str) -> None:
            changed = secret[:place] + other + secret[place + 1 :]
            opened = accounts.keys.find(changed, now=NOW)
            assert (opened is not None) == (changed == secret)

        check()

    def test_an_expired_key_opens_nothing(self, accounts: Accounts) -> None:
        made = accounts.keys.create(replace(WISH, expires_at=NOW + 10), now=NOW)
        assert accounts.keys.find(made.secret, now=NOW + 9.99)
        assert accounts.keys.find(made.secret, now=NOW + 10) is None
        assert made.key.standing(NOW + 10) == "expired"

    def test_a_revoked_key_opens_nothing_and_stays_in_the_list(self, accounts: Accounts) -> None:
        made = accounts.keys.create(WISH, now=NOW)
        assert accounts.keys.revoke(made.key.key_id, now=NOW + 1).revoked_at == NOW + 1
        assert accounts.keys.revoke(made.key.key_id, now=NOW + 2).revoked_at == NOW + 1
        assert accounts.keys.find(made.secret, now=NOW + 1) is None
        assert [key.standing(NOW) for key in accounts.keys.all_keys()] == ["revoked"]
        assert not accounts.is_empty()

    def test_a_strangers_key_is_as_unknown_as_none(self, accounts: Accounts) -> None:
        made = accounts.keys.create(WISH, now=NOW)
        refusals = []
        for key_id in (made.key.key_id, "0" * 16):
            with pytest.raises(KeyUnknown) as refused:
                accounts.keys.revoke(key_id, now=NOW, owner="bo")
            refusals.append(refused.value.message.replace(key_id, "KEY"))
        assert refusals[0] == refusals[1]
        assert accounts.keys.find(made.secret, now=NOW)
        assert accounts.keys.all_keys("bo") == ()
        assert accounts.keys.all_keys("ada")[0].key_id == made.key.key_id

    def test_use_is_noted_now_and_then(self, accounts: Accounts) -> None:
        made = accounts.keys.create(WISH, now=NOW)
        for moment in (NOW + 1, NOW + 2, NOW + USED_EVERY_S):
            accounts.keys.find(made.secret, now=moment)
        assert accounts.keys.all_keys()[0].last_used_at == NOW + 1
        accounts.keys.find(made.secret, now=NOW + 1 + USED_EVERY_S)
        assert accounts.keys.all_keys()[0].last_used_at == NOW + 1 + USED_EVERY_S

    def test_senseless_keys_are_refused(self) -> None:
        for changes in ({"scopes": frozenset()}, {"per_minute": 0}, {"label": "x" * 201}):
            with pytest.raises(KeyUnfit):
                replace(WISH, **changes)

    def test_an_account_logs_in_however_its_address_is_typed(self, accounts: Accounts) -> None:
        account = accounts.people.register("Ada@Example.org", PASSWORD, now=NOW)
        assert account.scopes == RENDER_AND_READ
        assert accounts.people.get(account.account_id) == account
        begun = accounts.people.log_in(" ada@EXAMPLE.org ", PASSWORD, now=NOW, lasting=60)
        assert begun
        assert begun.account == account
        assert begun.secret not in repr(begun)
        assert accounts.people.find(begun.secret, now=NOW) == (begun.session, account)
        assert accounts.people.find(begun.secret, now=NOW + 60) is None

    def test_wrong_passwords_and_strangers_get_no_session(self, accounts: Accounts) -> None:
        accounts.people.register("ada@example.org", PASSWORD, now=NOW)
        for email, password in (
            ("ada@example.org", PASSWORD + " "),
            ("ada@example.org", ""),
            ("ada@example.org", "x" * 2000),
            ("ada@example.org", "\ud800"),
            ("bo@example.org", PASSWORD),
            ("the password of nobody", "the password of nobody"),
            ("bo@example.org", "the password of nobody"),
        ):
            assert accounts.people.log_in(email, password, now=NOW, lasting=9) is None

    def test_an_address_has_one_account(self, accounts: Accounts) -> None:
        accounts.people.register("ada@example.org", PASSWORD, now=NOW)
        with pytest.raises(EmailTaken):
            accounts.people.register("ADA@example.org", PASSWORD, now=NOW)

    def test_unfit_addresses_and_passwords_are_refused(self, accounts: Accounts) -> None:
        for email in ("", "ada", "@x", "ada@", "a b@x", "a\n@x", "x" * 250 + "@abcde"):
            with pytest.raises(EmailUnfit):
                accounts.people.register(email, PASSWORD, now=NOW)
        for password in ("eleven char", "x" * 1025):
            with pytest.raises(PasswordUnfit):
                accounts.people.register("ada@example.org", password, now=NOW)
        assert accounts.is_empty()

    def test_a_session_ends_and_so_do_all_of_an_account(self, accounts: Accounts) -> None:
        account = accounts.people.register("ada@example.org", PASSWORD, now=NOW)
        secrets = []
        for _ in range(3):
            begun = accounts.people.log_in("ada@example.org", PASSWORD, now=NOW, lasting=9)
            assert begun
            secrets.append(begun)
        accounts.people.log_out(secrets[0].session.session_id)
        accounts.people.log_out(secrets[0].session.session_id)
        live = [accounts.people.find(begun.secret, now=NOW) is not None for begun in secrets]
        assert live == [False, True, True]
        accounts.people.log_out_everywhere(account.account_id)
        assert not any(accounts.people.find(begun.secret, now=NOW) for begun in secrets)

    def test_a_disabled_account_opens_nothing_until_it_is_enabled(self, accounts: Accounts) -> None:
        people, keys = accounts.people, accounts.keys
        ada = people.register("ada@example.org", PASSWORD, now=NOW)
        begun = people.log_in("ada@example.org", PASSWORD, now=NOW, lasting=99)
        assert begun
        hers = keys.create(replace(WISH, owner=ada.account_id), now=NOW).secret
        others = keys.create(WISH, now=NOW).secret
        assert keys.find(hers, now=NOW)
        shut = people.disable(ada.account_id, now=NOW + 1)
        assert shut == replace(ada, disabled_at=NOW + 1) == people.get(ada.account_id)
        assert people.disable(ada.account_id, now=NOW + 2) == shut
        assert keys.find(hers, now=NOW) is None
        assert people.find(begun.secret, now=NOW) is None
        assert people.log_in("ada@example.org", PASSWORD, now=NOW, lasting=99) is None
        assert keys.find(others, now=NOW)
        assert not accounts.is_empty()
        assert people.enable(ada.account_id) == ada == people.enable(ada.account_id)
        assert keys.find(hers, now=NOW)
        assert people.find(begun.secret, now=NOW) is None  # what was shown is not shown again
        assert people.log_in("ada@example.org", PASSWORD, now=NOW, lasting=99)
        assert people.all_accounts() == (ada,)
        for unknown in ("Z" * 26, "", "ada", "\0" * 26, "\ud800" * 26):
            with pytest.raises(AccountUnknown):
                people.disable(unknown, now=NOW)

    def test_sessions_that_are_over_are_forgotten(self, accounts: Accounts) -> None:
        accounts.people.register("ada@example.org", PASSWORD, now=NOW)
        for moment in (NOW, NOW + 5, NOW + 10):
            accounts.people.log_in("ada@example.org", PASSWORD, now=moment, lasting=10)
        with accounts.engine.connect() as connection:
            assert len(connection.execute(select(sessions)).all()) == 2

    def test_a_hash_of_smaller_costs_is_renewed_at_the_next_login(self, accounts: Accounts) -> None:
        from argon2 import PasswordHasher

        accounts.people.register("ada@example.org", PASSWORD, now=NOW)
        weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        with accounts.engine.begin() as connection:
            connection.execute(update(accounts_table).values(password_hash=weak))
        assert accounts.people.log_in("ada@example.org", PASSWORD, now=NOW, lasting=9)
        with accounts.engine.connect() as connection:
            renewed = connection.scalar(select(accounts_table.c.password_hash))
        assert renewed.startswith("$argon2id$")
        assert renewed != weak
        assert accounts.people.log_in("ada@example.org", PASSWORD, now=NOW, lasting=9)

    @pytest.mark.usefixtures("_strong_passwords")
    def test_a_password_is_kept_as_rfc_9106_advises(self, accounts: Accounts) -> None:
        accounts.people.register("ada@example.org", PASSWORD, now=NOW)
        with accounts.engine.connect() as connection:
            kept = connection.scalar(select(accounts_table.c.password_hash))
        assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert accounts.people.log_in("ada@example.org", PASSWORD, now=NOW, lasting=9)
        assert not accounts.people.log_in("ada@example.org", PASSWORD + "!", now=NOW, lasting=9)

    def begin(self, accounts: Accounts, **changes: object) -> Begun | Done:
        asked = {"scope": "ada", "key": "k", "request_digest": "d", "job_id": "J1", "now": NOW}
        asked.update(changes)
        return accounts.idempotency.begin(**asked)  # type: ignore[arg-type]

    def test_a_request_that_is_done_is_answered_again(self, accounts: Accounts) -> None:
        begun = self.begin(accounts)
        assert isinstance(begun, Begun)
        accounts.idempotency.finish(begun, b"\0answer")
        accounts.idempotency.finish(begun, b"another")
        accounts.idempotency.abandon(begun)
        again = self.begin(accounts, job_id="J2", now=NOW + KEPT_S - 1)
        assert again == Done(job_id="J1", response=b"\0answer")

    def test_a_request_in_flight_is_told_apart_from_another(self, accounts: Accounts) -> None:
        self.begin(accounts)
        with pytest.raises(IdempotencyInFlight):
            self.begin(accounts)
        with pytest.raises(IdempotencyKeyReused):
            self.begin(accounts, request_digest="e")

    def test_a_key_is_not_used_for_another_request_until_a_day_has_passed(
        self, accounts: Accounts
    ) -> None:
        begun = self.begin(accounts)
        assert isinstance(begun, Begun)
        accounts.idempotency.finish(begun, b"a")
        with pytest.raises(IdempotencyKeyReused):
            self.begin(accounts, request_digest="e", now=NOW + KEPT_S - 1)
        later = self.begin(accounts, request_digest="e", job_id="J2", now=NOW + KEPT_S)
        assert isinstance(later, Begun)
        assert (later.job_id, later.is_resumed) == ("J2", False)

    def test_callers_do_not_meet_each_others_keys(self, accounts: Accounts) -> None:
        assert self.begin(accounts) != self.begin(accounts, scope="bo", request_digest="e")

    def test_an_abandoned_request_may_be_changed_and_sent_again(self, accounts: Accounts) -> None:
        begun = self.begin(accounts)
        assert isinstance(begun, Begun)
        accounts.idempotency.abandon(begun)
        again = self.begin(accounts, request_digest="e", job_id="J2")
        assert isinstance(again, Begun)
        assert again.job_id == "J2"

    def test_who_takes_over_from_the_dead_goes_on_with_the_same_job(
        self, accounts: Accounts
    ) -> None:
        dead = self.begin(accounts)
        with pytest.raises(IdempotencyInFlight):
            self.begin(accounts, now=NOW + ATTEMPT_S - 1)
        heir = self.begin(accounts, job_id="J2", now=NOW + ATTEMPT_S)
        assert isinstance(heir, Begun)
        assert isinstance(dead, Begun)
        assert (heir.job_id, heir.is_resumed) == ("J1", True)
        accounts.idempotency.abandon(dead)  # it was slow, not dead: it frees nothing now
        with pytest.raises(IdempotencyInFlight):
            self.begin(accounts, now=NOW + ATTEMPT_S)
        accounts.idempotency.finish(heir, b"a")
        done = self.begin(accounts, now=NOW + ATTEMPT_S + 1)
        assert done == Done(job_id="J1", response=b"a")

    def test_a_request_that_failed_midway_is_resumed_at_once(self, accounts: Accounts) -> None:
        begun = self.begin(accounts)
        assert isinstance(begun, Begun)
        accounts.idempotency.release(begun)
        with pytest.raises(IdempotencyKeyReused):
            self.begin(accounts, request_digest="e")
        again = self.begin(accounts, job_id="J2")
        assert isinstance(again, Begun)
        assert (again.job_id, again.is_resumed) == ("J1", True)
        accounts.idempotency.release(begun)  # no longer its own
        with pytest.raises(IdempotencyInFlight):
            self.begin(accounts)

    def test_of_many_at_once_one_begins(self, accounts: Accounts) -> None:
        def ask(number: int) -> object:
            try:
                return self.begin(accounts, job_id=f"J{number}")
            except IdempotencyInFlight as refused:
                return refused

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(ask, range(24)))
        assert len([answer for answer in answers if isinstance(answer, Begun)]) == 1

    def test_records_that_are_over_are_forgotten(self, accounts: Accounts) -> None:
        for number in range(5):
            self.begin(accounts, key=f"k{number}", now=NOW + number)
        self.begin(accounts, key="late", now=NOW + KEPT_S + 2)
        with accounts.engine.connect() as connection:
            assert len(connection.execute(select(idempotency)).all()) == 3

    def test_no_secret_is_in_any_table(self, accounts: Accounts) -> None:
        key = accounts.keys.create(WISH, now=NOW).secret
        accounts.people.register("ada@example.org", PASSWORD, now=NOW)
        begun = accounts.people.log_in("ada@example.org", PASSWORD, now=NOW, lasting=9)
        assert begun
        with accounts.engine.connect() as connection:
            held = "".join(
                repr(connection.execute(select(table)).all())
                for table in (api_keys, sessions, accounts_table)
            )
        for secret in (key, begun.secret):
            assert secret.split("_")[1] in held
            assert secret.split("_")[2] not in held
        assert PASSWORD not in held

    def test_models_and_migrations_agree(self, accounts: Accounts) -> None:
        with accounts.engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "version_table": KEPT.version_table}
            )
            assert compare_metadata(context, KEPT.metadata) == []

    def test_an_upgrade_keeps_what_is_there(self, accounts: Accounts) -> None:
        secret = accounts.keys.create(WISH, now=NOW).secret
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: upgrade(accounts.engine), range(6)))
        assert accounts.keys.find(secret, now=NOW)

    def test_a_catalog_of_a_newer_version_is_refused_and_left_alone(
        self, accounts: Accounts
    ) -> None:
        with accounts.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version_kept SET version_num = '9999'"))
        with pytest.raises(KeptUnavailable, match="another version") as refused:
            upgrade(accounts.engine)
        assert "reindex" not in refused.value.hint
