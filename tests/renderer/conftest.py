"""Small real media, made once; a real web server."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
from stamina.instrumentation import get_on_retry_hooks, set_on_retry_hooks

from tests.renderer.web import Web, serving


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a.png (400x300) and b.mp4 (320x240, 25 fps, 3 s, with sound)."""
    folder = tmp_path_factory.mktemp("media")
    binary = imageio_ffmpeg.get_ffmpeg_exe()
    common = [binary, "-v", "error", "-f", "lavfi"]
    subprocess.run(
        [*common, "-i", "testsrc2=s=400x300", "-frames:v", "1", folder / "a.png"], check=True
    )
    subprocess.run(
        [
            *common,
            "-i",
            "testsrc2=s=320x240:r=25:d=3",
            "-f",
            "lavfi",
            "-i",
            "sine=440:d=3",
            "-pix_fmt",
            "yuv420p",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            folder / "b.mp4",
        ],
        check=True,
    )
    return folder


@pytest.fixture
def web() -> Iterator[Web]:
    """A server on this machine that answers what the test says; retries are not logged."""
    before = get_on_retry_hooks()
    set_on_retry_hooks(())
    with serving(Web()) as running:
        yield running
    set_on_retry_hooks(before)
