from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

from renderer import ffmpeg
from renderer.errors import CommandFailed, CommandTimedOut, Interrupted, StorageFull

BINARY = Path(imageio_ffmpeg.get_ffmpeg_exe())
ENDLESS = ("-re", "-f", "lavfi", "-i", "testsrc2=s=32x32:r=25", "-f", "null", "-")


def run(*argv: str, cwd: Path, **options: Any) -> ffmpeg.Finished:
    settings: dict[str, Any] = {
        "binary": BINARY,
        "deadline_s": 20.0,
        "stall_s": 20.0,
        "stop": threading.Event(),
        "cwd": cwd,
        "title": "a test",
    }
    return ffmpeg.run(argv, **{**settings, **options})


def alive_in(folder: Path) -> list[int]:
    """Processes whose working directory is `folder`: the children of a test."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                here = (entry / "cwd").readlink()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if here == folder and state != "Z":
                found.append(int(entry.name))
    return found


def test_a_run_counts_frames_and_seconds(tmp_path: Path) -> None:
    heard: list[int] = []
    source = ("-f", "lavfi", "-i", "testsrc2=s=32x32:r=25")
    done = run(*source, "-frames:v", "50", "-f", "null", "-", cwd=tmp_path, on_frame=heard.append)
    assert (done.status, done.frames, done.out_time) == (0, 50, Fraction(2))
    assert heard[-1] == 50
    assert heard == sorted(set(heard))


def test_standard_output_arrives_whole(tmp_path: Path) -> None:
    pieces: list[bytes] = []
    source = ("-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono")
    raw = ("-t", "10", "-c:a", "pcm_s16le", "-f", "s16le", "pipe:1")
    run(*source, *raw, cwd=tmp_path, stdout_to=pieces.append)
    assert b"".join(pieces) == bytes(960_000)


def test_a_failure_carries_the_last_words_without_addresses(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        run("-i", "file:absent.mp4", "-f", "null", "-", cwd=tmp_path)
    assert "No such file" in caught.value.message
    assert caught.value.message.startswith("a test: ")
    assert "absent.mp4" in caught.value.tail
    assert "0x" not in caught.value.tail
    assert caught.value.status == 254


def test_only_the_last_twenty_lines_are_kept(tmp_path: Path) -> None:
    speaker = tmp_path / "speaker"
    speaker.write_text("#!/bin/sh\nseq 1 100 >&2\nexit 7\n")
    speaker.chmod(0o755)
    with pytest.raises(CommandFailed) as caught:
        run(cwd=tmp_path, binary=speaker)
    assert caught.value.tail.split("\n") == [str(n) for n in range(81, 101)]


def test_a_child_that_does_not_close_its_progress_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        run(cwd=tmp_path, binary=Path("/bin/true"))


def test_a_missing_binary_is_a_failed_command(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        run(cwd=tmp_path, binary=tmp_path / "nothing")


def test_a_full_disk_has_an_error_of_its_own(tmp_path: Path) -> None:
    source = ("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25", "-frames:v", "50")
    with pytest.raises(StorageFull):
        run(*source, "-f", "rawvideo", "file:/dev/full", cwd=tmp_path)


@pytest.mark.parametrize("words", ["exit 228", "echo No space left on device >&2; exit 1"])
def test_a_full_disk_is_known_by_its_status_and_by_its_words(tmp_path: Path, words: str) -> None:
    speaker = tmp_path / "speaker"
    speaker.write_text(f"#!/bin/sh\n{words}\n")
    speaker.chmod(0o755)
    with pytest.raises(StorageFull, match="a test: the disk is full"):
        run(cwd=tmp_path, binary=speaker)


def test_a_deadline_ends_the_child(tmp_path: Path) -> None:
    with pytest.raises(CommandTimedOut, match="not done after"):
        run(*ENDLESS, cwd=tmp_path, deadline_s=0.5)
    assert alive_in(tmp_path) == []


def test_a_child_that_waits_for_ever_is_stalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ffmpeg, "_GRACE_S", 0.3)  # blocked in open(2) it is deaf to SIGTERM
    os.mkfifo(tmp_path / "never")
    with pytest.raises(CommandTimedOut, match="stood still for"):
        run("-f", "s16le", "-i", "file:never", "-f", "null", "-", cwd=tmp_path, stall_s=0.5)
    assert alive_in(tmp_path) == []


def test_slow_progress_is_not_a_stall(tmp_path: Path) -> None:
    done = run(*ENDLESS[:-3], "-t", "2", *ENDLESS[-3:], cwd=tmp_path, stall_s=0.8)
    assert done.frames == 50


def test_hard_thinking_without_a_frame_is_not_a_stall(tmp_path: Path) -> None:
    thinker = tmp_path / "thinker"
    body = "i=0; while [ $i -lt 600000 ]; do i=$((i+1)); done"
    thinker.write_text(f"#!/bin/sh\n{body}\nexit 3\n")
    thinker.chmod(0o755)
    with pytest.raises(CommandFailed):
        run(cwd=tmp_path, binary=thinker, stall_s=0.3)


@pytest.mark.skipif(not shutil.which("chrt"), reason="chrt of util-linux is not here")
def test_waiting_for_a_core_that_others_keep_is_not_a_stall(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    last = tmp_path / "last"
    last.write_text(f'#!/bin/sh\nexec chrt --idle 0 taskset -c {core} {BINARY} "$@"\n')
    last.chmod(0o755)
    busy = ["taskset", "-c", str(core), "sh", "-c", "while :; do :; done"]
    with ExitStack() as stack:
        for child in [stack.enter_context(subprocess.Popen(busy)) for _ in range(4)]:
            threading.Timer(3.0, child.kill).start()
        source = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25")
        done = run(*source, "-frames:v", "100", "-f", "null", "-", cwd=tmp_path, binary=last,
                   stall_s=0.4)  # fmt: skip
    assert done.frames == 100


def test_a_stop_ends_the_child_at_once(tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        run(*ENDLESS, cwd=tmp_path, stop=stop)
    assert time.monotonic() - began < 3
    assert alive_in(tmp_path) == []


def test_a_child_deaf_to_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "_GRACE_S", 0.3)
    deaf = tmp_path / "deaf"
    deaf.write_text("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.1; done\n")
    deaf.chmod(0o755)
    with pytest.raises(CommandTimedOut):
        run(cwd=tmp_path, binary=deaf, deadline_s=0.5)
    for _ in range(100):  # its own child was killed with it, but is reaped by somebody else
        if not alive_in(tmp_path):
            break
        time.sleep(0.05)
    assert alive_in(tmp_path) == []


def test_an_error_in_a_callback_ends_the_child(tmp_path: Path) -> None:
    def refuse(frames: int) -> None:
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        run(*ENDLESS, cwd=tmp_path, on_frame=refuse)
    assert alive_in(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is of Linux")
@pytest.mark.parametrize("setpriv", [True, False])
def test_the_child_dies_with_its_parent(tmp_path: Path, setpriv: bool) -> None:
    program = (
        "import threading; from pathlib import Path; from renderer import ffmpeg\n"
        f"if not {setpriv}: ffmpeg._works = lambda launcher: False\n"
        f"ffmpeg.run({ENDLESS!r}, binary=Path({str(BINARY)!r}), deadline_s=60, stall_s=60,"
        f" stop=threading.Event(), cwd=Path({str(tmp_path)!r}),"
        " on_frame=lambda n: print(n, flush=True))\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        assert len(alive_in(tmp_path)) == 1
        parent.send_signal(signal.SIGKILL)
    limit = time.monotonic() + 5
    while alive_in(tmp_path) and time.monotonic() < limit:
        time.sleep(0.02)
    orphans = alive_in(tmp_path)
    for pid in orphans:
        os.kill(pid, signal.SIGKILL)
    assert orphans == []


def test_a_child_knows_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELKILN_API_KEY", "canary")
    teller = tmp_path / "teller"
    teller.write_text("#!/bin/sh\nenv >&2\nexit 1\n")
    teller.chmod(0o755)
    with pytest.raises(CommandFailed) as caught:
        run(cwd=tmp_path, binary=teller)
    assert "canary" not in caught.value.tail
    assert "TZ=UTC" in caught.value.tail


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("[h264 @ 0x55d0c0ffee] [error] no frame!", "[h264] [error] no frame!"),
        ("[in#0/mov,mp4 @ 0x1f] bad @ 0x1f", "[in#0/mov,mp4] bad @ 0x1f"),
        ("plain words", "plain words"),
    ],
)
def test_addresses_are_stripped(line: str, plain: str) -> None:
    assert ffmpeg.strip_addresses(line) == plain
