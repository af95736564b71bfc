"""Every route, for every role, in every state of a job: who may, and what is legal.

The rows come from the table of routes, so that a new route is in here from the first day.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.accounts.keys import KeyWish
from daemon.accounts.tokens import csrf_of
from daemon.accounts.types import Scope, allows
from daemon.api.context import ApiContext
from daemon.api.credentials import COOKIE
from daemon.api.route import Route
from daemon.api.routes import ROUTES
from daemon.jobs import MOVES, Job, JobState
from daemon.service import Service
from tests.daemon.accounts_contract import PASSWORD
from tests.daemon.api.conftest import SPEC, context_of, listening

R, W, A, K = Scope.READ, Scope.RENDER, Scope.ADMIN, Scope.WORKER
ALL = frozenset({R, W, K})
SECRET = "of-ada-alone"


@dataclass(frozen=True, kw_only=True)
class Role:
    scopes: frozenset[Scope]
    owner: str = "ada"
    world: str = "north"
    shut: bool = False  # the account that owns the key is disabled

    @property
    def is_nobody(self) -> bool:
        return self.shut or not self.scopes

    def sees(self, job: Job) -> bool:
        mine = self.owner == job.owner or A in self.scopes
        return mine and self.world in ("", job.world)


ROLES: Mapping[str, Role] = {
    "nobody": Role(scopes=frozenset()),
    "render": Role(scopes=frozenset({W})),
    "read": Role(scopes=frozenset({R})),
    "worker": Role(scopes=frozenset({K})),
    "admin": Role(scopes=frozenset({A}), owner="root", world=""),
    "admin of another world": Role(scopes=frozenset({A, K}), owner="root", world="south"),
    "another owner": Role(scopes=ALL, owner="bob"),
    "another world": Role(scopes=ALL, world="south"),
    "everything": Role(scopes=ALL),
    "key of a disabled account": Role(scopes=ALL | {A}, shut=True),
    "session of a disabled account": Role(scopes=ALL | {A}, shut=True),
}
ABOUT_JOBS = [route for route in ROUTES if "job_id" in route.parameters]
OTHERS = [route for route in ROUTES if route.scope and "job_id" not in route.parameters]
TO_BE_LEGAL = {
    "cancelJob": JobState.CANCELLED, "completeJob": JobState.SUCCEEDED, "failJob": JobState.FAILED,
}  # fmt: skip
BODIES: Mapping[str, Any] = {
    "moveJob": {"lease_token": "x", "progress": {"percent": 1}},
    "completeJob": {"lease_token": "x", "bundle": "b"},
    "failJob": {"lease_token": "x", "error": {"code": "x", "message": "x"}},
    "createJob": SPEC, "render": SPEC, "checkDocument": SPEC,
}  # fmt: skip


def ids(route: Route) -> str:
    return route.operation


@dataclass
class Stage:
    client: httpx.Client
    service: Service
    keys: dict[str, str]
    jobs: dict[JobState, Job]
    session: dict[str, str]

    def ask(self, role: str, route: Route, job_id: str = "", **more: Any) -> httpx.Response:
        path = route.path.replace("{job_id}", job_id).replace("{path:.+}", "video.mp4")
        path = re.sub(r"\{\w+(:[^}]*)?\}", "unknown", path)
        headers = {"X-API-Key": self.keys[role]} if role in self.keys else {}
        headers |= self.session if role.startswith("session") else {}
        if route.operation in BODIES:
            more.setdefault("json", BODIES[route.operation])
        return self.client.request(route.method, path, headers=headers, **more)

    def records(self) -> dict[str, bytes]:
        """Everything that says how the jobs stand."""
        folders = (self.service.places.own("jobs"), self.service.places.own("claimed"))
        return {
            str(path): path.read_bytes() for folder in folders for path in sorted(folder.iterdir())
        }


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    from tests.daemon.api.conftest import made_service

    service = made_service(tmp_path_factory.mktemp("matrix") / "root")
    context = context_of(service, streams=50)
    shut, session = account_of(context)
    roles = {name: replace(role, owner=shut, world="") if role.shut else role
             for name, role in ROLES.items()}  # fmt: skip
    keys = {name: key_of(context, role) for name, role in roles.items()
            if role.scopes and not name.startswith("session")}  # fmt: skip
    context.access.accounts.people.disable(shut, now=time.time())
    jobs = {state: kept(service, state, number) for number, state in enumerate(JobState)}
    with listening(context) as client:
        yield Stage(client=client, service=service, keys=keys, jobs=jobs, session=session)
    service.index.close()


def account_of(context: ApiContext) -> tuple[str, dict[str, str]]:
    """An account that may do everything, and what its browser sends."""
    people = context.access.accounts.people
    made = people.register("eve@example.org", PASSWORD, now=time.time(), scopes=ALL | {A})
    begun = people.log_in("eve@example.org", PASSWORD, now=time.time(), lasting=999)
    assert begun is not None
    sent = {"Cookie": f"{COOKIE}={begun.secret}", "X-CSRF-Token": csrf_of(begun.secret)}
    return made.account_id, sent


def key_of(context: ApiContext, role: Role) -> str:
    wish = KeyWish(scopes=role.scopes, owner=role.owner, world=role.world)
    return context.access.accounts.keys.create(wish, now=time.time()).secret


def kept(service: Service, state: JobState, number: int) -> Job:
    """A job of ada's in the world north, in that state, on record."""
    ended = 9.0 if state.is_final else None
    job = Job(
        job_id=f"{number:026d}", name=f"{SECRET}.yaml", state=state, owner="ada", world="north",
        created_at=1.0, finished_at=ended, rev=1, kind="video",
        bundle=SECRET if state is JobState.SUCCEEDED else "", bundle_digest="0" * 64,
        error={"code": "x", "message": SECRET} if state is JobState.FAILED else None,
    )  # fmt: skip
    papers = service.inbox.papers
    papers.replace(service.places.status(job.job_id), job.as_json())
    service.index.put(job)
    return job


@pytest.mark.parametrize("route", ABOUT_JOBS, ids=ids)
@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_job_is_there_for_those_who_may_and_moves_as_the_table_says(
    stage: Stage, route: Route, role: str
) -> None:
    who = ROLES[role]
    assert route.scope is not None
    for state, job in stage.jobs.items():
        if route.operation == "jobEvents" and not state.is_final:
            continue  # it would go on
        before = stage.records()
        told = stage.ask(role, route, job.job_id)
        words = (route.operation, role, state, told.status_code)
        if who.is_nobody:
            assert told.status_code == 401, words
        elif not allows(who.scopes, route.scope):
            assert told.status_code == 403, words
        elif not who.sees(job):
            assert told.status_code == 404, words
            nothing = stage.ask(role, route, "Z" * 26)
            assert telling(told) == telling(nothing), words
        else:
            legal_or_not(route, state, told)
        if who.is_nobody or not (allows(who.scopes, route.scope) and who.sees(job)):
            assert SECRET not in told.text, words
        assert stage.records() == before, words  # a wish to cancel is no move yet
    clear_wishes(stage)


def legal_or_not(route: Route, state: JobState, told: httpx.Response) -> None:
    words = (route.operation, state, told.status_code, told.text[:200])
    assert told.status_code in route.answers or told.status_code in route.refusals, words
    wanted = TO_BE_LEGAL.get(route.operation)
    if wanted is not None and wanted not in MOVES[state]:
        assert (told.status_code, told.json()["code"]) == (409, "illegal-move"), words
        assert told.json()["legal"] == sorted(MOVES[state]), words
    elif route.scope is Scope.WORKER:  # legal, and not for whoever holds no lease
        assert (told.status_code, told.json()["code"]) == (409, "lease-lost"), words
    elif wanted is not None:
        assert told.status_code == 202, words
    elif route.operation == "retryJob":
        code = "not-retryable" if state is JobState.FAILED else "illegal-move"
        assert (told.status_code, told.json()["code"]) == (409, code), words
    else:
        assert told.status_code in (200, 409, 410), words


@pytest.mark.parametrize("route", OTHERS, ids=ids)
def test_other_routes_ask_for_their_scope(stage: Stage, route: Route) -> None:
    for name, who in ROLES.items():
        told = stage.ask(name, route)
        assert route.scope is not None
        if who.is_nobody:
            assert told.status_code == 401
        elif not allows(who.scopes, route.scope) or is_of_no_world(route, who):
            assert (told.status_code, told.json()["code"]) == (403, "scope-missing")
        elif is_plain(route):
            assert told.status_code in (200, 202), (route.operation, name, told.text)
        else:  # what it names is not there, or its body is none
            assert told.status_code in {*route.answers, *route.refusals} - {401}, told.text
        if name.startswith(("another", "nobody", "admin of", "key of", "session of")):
            assert SECRET not in told.text


def is_of_no_world(route: Route, who: Role) -> bool:
    """Accounts are, and a key of one world has no say about them."""
    return route.operation == "listAccounts" and bool(who.world)


def is_plain(route: Route) -> bool:
    """Whether a request without a path of its own and with a known body should do."""
    return not route.parameters and (route.method == "GET" or route.operation in BODIES)


def test_every_route_with_a_scope_is_in_the_matrix() -> None:
    guarded = {route.operation for route in ROUTES if route.scope}
    assert guarded == {route.operation for route in (*ABOUT_JOBS, *OTHERS)}


def test_two_tenants_never_meet_whatever_they_ask(stage: Stage) -> None:
    """Chance requests of strangers: nothing of ada's is told, nothing of hers moves."""
    strangers = ["another owner", "another world", "admin of another world"]
    known = [job.job_id for job in stage.jobs.values()]
    queries = st.fixed_dictionaries({}, optional={
        "world": st.sampled_from(["north", "south", ""]),
        "owner": st.sampled_from(["ada", "bob", ""]),
        "name": st.just(f"{SECRET}.yaml"), "kind": st.just("video"),
        "status": st.sampled_from(list(JobState)), "limit": st.integers(0, 300),
    })  # fmt: skip
    bodies = st.sampled_from([*BODIES.values(), {}, {"status": "running"}, {"status": "queued"}])
    guarded = [route for route in ROUTES if route.scope]
    before = stage.records()

    @settings(
        max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(
        role=st.sampled_from(strangers), route=st.sampled_from(guarded),
        job_id=st.sampled_from(known), query=queries, body=bodies,
    )  # fmt: skip
    def check(
        role: str, route: Route, job_id: str, query: dict[str, Any], body: dict[str, Any]
    ) -> None:
        more = {"json": body} if route.method in ("POST", "PATCH") else {}
        told = stage.ask(role, route, job_id, params=query, **more)
        assert told.status_code < 500
        assert SECRET not in told.text
        assert not any(known_id in told.text.replace(told.url.path, "") for known_id in known)
        if "job_id" in route.parameters:
            assert told.status_code in (400, 404, 403), (route.operation, told.text)
        assert "ada" not in {job["owner"] for job in jobs_in(told) if job["world"] != "south"}

    check()
    assert {path: stage.records().get(path) for path in before} == before
    assert stage.service.fs.names(stage.service.places.own("cancel")) == []


def test_a_disabled_account_comes_back_with_its_keys(stage: Stage) -> None:
    """What was shut in every row above was shut by this alone."""
    showing = next(route for route in ABOUT_JOBS if route.operation == "showJob")
    job_id = stage.jobs[JobState.SUCCEEDED].job_id
    admin = {"X-API-Key": stage.keys["admin"]}
    (account,) = stage.client.get("/v1/accounts", headers=admin).json()["accounts"]
    assert account["disabled_at"] is not None
    path = f"/v1/accounts/{account['account_id']}"
    assert stage.client.patch(path, json={"disabled": False}, headers=admin).status_code == 200
    assert stage.ask("key of a disabled account", showing, job_id).status_code == 200
    assert stage.ask("session of a disabled account", showing, job_id).status_code == 401
    assert stage.client.patch(path, json={"disabled": True}, headers=admin).status_code == 200
    assert stage.ask("key of a disabled account", showing, job_id).status_code == 401


def test_a_foreign_id_takes_as_long_as_one_that_is_not_there(stage: Stage) -> None:
    """Told, not judged: times are never a test."""
    route = next(route for route in ABOUT_JOBS if route.operation == "showJob")
    job_id = stage.jobs[JobState.SUCCEEDED].job_id
    known, key = stage.keys, stage.keys["another owner"]
    half_right = key[:-4] + "xxxx"
    keys = {"a live key": key, "its secret wrong": half_right, "no such key": "rk_" + "0" * 60}
    for words, text in keys.items():
        took = timed(replace_key(stage, known, text), route, job_id)
        print(f"{words:18} {took * 1000:6.2f} ms")
    for words, asked in (("a stranger's job", job_id), ("no job", "Z" * 26)):
        print(f"{words:18} {timed(stage, route, asked) * 1000:6.2f} ms")


def replace_key(stage: Stage, known: dict[str, str], text: str) -> Stage:
    return replace(stage, keys={**known, "another owner": text})


def timed(stage: Stage, route: Route, job_id: str) -> float:
    times = []
    for _ in range(30):
        began = time.perf_counter()
        assert stage.ask("another owner", route, job_id).status_code in (401, 404)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def jobs_in(told: httpx.Response) -> list[dict[str, Any]]:
    if not told.headers.get("content-type", "").startswith("application/json"):
        return []
    found: Any = told.json()
    jobs = found.get("jobs", [found] if "job_id" in found else [])
    return [job for job in jobs if "owner" in job]


def telling(told: httpx.Response) -> dict[str, Any]:
    volatile = ("request_id", "instance")
    return {key: value for key, value in told.json().items() if key not in volatile}


def clear_wishes(stage: Stage) -> None:
    folder = stage.service.places.own("cancel")
    for name in stage.service.fs.names(folder):
        (folder / name).unlink()
