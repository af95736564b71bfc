"""What people install: the wheel, in a folder of its own, run from elsewhere."""

import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest

from daemon.dashboard.page_routes import PAGES
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
        named = named_by(url)
    assert {"/page/preview.js", "/page/hls.min.js", "/page/preview.css"} <= named


def test_the_dashboard_serves_its_pages_and_all_that_they_name(
    installed: Path, tmp_path: Path
) -> None:
    """Nobody has an account yet, so every page is open to who uses this machine."""
    pages = [page.path for page in PAGES if page.method == "GET" and "{" not in page.path]
    with serving(installed, tmp_path) as url:
        for path in pages:
            if not path.endswith("/events"):
                named = named_by(urljoin(url, path))
                assert {"dashboard.css", "htmx.min.js"} <= {base_of(name) for name in named}, path


@contextmanager
def serving(installed: Path, root: Path) -> Iterator[str]:
    """The address of `reelkiln serve` in a fresh folder."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, str(installed / "bin" / "reelkiln"), "serve", "--root", str(root)]
    with subprocess.Popen(
        [*command, "--port", str(port)], cwd=root, env=environ_of(installed),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as child:  # fmt: skip
        assert child.stdout
        try:
            assert any("listens" in line for line in child.stdout)
            yield f"http://127.0.0.1:{port}/"
        finally:
            child.terminate()
            child.stdout.read()
            assert child.wait(30) in (0, 143)


def named_by(url: str) -> set[str]:
    """What a page names on its own host; each of it is fetched."""
    with urllib.request.urlopen(url) as reply:
        page = reply.read().decode()
    named = re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="([^"#]+)"', page)
    local = {name.replace("&amp;", "&") for name in named if not name.startswith("data:")}
    for name in local:
        with urllib.request.urlopen(urljoin(url, name)) as reply:
            assert (reply.status, len(reply.read()) > 100) == (200, True), name
    return local


def base_of(name: str) -> str:
    return name.partition("?")[0].rpartition("/")[2]
