from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from renderer.errors import JoinMismatch
from renderer.executors import join_check, joining
from renderer.executors.joining import _Clock, _quoted
from renderer.steps import Results, Step
from renderer.store import LocalStore
from tests.renderer.executors.conftest import Bench
from tests.renderer.executors.test_audio import decoded
from tests.renderer.executors.test_encoding import frames_by_ffmpeg
from tests.renderer.executors.tiny import joined, mix, segment


def digests(bench: Bench, results: Results, step: Step) -> list[bytes]:
    data = bench.output(results, step, "frames.bin").read_bytes()
    return [data[at : at + 32] for at in range(0, len(data), 32)]


@pytest.mark.parametrize("rate", ["25", "30000/1001", "24000/1001", "60", "10"])
def test_a_join_shows_every_frame_of_every_segment_on_time(bench: Bench, rate: str) -> None:
    parts = [segment("a", rate=rate), segment("b", frames=7, rate=rate)]
    step = joined(parts, [[0, 2], [1, 3], [0, 1]], rate=rate)
    results = bench.run(*parts, step)
    a, b = (digests(bench, results, part) for part in parts)
    video = bench.output(results, step, "video.mp4")
    assert frames_by_ffmpeg(video, bench.toolchain.ffmpeg, 64 * 48 * 3 // 2) == a * 2 + b * 3 + a
    with av.open(str(video)) as container:
        times = [(frame.pts or 0) * (frame.time_base or 1) for frame in container.decode(video=0)]
    assert times == [n / Fraction(rate) for n in range(51)]
    assert results[step.key].facts == {"frames": 51, "audio_packets": 0}


def test_the_sound_keeps_every_sample_and_its_place(bench: Bench) -> None:
    beep = "aevalsrc='if(between(t,0.7,0.8),0.8*sin(2*PI*1000*t),0)':s=48000"
    parts, sound = [segment("a")], mix(beep, samples=76_801)
    step = joined(parts, [[0, 4]], audio=sound)
    results = bench.run(*parts, sound, step)
    alone = decoded(bench.output(results, sound, "audio.m4a"), bench.toolchain.ffmpeg)
    video = bench.output(results, step, "video.mp4")
    together = decoded(video, bench.toolchain.ffmpeg)
    assert len(alone) == 76_801 * 4
    assert together == alone


def test_segments_with_other_parameter_sets_are_refused_before_the_join(bench: Bench) -> None:
    parts = [segment("a"), segment("b", source="testsrc2=s=96x48")]
    with pytest.raises(JoinMismatch, match="segment 1 has other parameter sets than segment 0"):
        bench.run(*parts, joined(parts, [[0, 1], [1, 1]]))


def test_a_join_that_changes_packets_is_refused(bench: Bench) -> None:
    parts = [segment("a"), segment("b")]
    with pytest.raises(JoinMismatch, match="segment 0 at frame 0 was changed or cut"):
        bench.run(*parts, joined(parts, [[0, 1], [1, 1]], convert="1"))


def tampering(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Let the script that FFmpeg reads differ from the one that was planned."""
    real = joining._script

    def script(*arguments: object) -> str:
        return "".join(real(*arguments)).replace(old, new, 1)  # type: ignore[arg-type]

    monkeypatch.setattr(joining, "_script", script)


def test_frames_shown_late_are_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tampering(monkeypatch, "duration 0.400000", "duration 0.440000")
    part = segment("a")
    with pytest.raises(JoinMismatch, match="frames from 10 on are not shown at their times"):
        bench.run(part, joined([part], [[0, 3]]))


def test_a_segment_too_many_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    part = segment("a")
    again = "duration 0.400000\n"
    path = bench.output(bench.run(part), part, "segment.mp4")
    tampering(monkeypatch, again, f"{again}file {_quoted(path)}\n{again}")
    with pytest.raises(JoinMismatch, match="there is more after the last of 20 frames"):
        bench.run(part, joined([part], [[0, 2]]))


def test_another_sound_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    part, sound, other = segment("a"), mix(), mix("sine=f=500:r=48000")
    elsewhere = bench.output(bench.run(other), other, "audio.m4a")
    real = join_check.check_join

    def check(*arguments: object, **named: object) -> object:
        return real(*arguments, **{**named, "audio": elsewhere})  # type: ignore[arg-type]

    monkeypatch.setattr(joining, "check_join", check)
    with pytest.raises(JoinMismatch, match="is not that of the source"):
        bench.run(part, sound, joined([part], [[0, 1]], audio=sound))


def test_paths_with_quotes_and_spaces_can_be_joined(bench: Bench, tmp_path: Path) -> None:
    bench.store = LocalStore(tmp_path / "it's a 'store' %d:x")
    part = segment("a")
    step = joined([part], [[0, 2]])
    assert bench.run(part, step)[step.key].facts["frames"] == 20


def test_the_clock_of_the_script_never_drifts() -> None:
    clock = _Clock(Fraction(30_000, 1001))
    assert sum(clock.next(7) for _ in range(30_000)) == 7 * 1001 * 1_000_000


def packets(path: Path) -> list[tuple[int | None, int | None, int | None, bytes]]:
    with av.open(str(path)) as container:
        return [(p.pts, p.dts, p.duration, bytes(p)) for p in container.demux(video=0)]


@pytest.mark.parametrize("order", [[[0, 30]], [[0, 1], [1, 1]] * 12, [[0, 9], [1, 1], [0, 9]]])
def test_runs_joined_once_give_the_same_packets_as_naming_every_segment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, order: list[list[int]]
) -> None:
    parts = [segment(name, frames=7, rate="30000/1001") for name in "ab"]
    step = joined(parts, order, rate="30000/1001")
    short = packets(bench.output(bench.run(*parts, step), step, "video.mp4"))
    monkeypatch.setattr(joining, "_LEAST_RUN", 1000)
    bench.store = LocalStore(bench.store.root.parent / "other")
    assert packets(bench.output(bench.run(*parts, step), step, "video.mp4")) == short
