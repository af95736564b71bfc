"""Health, counts and schemas; and the whole of it behind `reelkiln serve`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from daemon.service import Service
from renderer.schemas import schema_file, schemas
from tests.daemon.api.conftest import SPEC, made_service, until


def test_a_well_daemon_is_ready_and_says_what_it_looked_at(client: httpx.Client) -> None:
    for path in ("/readyz", "/health"):
        answer = client.get(path)
        told = answer.json()
        assert (answer.status_code, told["status"], told["open"]) == (200, "ready", True), told
        checks = {"serving", "inbox", "outbox", "state", "disk", "index", "catalog", "ffmpeg"}
        assert {reason["check"] for reason in told["reasons"]} == checks


def test_a_daemon_that_cannot_work_says_why(
    client: httpx.Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELKILN_FFMPEG", "/nowhere/ffmpeg")
    service.draining.set()
    (service.places.inbox / "rejected").rmdir()
    for folder in ("high", "low", "failed", ".tmp"):
        (service.places.inbox / folder).rmdir()
    service.places.inbox.rmdir()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    bad = {reason["check"] for reason in answer.json()["reasons"] if not reason["ready"]}
    assert bad == {"serving", "inbox", "ffmpeg"}
    assert client.get("/livez").status_code == 200


def test_jobs_are_counted_for_prometheus(working: httpx.Client, rendered: dict[str, Any]) -> None:
    def counted() -> dict[tuple[str, str], float]:
        return {
            (sample.name, sample.labels.get("state", "")): sample.value
            for family in text_string_to_metric_families(working.get("/metrics").text)
            for sample in family.samples
        }

    until(lambda: counted()["reelkiln_jobs", "succeeded"])  # the index follows
    answer, found = working.get("/metrics"), counted()
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert found["reelkiln_jobs", "succeeded"] == 1
    assert found["reelkiln_jobs_ended_total", "succeeded"] == 1
    assert found["reelkiln_job_wait_seconds_count", ""] == 1
    assert found["reelkiln_store_bytes", ""] > 0
    assert rendered["job_id"] not in answer.text


def test_every_published_schema_is_served(client: httpx.Client) -> None:
    told = client.get("/v1/schemas").json()["schemas"]
    assert set(told) == set(schemas())
    for name, path in told.items():
        answer = client.get(path)
        assert answer.headers["content-type"] == "application/schema+json"
        assert answer.json() == httpx.Response(200, content=schema_file(name).read_bytes()).json()
    assert client.get("/v1/schemas/nothing").status_code == 404


def test_serve_prints_where_the_api_is_and_ends_with_it(tmp_path: Path) -> None:
    made_service(tmp_path / "root").index.close()
    argv = [sys.executable, "-m", "daemon.entry", "serve", "--root", str(tmp_path / "root")]
    with subprocess.Popen([*argv, "--port", "0"], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        job = httpx.post(f"{url}/v1/jobs", json=SPEC).json()
        with httpx.stream("GET", f"{url}{job['links']['events']}", timeout=60) as stream:
            assert "event: done" in list(stream.iter_lines())
        shown = httpx.get(f"{url}{job['links']['self']}").json()
        os.kill(child.pid, signal.SIGTERM)
    assert (shown["status"], child.returncode) == ("succeeded", 0)


def test_serve_without_the_api_or_open_to_others(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "daemon.entry", "serve", "--root", str(tmp_path)]
    done = subprocess.run([*argv, "--host", "0.0.0.0"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no key that could open it" in done.stderr
    with subprocess.Popen([*argv, "--no-api"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as child:  # fmt: skip
        assert child.stderr is not None
        while "serving" not in child.stderr.readline():
            assert child.poll() is None
        os.kill(child.pid, signal.SIGTERM)
        assert child.communicate()[0] == ""
