"""One spec, one bundle: whatever else the machine is doing, and whatever CPU it has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

SPEC = """
reelkiln: 1
output: {size: 320x180, fps: 30000/1001, audio: {loudness: {target: -18}}}
tracks:
  - id: picture
    decides_duration: true
    clips:
      - {image: a.png, length: 1s, motion: zoom-in, fit: contain-blur}
      - {transition: circleopen, length: 0.3s}
      - {video: b.mp4, length: 1.5s, speed: 1.25, rotation: 7, scale: 0.8}
  - clips: [{text: "Ça va مرحبا 你好", start: 0.2s, length: 1.5s, enter: {slide: left}}]
  - id: voice
    clips: [{audio: b.mp4, start: 0.7s, length: 0.5s}]
  - id: music
    duck_under: voice
    clips: [{audio: b.mp4, length: end, fade_out: 0.5s, volume: 0.4}]
"""


@contextmanager
def busy_machine() -> Iterator[None]:
    """As many spinning processes as there are cores, and then some."""
    spinners = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range((os.cpu_count() or 1) + 2)
    ]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def digest(media: Path, folder: Path, jobs: int = 2, env: Mapping[str, str] | None = None,
           pinned: bool = False) -> str:  # fmt: skip
    folder.mkdir()
    (media / "determined.yaml").write_text(SPEC)
    command = [sys.executable, "-m", "daemon.entry", "render", str(media / "determined.yaml")]
    command += ["--outbox", str(folder / "out"), "--json", "--jobs", str(jobs)]
    surroundings = {**os.environ, "REELKILN_STORE": str(folder / "store"), **(env or {})}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=surroundings,
        preexec_fn=one_core if pinned else None,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["bundle_digest"])


@pytest.fixture(scope="module")
def reference(media: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return digest(media, tmp_path_factory.mktemp("reference") / "two jobs")


@pytest.mark.parametrize(
    ("how", "jobs"),
    [("one job", 1), ("four jobs", 4), ("one core", 2), ("busy", 3)],
)
def test_the_machine_does_not_show_in_the_bundle(
    media: Path, tmp_path: Path, reference: str, how: str, jobs: int
) -> None:  # fmt: skip
    with busy_machine() if how == "busy" else nullcontext():
        assert digest(media, tmp_path / "a", jobs, pinned=how == "one core") == reference


@pytest.mark.parametrize("flags", ["sse2", "sse4.2", "avx"])
def test_the_class_of_the_cpu_does_not_show_in_the_bundle(
    media: Path, tmp_path: Path, reference: str, flags: str
) -> None:  # fmt: skip
    assert digest(media, tmp_path / "a", env={"REELKILN_CPUFLAGS": flags}) == reference


def test_language_and_time_zone_do_not_show_in_the_bundle(
    media: Path, tmp_path: Path, reference: str
) -> None:  # fmt: skip
    elsewhere = {"LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE", "TZ": "Asia/Tokyo", "LANGUAGE": "tr"}
    assert digest(media, tmp_path / "a b", env=elsewhere) == reference
