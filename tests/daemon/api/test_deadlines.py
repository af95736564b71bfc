"""Slow sockets, many sockets, and a server that starts and ends."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import httpx
import pytest

from daemon.api import ApiServer, ApiSettings
from daemon.api.deadlines import Door
from daemon.service import Service
from renderer.errors import UsageError
from tests.daemon.api.conftest import SPEC, context_of, listening
from tests.daemon.no_tls import NO_TLS

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


def test_a_sender_that_hangs_up_is_no_crash(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(context_of(service)) as client:
        for _ in range(5):
            with connected(client) as raw:
                raw.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n")
                assert b" 100 " in raw.recv(65536)
                raw.sendall(b"{")
            assert client.get("/livez").json() == {"status": "ok"}
    told = capsys.readouterr().out
    assert "the API listens" in told
    assert "crash" not in told


def test_there_is_room_for_so_many_and_then_again(service: Service) -> None:
    with listening(context_of(service, connections=2)) as client, ExitStack() as open_ones:
        raws = [open_ones.enter_context(connected(client)) for _ in range(3)]
        told = rest_of(raws[2])
        assert told.startswith(b"HTTP/1.1 503 ")
        assert b"application/problem+json" in told
        raws[0].close()
        deadline = time.monotonic() + 30
        while True:  # the server needs a moment to see it gone
            with httpx.Client(base_url=client.base_url, verify=NO_TLS) as other:
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


@contextmanager
def ending(service: Service, drain_s: float) -> Iterator[tuple[ApiServer, Callable[[], None]]]:
    """A server, and what makes it end; returns once it takes no connections any more."""
    server = ApiServer(context_of(service, drain_s=drain_s))
    server.start()
    stopping = threading.Thread(target=server.stop)

    def end() -> None:
        stopping.start()
        deadline = time.monotonic() + 30
        while is_open(server):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    try:
        yield server, end
    finally:
        stopping.join(60)
        server.context.access.accounts.close()


def is_open(server: ApiServer) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port)).close()
    except (ConnectionRefusedError, ConnectionResetError):  # reset: closed as we waited in line
        return False
    return True


def begun(server: ApiServer, length: int, path: bytes = b"/v1/jobs") -> socket.socket:
    """A request whose handler runs and waits for the body."""
    raw = socket.create_connection(("127.0.0.1", server.port))
    raw.settimeout(60)
    raw.sendall(HEAD.replace(b"/v1/check", path) + b"Expect: 100-continue\r\n")
    raw.sendall(b"Content-Length: %d\r\n\r\n" % length)
    assert b" 100 " in raw.recv(65536)
    return raw


def taken_in(service: Service) -> set[str]:
    folder = service.places.own("submitted")
    return {name.removesuffix(".json") for name in service.fs.names(folder)}


def test_a_body_that_comes_after_the_end_began_is_read_and_its_job_taken_in(
    service: Service,
) -> None:
    body = json.dumps(SPEC).encode()
    with ending(service, drain_s=60) as (server, end), begun(server, len(body)) as raw:
        raw.sendall(body[:20])
        end()
        raw.sendall(body[20:])
        head, _, told = rest_of(raw).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 202 ")
    assert b"Connection: close" in head
    assert taken_in(service) == {json.loads(told)["job_id"]}


@pytest.mark.parametrize("path", [b"/v1/jobs", b"/v1/check", b"/v1/keys", b"/v1/assets"])
def test_a_body_that_does_not_come_before_the_end_is_refused_and_leaves_nothing(
    service: Service, path: bytes
) -> None:
    with ending(service, drain_s=0.1) as (server, end), begun(server, 1000, path) as raw:
        raw.sendall(b'{"reelkiln": 1')
        end()
        head, _, told = rest_of(raw).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 503 ", b"HTTP/1.1 422 ")), head  # 422: read no body at all
    if b" 503 " in head:
        assert b"application/problem+json" in head
        assert b"Retry-After: " in head
        assert json.loads(told)["code"] == "daemon-ending"
    assert taken_in(service) == set()
    assert [path for path in service.places.inbox.rglob("*") if path.is_file()] == []


def test_of_many_slow_senders_each_is_taken_in_or_refused_and_none_is_lost(
    service: Service,
) -> None:
    """The end comes while bodies of every length are on their way, some quicker and some slower."""
    bodies = [json.dumps({**SPEC, "id": f"job-{number}"}).encode() for number in range(24)]
    with ending(service, drain_s=1.0) as (server, end):

        def send(number: int) -> bytes:
            body = bodies[number]
            with begun(server, len(body)) as raw:
                ready.wait()
                for place in range(0, len(body), 16):
                    raw.sendall(body[place : place + 16])
                    time.sleep(number * 0.01)
                return rest_of(raw)

        ready = threading.Barrier(len(bodies) + 1)
        with ThreadPoolExecutor(len(bodies)) as pool:
            answers = [pool.submit(send, number) for number in range(len(bodies))]
            ready.wait()
            end()
            told = [answer.result() for answer in answers]
    statuses = [int(one.split()[1]) for one in told]
    assert set(statuses) == {202, 503}
    accepted = {json.loads(one.partition(b"\r\n\r\n")[2])["job_id"]
                for one, status in zip(told, statuses, strict=True) if status == 202}  # fmt: skip
    assert taken_in(service) == accepted
