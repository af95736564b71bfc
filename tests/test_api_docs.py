"""The curl session of docs/api.md, command by command, against a real daemon."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
PAGE = (HOUSE / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NEEDED = ("bash", "curl", "sha256sum", "python3")


@pytest.mark.skipif(
    any(shutil.which(name) is None for name in NEEDED), reason=f"needs {', '.join(NEEDED)}"
)
def test_the_session_of_the_page_ends_with_a_verified_bundle(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    command = tmp_path / "bin" / "reelkiln"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m daemon.entry "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(HOUSE)}

    def run(commands: str, **more: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands], cwd=tmp_path, text=True, check=False,
            env={**environment, **more}, capture_output=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(BLOCKS[0])
    assert (tmp_path / "key.txt").read_text().startswith("rk_")
    serve = [str(command), "serve", "--root", "work", "--port", "0"]
    with subprocess.Popen(serve, cwd=tmp_path, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as daemon:  # fmt: skip
        try:
            assert daemon.stdout is not None
            url = daemon.stdout.readline().strip()
            told = run(BLOCKS[1] + BLOCKS[2], API=url)
        finally:
            daemon.send_signal(signal.SIGTERM)
    assert "event: done" in told
    assert "\n200\n" in told
    assert '"code": "illegal-move"' in told
    first, again = (
        json.loads((tmp_path / f"{name}.json").read_bytes()) for name in ("job", "again")
    )
    assert first["job_id"] == again["job_id"]
    assert "Repr-Digest: sha-256=:" in (tmp_path / "headers.txt").read_text()
