"""Where daemons of tests have their roots, and the browser that looks at them."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from daemon import cli
from tests.daemon.browser import running_chromium

MEMORY = Path("/dev/shm")
ROOM = 256 << 20


@pytest.fixture
def storm_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: a sync costs nothing there, and what a kill leaves
    behind is the same as on a disk, whose cache no kill can reach."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="reelkiln-storm-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium for the tests of a file. Playwright's loop runs in this thread meanwhile."""
    with running_chromium() as found:
        yield found


@pytest.fixture(scope="session")
def _built_command() -> Iterator[None]:
    """What the command makes of its functions each time it is called, which takes long, is made
    once for those who call it hundreds of times."""
    given = cli.app
    cli.app = get_command(given)  # type: ignore[assignment]
    yield
    cli.app = given
