from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from daemon.accounts.idempotency import KEPT_S
from daemon.accounts.keys import KeyWish
from daemon.accounts.types import RENDER_AND_READ
from renderer.errors import SpecInvalid, StorageFull
from tests.daemon.api.door import Door, problem_of, running_door


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with running_door(tmp_path) as door:
        door.perform.append(accept)
        yield door


DONE: list[tuple[str, bool]] = []


async def accept(job_id: str, is_resumed: bool) -> web.Response:
    DONE.append((job_id, is_resumed))
    headers = {"Location": f"/v1/jobs/{job_id}", "Retry-After": "2", "X-Other": "1"}
    return web.json_response({"job_id": job_id}, status=202, headers=headers)


@pytest.fixture(autouse=True)
def nothing_done_yet() -> None:
    DONE.clear()


def ask(door: Door, body: str = "{}", **headers: str) -> httpx.Response:
    with door.client() as client:
        return client.post("/once", content=body, headers=headers)


def test_a_request_that_comes_twice_is_done_once_and_answered_the_same(door: Door) -> None:
    key = {"Idempotency-Key": '"8e03978e-40d5"'}
    first, second = ask(door, **key), ask(door, **key)
    bare = ask(door, **{"Idempotency-Key": "8e03978e-40d5"})
    assert len(DONE) == 1
    for answer in (second, bare):
        assert (answer.status_code, answer.content) == (202, first.content)
        for name in ("Location", "Retry-After", "Content-Type"):
            assert answer.headers[name] == first.headers[name]
        assert answer.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


def test_without_the_header_each_request_is_its_own(door: Door) -> None:
    assert ask(door).content != ask(door).content


def test_another_request_under_the_key_is_refused(door: Door) -> None:
    key = {"Idempotency-Key": "k"}
    ask(door, "{}", **key)
    refused = ask(door, "[]", **key)
    assert (refused.status_code, problem_of(refused)) == (422, "idempotency-key-reused")


def test_a_key_that_is_none_is_refused(door: Door) -> None:
    refused = ask(door, **{"Idempotency-Key": '""'})
    assert (refused.status_code, problem_of(refused)) == (400, "idempotency-key-unfit")
    with door.client() as client:
        twice = client.post("/once", headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")])
    assert twice.status_code == 400


def test_while_the_first_is_at_work_the_second_is_told_to_wait(door: Door) -> None:
    begun, go_on = threading.Event(), threading.Event()

    async def slow(job_id: str, is_resumed: bool) -> web.Response:
        begun.set()
        while not go_on.is_set():
            await asyncio.sleep(0.01)
        return await accept(job_id, is_resumed)

    import asyncio

    door.perform[0] = slow
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, door, **{"Idempotency-Key": "k"})
        begun.wait()
        refused = ask(door, **{"Idempotency-Key": "k"})
        assert (refused.status_code, problem_of(refused)) == (409, "idempotency-in-flight")
        go_on.set()
        assert first.result().status_code == 202
    assert ask(door, **{"Idempotency-Key": "k"}).headers["Idempotency-Replayed"] == "true"


def test_what_was_refused_may_be_corrected_under_the_same_key(door: Door) -> None:
    async def refuse(job_id: str, is_resumed: bool) -> web.Response:
        raise SpecInvalid([])

    door.perform[0] = refuse
    assert ask(door, "{", **{"Idempotency-Key": "k"}).status_code == 422
    door.perform[0] = accept
    assert ask(door, "{}", **{"Idempotency-Key": "k"}).status_code == 202


def test_what_failed_midway_goes_on_with_the_same_job(door: Door) -> None:
    seen = []

    async def fail(job_id: str, is_resumed: bool) -> web.Response:
        seen.append(job_id)
        if len(seen) == 1:
            raise StorageFull("full")
        raise RuntimeError("a bug")

    door.perform[0] = fail
    assert ask(door, **{"Idempotency-Key": "k"}).status_code == 507
    assert ask(door, **{"Idempotency-Key": "k"}).status_code == 500
    door.perform[0] = accept
    assert ask(door, **{"Idempotency-Key": "k"}).status_code == 202
    assert [(job_id, True) for job_id in seen[:1]] == DONE
    assert seen == [seen[0]] * 2


def test_a_key_is_forgotten_after_a_day(door: Door) -> None:
    ask(door, **{"Idempotency-Key": "k"})
    door.shift[0] = KEPT_S + 1
    assert ask(door, "[]", **{"Idempotency-Key": "k"}).status_code == 202
    assert len(DONE) == 2


def test_callers_do_not_meet_each_others_keys(door: Door) -> None:
    wish = KeyWish(scopes=RENDER_AND_READ, owner="ada")
    keys = [door.accounts.keys.create(wish, now=time.time()).secret for _ in range(2)]
    bodies = [ask(door, **{"X-API-Key": key, "Idempotency-Key": "k"}).content for key in keys]
    assert len(set(bodies)) == len(DONE) == 2
