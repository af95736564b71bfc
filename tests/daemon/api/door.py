"""A server that is nothing but a door: a room for each scope, the routes of people and keys."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from aiohttp import web

from daemon.accounts.store import Accounts, open_accounts
from daemon.accounts.types import Scope
from daemon.api import keys, people
from daemon.api.access_settings import AccessSettings, access_settings
from daemon.api.callers import ACCESS, CALLER, Access, Caller, enter
from daemon.api.idempotency import once
from daemon.api.rates import Rates
from renderer.errors import ReelkilnError
from tests.daemon.no_tls import NO_TLS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Perform = Callable[[str, bool], Awaitable[web.Response]]


@dataclass
class Door:
    """`callers` are those who came in, `shift` moves the clock; `perform` is behind POST /once."""

    url: str
    access: Access
    callers: list[Caller] = field(default_factory=list)
    shift: list[float] = field(default_factory=lambda: [0.0])
    perform: list[Perform] = field(default_factory=list)

    @property
    def accounts(self) -> Accounts:
        return self.access.accounts

    def client(self) -> httpx.Client:
        """A browser: it has a jar of cookies."""
        return httpx.Client(base_url=self.url, timeout=30, verify=NO_TLS)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ReelkilnError as error:
        headers: Mapping[str, str] = getattr(error, "headers", {})
        return web.json_response(error.as_json(), status=error.http_status, headers=headers)


def room(scope: Scope, door: Door) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        await enter(request, scope)
        door.callers.append(request[CALLER])
        return web.json_response({"scope": scope})

    return handle


def _app(door: Door) -> web.Application:
    app = web.Application(middlewares=[problems])
    app[ACCESS] = door.access
    for scope in Scope:
        app.router.add_route("*", f"/{scope}", room(scope, door))
    app.router.add_post("/v1/accounts", people.register)
    app.router.add_post("/v1/sessions", people.log_in)
    app.router.add_delete("/v1/sessions", people.log_out)
    app.router.add_get("/v1/me", people.me)
    app.router.add_post("/v1/keys", keys.create_key)
    app.router.add_get("/v1/keys", keys.list_keys)
    app.router.add_delete("/v1/keys/{key_id}", keys.revoke_key)
    ids = iter(range(1000))

    async def ask(request: web.Request) -> web.Response:
        await enter(request, Scope.RENDER)
        return await once(
            request, await request.read(), door.perform[0], caller=request[CALLER],
            records=door.accounts.idempotency, new_id=lambda: f"J{next(ids)}",
            now=door.access.clock(),
        )  # fmt: skip

    app.router.add_post("/once", ask)
    return app


@contextmanager
def running_door(
    root: Path, settings: AccessSettings | None = None, **environment: str
) -> Iterator[Door]:
    """A door on a port of loopback. With settings it may believe that it is somewhere else."""
    accounts = open_accounts(root, {})
    shift = [0.0]
    access = Access(
        accounts=accounts,
        settings=settings or access_settings(environment, is_loopback=True),
        rates=Rates(time.monotonic_ns),
        clock=lambda: time.time() + shift[0],
    )
    door = Door(url="", access=access, shift=shift)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = web.AppRunner(_app(door))

    async def start() -> str:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def stop() -> None:
        await runner.cleanup()
        await loop.shutdown_default_executor()

    try:
        door.url = asyncio.run_coroutine_threadsafe(start(), loop).result()
        yield door
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        accounts.close()


def problem_of(response: httpx.Response) -> str:
    code = json.loads(response.content)["code"]
    assert isinstance(code, str)
    return code
