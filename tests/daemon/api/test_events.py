"""Server-Sent Events of a job: in order, from where one was, to the end."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx

from daemon.service import Service
from tests.daemon.api.conftest import SPEC, context_of, listening
from tests.daemon.running import at_work


def heard(client: httpx.Client, path: str, last: str = "") -> list[dict[str, str]]:
    """Every event until the stream ends."""
    headers = {"Last-Event-ID": last} if last else {}
    with client.stream("GET", path, headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["x-accel-buffering"] == "no"
        blocks = "\n".join(stream.iter_lines()).split("\n\n")
    return [
        dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":") and line)
        for block in blocks
        if block.strip() and not block.startswith(":")
    ]


def test_a_job_is_followed_from_the_queue_to_its_end(
    client: httpx.Client, service: Service
) -> None:
    job = client.post("/v1/jobs", json=SPEC).json()
    with at_work(service):
        events = heard(client, job["links"]["events"])
    ids = [int(event["id"]) for event in events]
    assert ids == sorted(set(ids))
    assert [event["event"] for event in events] == ["progress"] * (len(events) - 1) + ["done"]
    states = [json.loads(event["data"])["status"] for event in events]
    assert (states[0], states[-1]) == ("queued", "succeeded")
    assert json.loads(events[-1]["data"]) == client.get(job["links"]["self"]).json()
    assert {event["retry"] for event in events} == {"2000"}


def test_who_comes_back_hears_what_is_new_and_then_nothing(
    working: httpx.Client, rendered: dict[str, Any]
) -> None:
    path = rendered["links"]["events"]
    (event,) = heard(working, path)
    assert heard(working, path, last="0") == [event]
    assert heard(working, path, last="nonsense") == [event]
    answer = working.get(path, headers={"Last-Event-ID": event["id"]})
    assert (answer.status_code, answer.content) == (204, b"")


def test_pings_keep_a_quiet_stream_and_the_end_of_the_server_ends_it(service: Service) -> None:
    lines: list[str] = []
    pinged = threading.Event()

    def listen(url: httpx.URL, path: str) -> None:
        with httpx.stream("GET", url.join(path)) as stream:
            for line in stream.iter_lines():
                lines.append(line)
                if line.startswith(":"):
                    pinged.set()

    with listening(context_of(service, ping_s=0.05)) as client:
        job = client.post("/v1/jobs", json=SPEC).json()
        thread = threading.Thread(target=listen, args=(client.base_url, job["links"]["events"]))
        thread.start()
        assert pinged.wait(30)
    thread.join(30)
    assert not thread.is_alive()
    assert "event: done" not in lines


def test_there_are_only_so_many_streams(service: Service) -> None:
    with listening(context_of(service, streams=1)) as client:
        path = client.post("/v1/jobs", json=SPEC).json()["links"]["events"]
        with client.stream("GET", path) as first:
            assert next(first.iter_lines())
            second = httpx.get(client.base_url.join(path))
    assert (second.status_code, second.json()["code"]) == (503, "overloaded")
    assert "retry-after" in second.headers
