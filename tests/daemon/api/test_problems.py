"""Every error of whatever origin is a problem document; no page of another site is served."""

from __future__ import annotations

import json
import socket
from typing import Any

import httpx
import pytest
from aiohttp import web

from daemon.api import app, routes
from daemon.api.route import Answer, Route
from daemon.service import Service
from tests.daemon.api.conftest import SPEC, context_of, listening
from tests.daemon.no_tls import NO_TLS

CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
JSON = {"Content-Type": "application/json"}


def is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    told: dict[str, Any] = answer.json()
    assert (told["status"], told["code"]) == (status, code)
    assert {"type", "title", "detail", "instance"} <= told.keys()
    assert told["request_id"] == answer.headers["x-request-id"]
    return told


def test_what_is_not_there_and_what_is_not_taken(client: httpx.Client) -> None:
    is_problem(client.get("/nothing"), 404, "not-found")
    is_problem(client.get("/v1/jobs/x/y/z"), 404, "not-found")
    refused = client.delete("/v1/jobs")
    is_problem(refused, 405, "method-not-allowed")
    assert {"GET", "POST"} <= set(refused.headers["allow"].split(","))
    is_problem(client.get("/livez?x=1"), 400, "query-refused")
    strange = client.get("/livez", headers={"Expect": "wonders"})
    assert (strange.status_code, strange.headers["content-type"]) == (
        417,
        "application/problem+json",
    )


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/render", "/v1/check"])
def test_bodies_of_other_types_and_packed_ones_are_not_read(
    working: httpx.Client, path: str
) -> None:
    document = json.dumps(SPEC).encode()
    for media_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=x",
    ):
        answer = working.post(path, content=document, headers={"Content-Type": media_type})
        is_problem(answer, 415, "type-not-supported")
    is_problem(working.post(path, content=document), 415, "type-not-supported")
    for coding in ("gzip", "br", "deflate", "zstd"):
        answer = working.post(path, content=document, headers={**JSON, "Content-Encoding": coding})
        is_problem(answer, 415, "type-not-supported")
    is_problem(working.post(path, content=b"", headers=JSON), 400, "bad-request")


def test_a_body_over_its_limit_is_refused_told_or_not(
    client: httpx.Client, service: Service
) -> None:
    limit = service.settings.limits.max_document_bytes
    with httpx.Client(base_url=client.base_url, verify=NO_TLS) as other:
        is_problem(other.post("/v1/check", content=b" " * (limit + 1), headers=JSON), 413,
                   "body-too-large")  # fmt: skip
    fitting = b'{"reelkiln": 1}'.ljust(limit)
    is_problem(client.post("/v1/check", content=fitting, headers=JSON), 422, "spec-invalid")
    with httpx.Client(base_url=client.base_url, verify=NO_TLS) as other:
        parts = iter([b" " * 65536] * (limit // 65536 + 1))
        is_problem(other.post("/v1/check", content=parts, headers=JSON), 413, "body-too-large")


@pytest.mark.parametrize(
    "sent",
    [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
     b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20000 + b"\r\n\r\n",
     b"POST /v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n" + CHUNKED],
)  # fmt: skip
def test_what_is_no_http_is_a_problem_too(working: httpx.Client, sent: bytes) -> None:
    with socket.create_connection((working.base_url.host, working.base_url.port or 0)) as raw:
        raw.sendall(sent)
        told = b""
        while part := raw.recv(65536):
            told += part
    assert told.startswith(b"HTTP/1.")
    assert b" 400 " in told.split(b"\r\n")[0]
    assert b"application/problem+json" in told


def test_a_crash_tells_its_id_and_nothing_else(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(request: web.Request) -> web.Response:
        raise RuntimeError("secret words")

    route = Route(
        method="GET", path="/broken", handler=broken, scope=None, operation="broken", summary="",
        answers={200: Answer(description="")},
    )  # fmt: skip
    monkeypatch.setattr(app.make_app, "__defaults__", ((*routes.ROUTES, route),))
    with listening(context_of(service)) as client:
        answer = client.get("/broken")
        told = is_problem(answer, 500, "internal-error")
        assert told["request_id"] in told["hint"]
        assert "secret" not in answer.text
        assert client.get("/livez").status_code == 200


def test_an_open_api_answers_to_its_own_name_and_its_own_pages(client: httpx.Client) -> None:
    is_problem(client.get("/v1/jobs", headers={"Host": "evil.example"}), 403, "origin-refused")
    evil = {"Origin": "https://evil.example"}
    is_problem(client.post("/v1/jobs", json=SPEC, headers=evil), 403, "origin-refused")
    own = {"Origin": str(client.base_url)}
    assert client.post("/v1/jobs", json=SPEC, headers=own).status_code == 202
    for answer in (client.get("/livez", headers=evil), client.get("/v1/schemas", headers=evil)):
        assert "access-control-allow-origin" not in answer.headers
    asked = {**evil, "Access-Control-Request-Method": "POST"}
    is_problem(client.options("/v1/jobs", headers=asked), 405, "method-not-allowed")


def test_a_named_site_may_call_and_never_with_cookies(service: Service) -> None:
    site = "https://studio.example"
    with listening(context_of(service, cors_origins=(site,))) as client:
        asked = {"Origin": site, "Access-Control-Request-Method": "POST"}
        preflight = client.options("/v1/jobs", headers=asked)
        answer = client.get("/v1/schemas", headers={"Origin": site})
        other = client.get("/v1/schemas", headers={"Origin": "https://evil.example"})
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    for told in (preflight, answer):
        assert told.headers["access-control-allow-origin"] == site
        assert "access-control-allow-credentials" not in told.headers
        assert "Origin" in told.headers["vary"]
    assert "access-control-allow-origin" not in other.headers
