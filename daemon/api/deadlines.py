"""Slow and many connections: what each may take of time, and how many there may be.

A connection has `idle_s` from its start, and from each answer, to bring a whole head; however
slowly it drips, it is closed then. Bodies have `body_s` (see `asking`). What is written and not
taken for `stall_s` ends the connection by the kernel's hand.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web
from ulid import ULID

from daemon.api.callers import is_loopback
from daemon.api.context import ApiSettings
from daemon.api.problems import PROBLEM_TYPE, HttpRefusal, Overloaded, problem, problem_response
from daemon.logs import logger

_FILES_BESIDE = 512  # databases, bundles, pipes of renders
_LINGER_S = 2.0  # for what is left of a body that nobody wants
_log = logger("api")


@dataclass(slots=True)
class Door:
    """Who is inside."""

    settings: ApiSettings
    inside: int = 0
    by_address: Counter[str] = field(default_factory=Counter)

    def enters(self, address: str) -> bool:
        """Let a connection in, unless there are too many."""
        if self.inside >= self.settings.connections:
            return False
        if not is_loopback(address):
            if self.by_address[address] >= self.settings.per_address:
                return False
            self.by_address[address] += 1
        self.inside += 1
        return True

    def leaves(self, address: str) -> None:
        """One that was let in has gone."""
        self.inside -= 1
        if not is_loopback(address):
            self.by_address[address] -= 1
            if not self.by_address[address]:
                del self.by_address[address]


class Connection(web.RequestHandler):
    """A connection that came through the door, and speaks problem+json when it is not HTTP."""

    __slots__ = ("_address", "_door", "_stall_s")

    def __init__(self, server: web.Server, door: Door) -> None:
        settings = door.settings
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=settings.idle_s,
            lingering_time=_LINGER_S,
            auto_decompress=False,
            access_log=None,  # type: ignore[arg-type]  # None is none; the base says it in words
        )
        self._door, self._address, self._stall_s = door, "", settings.stall_s

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or say that there is no room."""
        assert isinstance(transport, asyncio.Transport)
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        if not self._door.enters(address):
            transport.write(_NO_ROOM)
            transport.close()
            return
        self._address = address or "local"
        _bound_writes(transport, self._stall_s)
        super().connection_made(transport)

    def connection_lost(self, error: BaseException | None) -> None:
        """Make room."""
        if self._address:
            self._door.leaves(self._address)
            super().connection_lost(error)
        self._address = ""

    def data_received(self, data: bytes) -> None:
        """As the base has it; what was not let in is not heard."""
        if self._address:
            super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what could not be read as HTTP, or broke outside of every handler.

        Raises:
            ConnectionError: nobody is there to be answered, and that is no crash of ours.
        """
        if isinstance(exc, ConnectionError):
            raise exc
        if status >= 500:
            _log.error("a connection crashed", error=repr(exc))
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is on its way already")
        told = "this is no HTTP that can be read" if status < 500 else "this should not happen"
        response = problem_response(
            HttpRefusal(told), instance="/", request_id=str(ULID()), status=status
        )
        response.force_close()
        return response


def room_for(settings: ApiSettings) -> None:
    """Let this process have as many files open as its connections need, if it may."""
    wanted = settings.connections + _FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _bound_writes(transport: asyncio.Transport, stall_s: float) -> None:
    found = transport.get_extra_info("socket")
    if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(stall_s * 1000))


def _no_room() -> bytes:
    told = problem(Overloaded("too many connections"), status=503, instance="/", request_id="")
    body = json.dumps(told).encode()
    head = (
        "HTTP/1.1 503 Service Unavailable\r\n"
        f"Content-Type: {PROBLEM_TYPE}\r\nContent-Length: {len(body)}\r\n"
        "Retry-After: 2\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


_NO_ROOM = _no_room()
