"""The server: the routes in a thread with a loop of its own, from start to a graceful end."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from aiohttp import web
from ulid import ULID

from daemon.api.arriving import drain
from daemon.api.asking import NoQuery, query_of
from daemon.api.callers import ACCESS, enter
from daemon.api.context import CONTEXT, DESCRIPTION, TURNSTILES, ApiContext, Turnstiles
from daemon.api.cors import mark, preflights
from daemon.api.deadlines import Connection, Door, room_for
from daemon.api.openapi import openapi
from daemon.api.problems import REQUEST_ID, HttpRefusal, problem_response, problems
from daemon.api.rates import ROOM, QueueRoom
from daemon.api.route import Route
from daemon.api.routes import ROUTES
from daemon.database import DatabaseUnavailable
from daemon.jobs import JobState
from daemon.logs import logger
from renderer.errors import ToolchainUnfit, UsageError

_BACKLOG = 1024
_START_S = 30.0
_LAST_WORDS_S = 2.0
_log = logger("api")

Furnish = Callable[[web.Application], None]


def bare(app: web.Application) -> None:
    """Nothing beside the API."""


def make_app(
    context: ApiContext, routes: tuple[Route, ...] = ROUTES, *, furnish: Furnish = bare
) -> web.Application:
    """The application of one daemon. Make it on the loop that serves it.

    `furnish` adds what is served beside the API.
    """
    app = web.Application(middlewares=[_counted, problems, preflights])
    app[CONTEXT], app[TURNSTILES], app[ACCESS] = context, Turnstiles(), context.access
    app[ROOM] = QueueRoom(
        count=lambda: _queued(context), most=context.access.settings.max_queued,
        clock=time.monotonic, later=_beside(asyncio.get_running_loop()),
    )  # fmt: skip
    app[DESCRIPTION] = json.dumps(openapi(routes, context.version)).encode()
    for route in routes:
        resource = app.router.add_resource(route.path)
        for method in (route.method, "HEAD") if _has_head(route) else (route.method,):
            resource.add_route(method, _entered(route), expect_handler=_expectation)
    furnish(app)
    app.on_response_prepare.append(_finish)
    return app


class ApiServer:
    """The API of one daemon, served from `start` to `stop`."""

    def __init__(self, context: ApiContext, furnish: Furnish = bare) -> None:
        self.context = context
        self._furnish = furnish
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._bound = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)

    @property
    def url(self) -> str:
        """Where it is reached."""
        host = self.context.settings.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def start(self) -> None:
        """Serve from now on; `port` is the one that was bound.

        Raises UsageError when the address cannot be had.
        """
        _see_to_the_parser()
        room_for(self.context.settings)
        self._thread.start()
        self._bound.wait(_START_S)
        if self._failure is not None:
            self._thread.join()
            settings = self.context.settings
            raise UsageError(
                f"the API cannot listen on {settings.host}:{settings.port}: {self._failure}",
                hint="another program may be there: choose another --port, or --no-api",
            ) from self._failure
        _log.info("the API listens", url=self.url)

    def stop(self) -> None:
        """Take no more connections, finish what runs within `drain_s`, and end.

        Whose body is not there by then is told 503; nothing of it was taken in.
        """
        if self._loop is not None and self._ending is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._bound.set()

    async def _serve(self) -> None:
        settings = self.context.settings
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_default_executor(
            ThreadPoolExecutor(settings.threads, thread_name_prefix="api")
        )
        app = make_app(self.context, furnish=self._furnish)
        runner = web.AppRunner(app, shutdown_timeout=settings.drain_s, access_log=None)
        await runner.setup()
        server = runner.server
        assert server is not None
        door = Door(settings)
        try:
            listening = await self._loop.create_server(
                lambda: Connection(server, door), settings.host, settings.port, backlog=_BACKLOG
            )
            self.port = listening.sockets[0].getsockname()[1]
            self._bound.set()
            await self._ending.wait()
            await _stop_listening(self._loop, listening)
            await drain(app[TURNSTILES], settings.drain_s, _LAST_WORDS_S)
        finally:
            await runner.cleanup()


async def _stop_listening(loop: asyncio.AbstractEventLoop, listening: asyncio.Server) -> None:
    """Take no more connections. One that was accepted just now needs the listener to be there
    until its transport is made."""
    for listener in listening.sockets:
        loop.remove_reader(listener.fileno())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    listening.close()


def _beside(loop: asyncio.AbstractEventLoop) -> Callable[[Callable[[], None]], object]:
    """Has something done in a thread of the API, asked for by whatever thread."""
    return lambda work: loop.call_soon_threadsafe(loop.run_in_executor, None, work)


def _queued(context: ApiContext) -> int:
    try:
        return context.index.count(JobState.QUEUED)
    except DatabaseUnavailable:  # jobs are taken in without the index
        return 0


def _has_head(route: Route) -> bool:
    return route.method == "GET" and route.has_head


@web.middleware
async def _counted(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Outermost: the end of the daemon waits for who is inside."""
    turnstiles = request.app[TURNSTILES]
    turnstiles.inside += 1
    try:
        response = await handler(request)
    finally:
        turnstiles.inside -= 1
    if turnstiles.closing.is_set():
        response.force_close()
    return response


def _entered(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of a route, once it is known who calls and that they may."""

    async def handle(request: web.Request) -> web.StreamResponse:
        await enter(request, route.scope)
        if route.query is None:
            query_of(request, NoQuery)
        return await route.handler(request)

    return handle


async def _expectation(request: web.Request) -> web.StreamResponse | None:
    """`Expect: 100-continue` is met, anything else is a problem like any other."""
    if request.headers.get("Expect", "").casefold() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
        return None
    refusal = HttpRefusal("this expectation cannot be met", hint="leave the header Expect out")
    return problem_response(
        refusal, instance=request.rel_url.raw_path, request_id=str(ULID()), status=417
    )


async def _finish(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer carries."""
    response.headers["X-Request-Id"] = request.get(REQUEST_ID, "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; sandbox")
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "reelkiln"
    await mark(request, response)


def _see_to_the_parser() -> None:
    """Raises ToolchainUnfit where only the slow and laxer parser of HTTP is installed."""
    from aiohttp import http_parser

    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        raise ToolchainUnfit(
            f"aiohttp {aiohttp.__version__} was installed without its compiled parser",
            hint="install a wheel of it: pip install --force-reinstall aiohttp",
        )
