"""The HTTP API while a render runs: python -m benchmarks.api [--postgres] [--seconds 60].

A real daemon with one render under way, 1 000 jobs queued and 100 000 in its index is asked 200
times a second: a tenth creates jobs, three tenths ask for pages, the rest for the state of a job.
Then sockets that send a byte now and then are held open while /livez is asked.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from PIL import Image
from sqlalchemy import text

from benchmarks.index import jobs
from benchmarks.lean_http import LeanClient
from daemon.accounts.keys import KeyWish
from daemon.accounts.store import open_accounts
from daemon.accounts.types import RENDER_AND_READ, Scope
from daemon.database.engine import is_postgres
from daemon.index import JobIndex, open_index
from daemon.jobs import Job, JobState
from daemon.niceness import come_first

GOALS_MS = {"create": 25.0, "status": 5.0, "page": 20.0, "livez": 50.0}
_LONGEST_S = 60.0
_AUTOGROUP = Path("/proc/self/autogroup")
_PAGES = ("/v1/jobs", "/v1/jobs?status=queued", "/v1/jobs?kind=topic&limit=100")
LONG = {
    "reelkiln": 1, "id": "long", "output": {"size": "1280x720", "fps": 30},
    "tracks": [{"clips": [{"image": "a.png", "length": "600s", "motion": "zoom-in"}]}],
}  # fmt: skip


def small(number: int) -> bytes:
    clip = {"text": f"Hello {number}", "length": "1s"}
    return json.dumps({"reelkiln": 1, "tracks": [{"clips": [clip]}]}).encode()


def over(found: Iterable[Job]) -> Iterator[Job]:
    """Jobs of the past: none of them waits, for those that do are handed in."""
    final = tuple(state for state in JobState if state.is_final)
    for number, job in enumerate(found):
        yield replace(job, state=final[number % len(final)])


def settled(index: JobIndex) -> None:
    """The database some minutes after so much was put into it."""
    if is_postgres(index.engine):
        with index.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))  # autovacuum does, after its nap
            connection.execute(text("CHECKPOINT"))
    os.sync()


def made_key(root: Path, environment: dict[str, str]) -> str:
    with closing(open_accounts(root, environment)) as accounts:
        wish = KeyWish(scopes=RENDER_AND_READ | {Scope.ADMIN})  # who sees all 100 000
        return accounts.keys.create(wish, now=time.time()).secret


@contextmanager
def serving(root: Path, environment: dict[str, str]) -> Iterator[str]:
    (root / "media").mkdir(parents=True)
    Image.effect_noise((1280, 720), 60).save(root / "media" / "a.png")
    settings = {**os.environ, **environment, "REELKILN_MAX_QUEUED": "1000000"}
    command = [sys.executable, "-m", "daemon.entry", "serve", "--root", str(root), "--port", "0",
               "--jobs", "1"]  # fmt: skip
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL, start_new_session=True) as daemon:  # fmt: skip
        assert daemon.stdout is not None
        try:
            yield daemon.stdout.readline().strip()
        finally:
            daemon.terminate()


@contextmanager
def on_a_core_of_its_own() -> Iterator[None]:
    """The client never waits for a core: it stands for many on other machines.

    Needs root where Linux weighs sessions; without, what the client waits is told as well.
    """
    come_first()
    before = None
    with suppress(OSError):
        before = _AUTOGROUP.read_text().split()[-1]
        _AUTOGROUP.write_text("-20")
    try:
        yield
    finally:
        with suppress(OSError):
            if before is not None:
                _AUTOGROUP.write_text(before)


class Asker:
    """Asks in an open loop: a slow answer delays no other question."""

    def __init__(self, http: LeanClient) -> None:
        self.http = http
        self.took: dict[str, list[float]] = defaultdict(list)
        self.statuses: Counter[str] = Counter()
        self.ids: list[str] = []
        self.number = 0

    async def ask(self, what: str, path: str, data: bytes | None = None) -> None:
        began = time.perf_counter()
        try:
            asked = self.http.ask("POST" if data else "GET", path, data)
            status, body = await asyncio.wait_for(asked, _LONGEST_S)
        except (OSError, ValueError, EOFError, TimeoutError) as error:
            self.statuses[f"{what} {type(error).__name__}"] += 1
            return
        self.took[what].append(time.perf_counter() - began)
        self.statuses[f"{what} {status}"] += 1
        if data and status == 202:
            self.ids.append(json.loads(body)["job_id"])

    async def create(self) -> None:
        self.number += 1
        await self.ask("create", "/v1/jobs", small(self.number))

    async def one(self, turn: int) -> None:
        if turn % 10 == 0:
            await self.create()
        elif turn % 10 < 4:
            await self.ask("page", _PAGES[turn % len(_PAGES)])
        else:
            await self.ask("status", f"/v1/jobs/{self.ids[turn % len(self.ids)]}")

    async def minute(self, seconds: int, rate: int) -> None:
        began, tasks = time.perf_counter(), []
        for turn in range(seconds * rate):
            late = began + turn / rate - time.perf_counter()
            if late > 0:
                await asyncio.sleep(late)
            tasks.append(asyncio.create_task(self.one(turn)))
        await asyncio.gather(*tasks)
        wall = time.perf_counter() - began
        print(f"{seconds * rate} requests in {wall:.1f} s: {dict(sorted(self.statuses.items()))}")


async def slow_sockets(asker: Asker, url: str, count: int) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    writers = []
    for _ in range(count):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /livez HTTP/1.1\r\nX-")
        writers.append(writer)
    for turn in range(300):
        for writer in writers[turn % 50 :: 50]:
            if not writer.is_closing():
                writer.write(b"a")
        await asker.ask("livez", "/livez")
        await asyncio.sleep(0.02)
    for writer in writers:
        writer.close()


def told(took: dict[str, list[float]]) -> None:
    for what, goal in GOALS_MS.items():
        times = sorted(took[what])
        if not times:
            continue
        median, p99 = (1000 * times[int(len(times) * share)] for share in (0.5, 0.99))
        print(f"{what:8} median {median:7.1f} ms   p99 {p99:7.1f} ms   "
              f"p99 / goal {p99 / goal:5.2f}  (goal: {goal:g} ms)")  # fmt: skip


async def measure(url: str, key: str, arguments: argparse.Namespace) -> None:
    with closing(LeanClient(url, key)) as http:
        asker = Asker(http)
        await asker.ask("create", "/v1/jobs", json.dumps(LONG).encode())
        (long,) = asker.ids
        await asyncio.sleep(3)
        began = time.perf_counter()
        while len(asker.ids) < arguments.queued:
            await asyncio.gather(*(asker.create() for _ in range(8)))
        rate = arguments.queued / (time.perf_counter() - began)
        print(f"{len(asker.ids)} jobs queued, {rate:.0f} a second; load {os.getloadavg()[0]:.1f}")
        _, body = await http.ask("GET", f"/v1/jobs/{long}")
        found = json.loads(body)
        print(f"the render is {found['status']} at {found['progress']} %")
        asker.took.clear()
        asker.statuses.clear()
        await asker.minute(arguments.seconds, arguments.rate)
        await slow_sockets(asker, url, arguments.sockets)
        print(f"{arguments.sockets} slow sockets, /livez: {asker.statuses['livez 200']} of 300")
        told(asker.took)
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="in a PostgreSQL of its own")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--queued", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--open", action="store_true", help="ask without a key")
    arguments = parser.parse_args()
    gc.disable()  # a pause of the client is none of the server
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        stack.enter_context(on_a_core_of_its_own())
        environment: dict[str, str] = {}
        if arguments.postgres:
            from tests.daemon.postgres import DEFAULTS, running_postgres

            server = stack.enter_context(running_postgres(DEFAULTS))
            address = server.set(drivername="postgresql").render_as_string(hide_password=False)
            environment["REELKILN_DATABASE_URL"] = address
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="reelkiln-bench-"))
        root = Path(folder) / "root"
        index = open_index(root, environment)
        index.put_all(over(jobs(arguments.jobs)))
        settled(index)
        index.close()
        print(
            "PostgreSQL" if arguments.postgres else "SQLite", f"{arguments.jobs} jobs in the index"
        )
        key = "" if arguments.open else made_key(root, environment)
        url = stack.enter_context(serving(root, environment))
        asyncio.run(measure(url, key, arguments))


if __name__ == "__main__":
    main()
