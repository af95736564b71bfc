"""What people install: the wheel, in a folder of its own, run from elsewhere."""

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.daemon.preview.process import previewing
from tests.daemon.preview.stage import make_spec

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel was installed into, without what it needs."""
    wheels, folder = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index",
           "--no-warn-script-location", "--target", str(folder), str(wheel)]  # fmt: skip
    subprocess.run(pip, check=True, capture_output=True)
    return folder


def environ_of(installed: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(installed)}


def test_what_is_run_is_what_was_installed(installed: Path, tmp_path: Path) -> None:
    places = "import daemon, renderer; print(daemon.__file__, renderer.__file__)"
    told = subprocess.run(
        [sys.executable, "-c", places],
        cwd=tmp_path, env=environ_of(installed), check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert all(name.startswith(str(installed)) for name in told.stdout.split())


def test_no_test_and_no_tool_of_tests_is_in_it(installed: Path) -> None:
    names = [path.relative_to(installed).as_posix() for path in installed.rglob("*")]
    assert not [name for name in names if "axe" in name or name.startswith("tests")]


def test_the_preview_serves_its_page_and_all_that_it_names(installed: Path, tmp_path: Path) -> None:
    command = (sys.executable, str(installed / "bin" / "reelkiln"))
    with previewing(make_spec(tmp_path), command, environ_of(installed)) as url:
        with urllib.request.urlopen(url) as reply:
            page = reply.read().decode()
        named = re.findall(r'(?:src|href)="([^"#]+)"', page)
        local = [name for name in named if not name.startswith("data:")]
        assert {"/page/preview.js", "/page/hls.min.js", "/page/preview.css"} <= set(local)
        for name in local:
            with urllib.request.urlopen(urljoin(url, name)) as reply:
                assert (reply.status, len(reply.read()) > 100) == (200, True)
