from __future__ import annotations

import hashlib
import subprocess
import threading
from pathlib import Path

import pytest

from renderer.errors import Interrupted, OutputRejected
from renderer.executors.decode_check import check_segment
from tests.renderer.executors.conftest import Bench
from tests.renderer.executors.tiny import segment


def frames_by_ffmpeg(path: Path, binary: Path, frame_bytes: int) -> list[bytes]:
    argv = [
        str(binary),
        "-v",
        "error",
        "-i",
        str(path),
        "-f",
        "rawvideo",
        "-pix_fmt",
        "yuv420p",
        "-",
    ]
    raw = subprocess.run(argv, capture_output=True, check=True).stdout
    cuts = range(0, len(raw), frame_bytes)
    return [hashlib.sha256(raw[cut : cut + frame_bytes]).digest() for cut in cuts]


@pytest.mark.parametrize("size", [(64, 48), (50, 38), (320, 20)])
def test_frame_digests_are_those_of_the_plain_planes(bench: Bench, size: tuple[int, int]) -> None:
    width, height = size
    step = segment("a", source=f"testsrc2=s={width}x{height}")
    results = bench.run(step)
    digests = bench.output(results, step, "frames.bin").read_bytes()
    video = bench.output(results, step, "segment.mp4")
    expected = frames_by_ffmpeg(video, bench.toolchain.ffmpeg, width * height * 3 // 2)
    assert digests == b"".join(expected)
    assert len(set(expected)) == 10
    facts = results[step.key].facts
    assert facts["frames"] == 10
    assert facts["frame_digests_sha256"] == hashlib.sha256(digests).hexdigest()
    assert facts["keyframe_first"] is True


def test_frames_that_repeat_have_equal_digests(bench: Bench) -> None:
    step = segment("a", source="color=red:s=64x48")
    results = bench.run(step)
    digests = bench.output(results, step, "frames.bin").read_bytes()
    assert len(digests) == 320


def test_the_brightness_tells_black_from_a_picture(bench: Bench) -> None:
    black, picture = segment("a", source="color=black:s=64x48"), segment("a")
    results = bench.run(black, picture)
    dark = results[black.key].facts
    assert (dark["luma_min"], dark["luma_mean"], dark["luma_max"]) == (16, 16, 16)
    assert results[picture.key].facts["luma_max"] > 100


@pytest.mark.parametrize("planned", [9, 11])
def test_a_frame_more_or_less_is_refused(bench: Bench, planned: int) -> None:
    with pytest.raises(OutputRejected, match=f"10 frames were encoded, {planned} were planned"):
        bench.run(segment("a", planned=planned))
    assert bench.leftovers() == []


def test_a_damaged_segment_is_refused(bench: Bench, tmp_path: Path) -> None:
    step = segment("a", frames=30)
    whole = bench.output(bench.run(step), step, "segment.mp4").read_bytes()
    start = whole.index(b"mdat") + 200
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(whole[:start] + bytes(400) + whole[start + 400 :])
    for path in (damaged, tmp_path / "short.mp4"):
        if path != damaged:
            path.write_bytes(whole[:300])
        with pytest.raises(OutputRejected):
            check_segment(
                path,
                frames=30,
                digests=tmp_path / "digests",
                title="a",
                stop=threading.Event(),
            )


def test_a_stop_is_heard_while_checking(bench: Bench, tmp_path: Path) -> None:
    step = segment("a")
    path = bench.output(bench.run(step), step, "segment.mp4")
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        check_segment(path, frames=10, digests=tmp_path / "digests", title="a", stop=stop)
