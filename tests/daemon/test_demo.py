"""The demo as a person runs it, and what Ctrl-C leaves behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import av
import pytest

from daemon.demo import scenes
from daemon.demo.filming import Film, shoot
from daemon.demo.painting import paint
from daemon.demo.sound import Note, played, voice
from renderer.bundle import verify
from renderer.toolchain import find_toolchain

REPOSITORY = Path(__file__).parents[2]
SPOKEN = "7d1a56d22b97885fbbf414dce74cb36f0312e11bd45d9b410e3028beb4541abe"
TONE = "78f61b106278c71d2426948da4ce4565daa16b641f6b69677d8fea4c0ab3484f"
SIZE = "1280x720"
FRAMES_LINE = re.compile(r"^\d+/\d+ frames(, \d+ fps)?(, \S+( s)? left)?$")


def environment(home: Path) -> dict[str, str]:
    """A person with an empty home."""
    return {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY)}


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-c", "from daemon.entry import main; main()", *map(str, words)]


def run(*words: str | Path, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), cwd=cwd, env=environment(home), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("size", ["160x90", pytest.param(SIZE, marks=pytest.mark.long)])
def test_the_demo_makes_a_bundle_that_verifies_and_further_runs_reuse_what_did_not_change(
    size: str, tmp_path: Path
) -> None:
    home, cwd = tmp_path / "home", tmp_path / "cwd"
    home.mkdir(), cwd.mkdir()
    if size != SIZE:  # what a person has changed is kept
        (cwd / "reelkiln-demo").mkdir()
        ours = files("daemon.demo").joinpath("demo.yaml").read_text()
        assert SIZE in ours
        (cwd / "reelkiln-demo" / "demo.yaml").write_text(ours.replace(SIZE, size))
    first = run("demo", cwd=cwd, home=home)
    assert first.returncode == 0, first.stderr
    bundle = cwd / first.stdout.removesuffix("\n")
    assert "\n" not in first.stdout.removesuffix("\n")
    verify(bundle)
    with av.open(str(bundle / "video.mp4")) as video:
        assert video.streams.video[0].frames == 14 * 30
        assert video.streams.audio[0].rate == 48_000
    assert f"open  {bundle.relative_to(cwd) / 'video.mp4'}" in first.stderr
    assert "\x1b" not in first.stderr
    assert "\r" not in first.stderr
    counted = [line for line in first.stderr.splitlines() if re.match(r"\d+/", line)]
    assert counted
    assert [line for line in counted if not FRAMES_LINE.match(line)] == []
    assert "reused" not in first.stderr

    made = {path: path.stat().st_mtime_ns for path in sorted((bundle.parents[1]).rglob("*.*"))}
    second = run("demo", cwd=cwd, home=home)
    assert second.returncode == 0, second.stderr
    assert second.stdout == first.stdout
    assert "there from an earlier run and are reused" in second.stderr
    assert re.search(r"all \d+ steps are reused from an earlier run", second.stderr)
    assert "was there already" in second.stderr
    changed = [path.name for path, when in made.items() if path.stat().st_mtime_ns != when]
    assert set(changed) <= {"demo.yaml", "demo.yaml.sha256"}
    assert list(tmp_path.rglob(".*part*")) == []

    spec = cwd / "reelkiln-demo" / "demo.yaml"
    spec.write_text(spec.read_text().replace("A reel comes out.", "A reel is sealed."))
    third = run("demo", "--json", cwd=cwd, home=home)
    assert third.returncode == 0, third.stderr
    assert "changed by hand and is kept" in third.stderr
    said = re.search(r"(\d+) of (\d+) steps are reused", third.stderr)
    assert said is not None
    assert int(said[1]) > int(said[2]) * 2 // 3
    data = json.loads(third.stdout)
    assert data["reused"] is False
    assert cwd / data["path"] != bundle


SLOW = """
reelkiln: 1
output: {size: 640x360, fps: 30}
tracks:
  - clips:
      - {image: a.png, length: 1.5s, motion: zoom-in}
      - {image: a.png, length: 1.5s, motion: pan-left}
      - {image: a.png, length: 1.5s, motion: pan-right}
      - {image: a.png, length: 1.5s, motion: zoom-out}
"""


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A folder with a spec that takes several seconds to draw."""
    paint(scenes.DUNES, (640, 360)).save(tmp_path / "a.png")
    (tmp_path / "slow.yaml").write_text(SLOW)
    return tmp_path


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("demo", "file/demo", cwd=tmp_path, home=tmp_path)
    assert done.returncode == 2
    assert "cannot be made: Not a directory" in done.stderr


def hear_ctrl_c() -> None:
    """A shell starts what it puts in the background deaf to Ctrl-C; so might these tests be."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def to_parent(child: subprocess.Popen[str]) -> None:
    os.kill(child.pid, signal.SIGINT)


def to_group(child: subprocess.Popen[str]) -> None:
    os.killpg(child.pid, signal.SIGINT)


def terminate(child: subprocess.Popen[str]) -> None:
    os.kill(child.pid, signal.SIGTERM)


@pytest.mark.parametrize(
    ("interrupt", "status"), [(to_parent, 130), (to_group, 130), (terminate, 143)]
)
def test_a_request_to_stop_leaves_nothing_behind_and_the_next_run_goes_on_from_there(
    slow: Path, interrupt: Callable[[subprocess.Popen[str]], None], status: int
) -> None:
    words = ("render", "slow.yaml", "--jobs", "2")
    child = subprocess.Popen(
        command(*words), cwd=slow, env=environment(slow), start_new_session=True,
        preexec_fn=hear_ctrl_c,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    store = slow / ".cache" / "reelkiln"
    wait_for(lambda: segments_in(store) >= 1 and len(ffmpegs_in(slow)) >= 1, child)
    interrupt(child)
    out, errors = child.communicate(timeout=30)
    assert child.returncode == status, errors
    assert out == ""
    assert "stopped on request" in errors
    assert "Traceback" not in errors
    assert ffmpegs_in(slow) == []
    assert list((store / "work").iterdir()) == []
    assert [path.name for path in store.rglob("*") if "part" in path.name] == []
    assert not (slow / "outbox").exists() or list((slow / "outbox").iterdir()) == []

    kept = segments_in(store)
    assert 1 <= kept < 4
    again = run(*words, cwd=slow, home=slow)
    assert again.returncode == 0, again.stderr
    said = re.search(r"(\d+) of \d+ steps are reused from an earlier run", again.stderr)
    assert said is not None
    assert int(said[1]) >= kept
    verify(slow / again.stdout.strip())


def test_ctrl_c_while_the_command_is_still_loading_is_no_traceback(slow: Path) -> None:
    child = subprocess.Popen(
        command("render", "slow.yaml"), cwd=slow, env=environment(slow), preexec_fn=hear_ctrl_c,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    maps = Path(f"/proc/{child.pid}/maps")
    wait_for(lambda: "pydantic_core" in maps.read_text(), child)
    to_parent(child)
    out, errors = child.communicate(timeout=30)
    assert child.returncode == 130, errors
    assert "Traceback" not in errors
    assert out == ""


def test_ctrl_c_while_the_media_are_made_leaves_no_half_file(tmp_path: Path) -> None:
    work = tmp_path / "tmp"
    work.mkdir()
    child = subprocess.Popen(
        command("demo"), cwd=tmp_path, env={**environment(tmp_path), "TMPDIR": str(work)},
        start_new_session=True, preexec_fn=hear_ctrl_c,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    media = tmp_path / "reelkiln-demo" / "media"
    wait_for(lambda: media.is_dir() and any(media.iterdir()), child)
    to_group(child)
    out, errors = child.communicate(timeout=30)
    assert child.returncode == 130, errors
    assert out == ""
    assert "stopped on request" in errors
    assert [path.name for path in media.iterdir() if path.name.startswith(".")] == []
    assert list(work.glob("reelkiln-demo-*")) == []


def wait_for(happened: Callable[[], bool], child: subprocess.Popen[str]) -> None:
    while not happened():
        assert child.poll() is None, "the render ended before it could be interrupted"
        time.sleep(0.01)


def segments_in(store: Path) -> int:
    """How many finished segments the store knows."""
    notes = [path for path in (store / "steps").rglob("[!.]*.*") if path.is_file()]
    return sum(b"segment.mp4" in note.read_bytes() for note in notes)


def ffmpegs_in(folder: Path) -> list[int]:
    """Processes at work in the folder, other than Python: the children of the render."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            inside = (place / "cwd").readlink().is_relative_to(folder)
            words = (place / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it ended while we looked
        if inside and b"-progress" in words:
            found.append(int(place.name))
    return found


def test_a_scene_is_painted_the_same_every_time() -> None:
    one, two = (paint(scenes.LAKE, (160, 90)).tobytes() for _ in range(2))
    assert one == two
    assert one != paint(scenes.VALLEY, (160, 90)).tobytes()


@pytest.mark.parametrize("flags", ["0", "sse2"])
def test_a_film_is_the_same_on_a_lesser_processor(tmp_path: Path, flags: str) -> None:
    ffmpeg = find_toolchain({"HOME": str(tmp_path)}).ffmpeg
    lesser = tmp_path / "lesser"
    lesser.write_text(f'#!/bin/sh\nexec "{ffmpeg}" -cpuflags {flags} "$@"\n')
    lesser.chmod(0o755)
    film = Film(
        scene=scenes.VALLEY, size=(160, 90), fps="25", frames=12, speeds=(1, 1, 2, 3, 4),
        balloon=("#d1495b", "#f4d35e"),
    )  # fmt: skip
    for name, binary in (("full.mp4", ffmpeg), ("lesser.mp4", lesser)):
        shoot(film, tmp_path / name, binary=binary, workdir=tmp_path)
    assert (tmp_path / "full.mp4").read_bytes() == (tmp_path / "lesser.mp4").read_bytes()


def test_the_sound_has_the_samples_it_has_on_every_machine() -> None:
    note = Note(start=0.01, length=0.2, hertz=440, loudness=9000, side="left", plucked=True)
    spoken, tone = voice("aes u."), played([note], 0.25)
    assert sha256(spoken.tobytes()).hexdigest() == SPOKEN
    assert sha256(tone.tobytes()).hexdigest() == TONE
    left, right = tone[0::2], tone[1::2]
    assert max(left) > max(right) > 1_000
    pause = spoken[-20_000:]
    assert max(spoken) > 8_000
    assert max(pause) == min(pause) == 0
