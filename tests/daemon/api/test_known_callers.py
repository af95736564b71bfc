"""Who was let in a moment ago is let in again, and nobody for longer than that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.accounts.types import Scope
from daemon.api.callers import ANYBODY, Caller
from daemon.api.credentials import Shown
from daemon.api.known_callers import KnownCallers
from tests.daemon.api.door import Door, running_door
from tests.daemon.api.test_callers import ADMIN, ask, key_of

NOBODY = Shown(method="GET", host="127.0.0.1")
ADA = Shown(method="GET", host="127.0.0.1", key="rk_1_2")
CALLER = Caller(owner="ada", scopes=frozenset({Scope.READ}), key_id="1")


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with running_door(tmp_path) as door:
        yield door


@pytest.fixture
def asked(door: Door, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that were looked up in the database."""
    asked, find = list[str](), type(door.accounts.keys).find

    def spy(keys: Any, text: str, *, now: float) -> Any:
        asked.append(text)
        return find(keys, text, now=now)

    monkeypatch.setattr(type(door.accounts.keys), "find", spy)
    return asked


def test_each_is_known_by_what_they_show_and_for_a_moment() -> None:
    known = KnownCallers()
    known.seen(NOBODY, ANYBODY, 1.0)
    known.seen(ADA, CALLER, 2.0)
    assert known.caller(NOBODY, 1.2) is ANYBODY
    assert known.caller(ADA, 2.24) is CALLER
    assert known.caller(ADA, 2.0 + KnownCallers.FOR_S) is None
    assert known.caller(ADA, 1.9) is None  # the clock was put back
    assert known.caller(Shown(method="GET", host="127.0.0.1", key="rk_1_3"), 2.1) is None


def test_a_session_is_looked_up_each_time() -> None:
    known, ada = KnownCallers(), Shown(method="GET", host="127.0.0.1", session="s")
    known.seen(ada, CALLER, 1.0)
    assert known.caller(ada, 1.0) is None


def test_who_came_before_a_change_leaves_no_door_open_behind() -> None:
    known = KnownCallers()
    known.seen(ADA, CALLER, 1.9)
    known.changed(2.0)
    assert known.caller(ADA, 2.0) is None
    known.seen(NOBODY, ANYBODY, 1.0)  # who took long to be looked up
    assert known.caller(NOBODY, 2.1) is None
    known.seen(NOBODY, ANYBODY, 2.1)
    assert known.caller(NOBODY, 2.2) is ANYBODY


def test_who_comes_often_is_looked_up_by_one_of_their_requests() -> None:
    known = KnownCallers()
    known.seen(ADA, CALLER, 1.0)
    assert not known.is_to_be_looked_up(ADA, 1.09)
    assert [known.is_to_be_looked_up(ADA, 1.11) for _ in range(3)] == [True, False, False]
    assert known.is_to_be_looked_up(ADA, 1.22)  # that look takes long, or has failed
    known.seen(ADA, CALLER, 1.22)
    assert not known.is_to_be_looked_up(ADA, 1.3)
    known.refused(ADA)
    assert known.caller(ADA, 1.22) is None


def test_those_who_came_once_are_forgotten() -> None:
    known = KnownCallers()
    for number in range(10_050):
        shown = Shown(method="GET", host="127.0.0.1", key=str(number))
        known.seen(shown, CALLER, number / 1000)
    assert len(known._known) < 1000


def test_a_key_that_comes_often_costs_few_questions(door: Door, asked: list[str]) -> None:
    key = key_of(door, Scope.READ)
    for _ in range(5):
        assert ask(door, **{"X-API-Key": key}).status_code == 200
        door.shift[0] += KnownCallers.FOR_S / 10
    assert 1 <= len(asked) < 5


def test_a_key_that_another_process_revokes_opens_nothing_a_moment_later(door: Door) -> None:
    key = key_of(door, Scope.READ)
    assert ask(door, **{"X-API-Key": key}).status_code == 200
    door.accounts.keys.revoke(key.split("_")[1], now=time.time())
    for _ in range(3):  # within the moment it opens, and they see to it that somebody looks
        door.shift[0] += KnownCallers.FOR_S / 3
        ask(door, **{"X-API-Key": key})
    assert ask(door, **{"X-API-Key": key}).status_code == 401


def test_a_key_revoked_here_opens_nothing_from_then_on(door: Door) -> None:
    admin, key = key_of(door, *ADMIN), key_of(door, Scope.READ)
    assert ask(door, **{"X-API-Key": key}).status_code == 200
    gone = ask(door, f"/v1/keys/{key.split('_')[1]}", "DELETE", **{"X-API-Key": admin})
    assert gone.status_code == 204
    assert ask(door, **{"X-API-Key": key}).status_code == 401
