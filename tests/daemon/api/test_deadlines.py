"""Slow sockets, many sockets, and a server that starts and ends."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest

from daemon.api import ApiServer, ApiSettings
from daemon.api.deadlines import Door
from daemon.service import Service
from renderer.errors import UsageError
from tests.daemon.api.conftest import context_of, listening

HEAD = b"POST /v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def connected(client: httpx.Client) -> socket.socket:
    raw = socket.create_connection((client.base_url.host, client.base_url.port or 0))
    raw.settimeout(30)
    return raw


def rest_of(raw: socket.socket) -> bytes:
    told = b""
    try:
        while part := raw.recv(65536):
            told += part
    except ConnectionError:
        pass
    return told


def dripped(raw: socket.socket, data: bytes) -> bool:
    """Send a byte at a time; whether the other side closed before it was all sent."""
    raw.settimeout(0.02)
    for byte in data:
        try:
            raw.sendall(bytes([byte]))
            if not raw.recv(1):
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def test_a_head_that_drips_is_cut_off(service: Service) -> None:
    with listening(context_of(service, idle_s=0.3)) as client, connected(client) as raw:
        assert dripped(raw, HEAD + b"X-Slow: " + b"x" * 2000)


def test_a_second_head_on_a_connection_may_not_drip_either(service: Service) -> None:
    with listening(context_of(service, idle_s=0.3)) as client, connected(client) as raw:
        raw.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert raw.recv(65536).startswith(b"HTTP/1.1 200")
        assert dripped(raw, HEAD + b"X-Slow: " + b"x" * 2000)


def test_a_body_that_does_not_come_is_a_problem(service: Service) -> None:
    with listening(context_of(service, body_s=0.2)) as client, connected(client) as raw:
        raw.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        told = rest_of(raw)
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b'"code": "request-timeout"' in told


def test_there_is_room_for_so_many_and_then_again(service: Service) -> None:
    with listening(context_of(service, connections=2)) as client, ExitStack() as open_ones:
        raws = [open_ones.enter_context(connected(client)) for _ in range(3)]
        told = rest_of(raws[2])
        assert told.startswith(b"HTTP/1.1 503 ")
        assert b"application/problem+json" in told
        raws[0].close()
        deadline = time.monotonic() + 30
        while True:  # the server needs a moment to see it gone
            with httpx.Client(base_url=client.base_url) as other:
                try:
                    if other.get("/livez").status_code == 200:
                        break
                except httpx.TransportError:
                    pass
            assert time.monotonic() < deadline


def test_one_address_does_not_take_all_the_room_but_a_proxy_may() -> None:
    door = Door(ApiSettings(connections=4, per_address=2))
    assert [door.enters("10.0.0.1") for _ in range(3)] == [True, True, False]
    assert [door.enters("127.0.0.1") for _ in range(3)] == [True, True, False]
    door.leaves("10.0.0.1")
    assert door.enters("10.0.0.1")
    assert (door.inside, dict(door.by_address)) == (4, {"10.0.0.1": 2})


def test_a_thousand_slow_sockets_leave_the_server_answering(service: Service) -> None:
    with listening(context_of(service)) as client, ExitStack() as open_ones:
        for _ in range(1000):
            open_ones.enter_context(connected(client)).sendall(b"GET /li")
        took = []
        for _ in range(100):
            began = time.perf_counter()
            assert client.get("/livez").json() == {"status": "ok"}
            took.append(time.perf_counter() - began)
    print(f"p99 {sorted(took)[98] * 1000:.1f} ms")


def test_a_port_that_is_taken_is_told_in_words(service: Service) -> None:
    with listening(context_of(service)) as client:
        settings = ApiSettings(port=client.base_url.port or 0)
        server = ApiServer(replace(context_of(service), settings=settings))
        with pytest.raises(UsageError, match="cannot listen on"):
            server.start()
        server.stop()


def test_a_running_request_is_finished_before_the_end(service: Service) -> None:
    server = ApiServer(context_of(service, drain_s=60.0))
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 17\r\n\r\n")
        assert b" 100 " in raw.recv(65536)  # its handler runs
        raw.sendall(b'{"reelkiln": 1}  ')  # a body that comes after the end began is not read
        ending = threading.Thread(target=server.stop)
        ending.start()
        told = rest_of(raw)
    ending.join(30)
    assert b"HTTP/1.1 422 " in told
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
