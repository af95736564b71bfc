"""The Python client against a real server, and the examples that use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.client import Client, DownloadDamaged, JobUnfinished, Problem, verify_zip
from daemon.service import Service
from tests.daemon.api.conftest import SPEC, context_of, listening, made_service
from tests.daemon.running import at_work, until

HOUSE = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("client") / "root"


@pytest.fixture(scope="module")
def url(root: Path) -> Iterator[str]:
    service = made_service(root)
    with at_work(service), listening(context_of(service)) as client:
        yield str(client.base_url)


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as made:
        yield made


def test_a_document_becomes_a_proven_bundle(client: Client, tmp_path: Path) -> None:
    job = client.submit(SPEC)
    seen = list(client.events(job.job_id))
    assert seen[-1].has_succeeded
    done = client.wait(job.job_id)
    assert done == seen[-1]
    again = client.submit("# the same\n" + json.dumps(SPEC))
    assert (again.job_id, again.status) == (job.job_id, "succeeded")
    path = client.download(done, tmp_path)
    assert path == tmp_path / f"{done.bundle}.zip"
    until(lambda: job.job_id in [one.job_id for one in client.jobs(status="succeeded")])
    video = client.download_file(done, "video.mp4", tmp_path / "v.mp4")
    with zipfile.ZipFile(path) as archive:
        assert archive.read(f"{done.bundle}/video.mp4") == video.read_bytes()
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, "v.mp4"])
    assert list(client.events(job.job_id))[-1] == done


def test_an_archive_that_was_changed_is_refused(client: Client, tmp_path: Path) -> None:
    done = client.wait(client.submit(SPEC).job_id)
    path = client.download(done, tmp_path)
    with pytest.raises(DownloadDamaged, match="manifest"):
        verify_zip(path, "0" * 64)
    whole = path.read_bytes()
    for at in (len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:at])
        with pytest.raises(DownloadDamaged):
            verify_zip(path, done.bundle_digest)


def test_what_is_wrong_is_told_with_its_place(client: Client) -> None:
    with pytest.raises(Problem, match="spec-invalid") as refused:
        client.submit("reelkiln: 1\ntracks: [{clips: [{imagee: a.png}]}]\n")
    assert refused.value.errors[0]["line"] == 2
    assert client.check(SPEC)["valid"] is True
    with pytest.raises(Problem, match="404 not-found"):
        client.job("0" * 26)


def test_a_job_that_goes_on_too_long_is_told_and_cancelled(tmp_path: Path) -> None:
    service: Service = made_service(tmp_path / "root")
    with listening(context_of(service)) as server, Client(str(server.base_url)) as client:
        job = client.submit(SPEC)
        with pytest.raises(JobUnfinished, match="is queued at 0 %"):
            client.wait(job.job_id, timeout_s=0.01, every_s=0.02)
        with at_work(service):
            assert client.cancel(job.job_id).job_id == job.job_id
            assert client.wait(job.job_id, every_s=0.02).status == "cancelled"


def test_the_client_stands_alone() -> None:
    words = "import sys, daemon.client; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    ours = {name for name in loaded if name.partition(".")[0] in ("daemon", "renderer")}
    assert ours == {"daemon", "daemon.client"}
    assert not {"aiohttp", "sqlalchemy", "pydantic"} & set(loaded)


def test_the_examples_do_what_they_say(url: str, root: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(SPEC | {"id": "example"}))
    missing = tmp_path / "missing.json"
    missing.write_text(json.dumps(SPEC | {"tracks": [{"clips": [{"image": "x", "length": 1}]}]}))

    def run(name: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, str(HOUSE / "examples" / "client" / name), *map(str, arguments)]
        environment = {**os.environ, "REELKILN_URL": url, "PYTHONPATH": str(HOUSE)}
        return subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)

    done = run("render.py", spec, tmp_path)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).parent == tmp_path
    assert zipfile.is_zipfile(done.stdout.strip())
    failed = run("render.py", missing, tmp_path)
    assert (failed.returncode, "failed" in failed.stdout) == (1, True)
    until(lambda: "again as" in run("failed.py").stdout)  # the index follows
