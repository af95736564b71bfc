"""The recipe of docs/promises.md, as it stands there, against a real daemon."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from PIL import Image

HOUSE = Path(__file__).parent.parent
PAGE = (HOUSE / "docs" / "promises.md").read_text(encoding="utf-8")
(RECIPE,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NEEDED = ("bash", "curl", "python3")


@pytest.mark.skipif(
    any(shutil.which(name) is None for name in NEEDED), reason=f"needs {', '.join(NEEDED)}"
)
def test_the_recipe_of_the_page_ends_with_a_film(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    Image.new("RGB", (64, 36), "teal").save(tmp_path / "photo.png")
    environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
    serve = [sys.executable, "-m", "daemon.entry", "serve", "--root", "work", "--port", "0"]
    with subprocess.Popen(serve, cwd=tmp_path, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as daemon:  # fmt: skip
        try:
            assert daemon.stdout is not None
            url = daemon.stdout.readline().strip()
            key = httpx.post(f"{url}/v1/keys", json={"scopes": ["render", "read"], "owner": "ada"})
            asked = {**environment, "API": url, "KEY": key.json()["key"]}
            told = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", RECIPE], cwd=tmp_path, env=asked, text=True,
                check=False, capture_output=True, timeout=120,
            )  # fmt: skip
            assert told.returncode == 0, told.stdout + told.stderr
            job = json.loads((tmp_path / "job.json").read_bytes())
            asset = json.loads((tmp_path / "asset.json").read_bytes())
            assert job["waits_for"] == [f"asset:{asset['asset_id']}"]
            assert asset["status"] == "available"
            assert _ended(url + job["links"]["self"], asked["KEY"]) == "succeeded"
        finally:
            daemon.send_signal(signal.SIGTERM)


def _ended(here: str, key: str) -> str:
    for _ in range(6000):
        job = httpx.get(here, headers={"X-API-Key": key}).json()
        if job["finished_at"]:
            return str(job["status"])
        time.sleep(0.02)
    raise AssertionError(job)
