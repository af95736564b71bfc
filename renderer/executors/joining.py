"""JOIN: segments in sequence and one sound track become the finished file, by stream copy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from pathlib import Path

from renderer.errors import JoinMismatch
from renderer.executors.commands import run_command, run_ffmpeg
from renderer.executors.context import Context, Made, read_path, read_result
from renderer.executors.join_check import Part, check_join
from renderer.graph.exact import BITEXACT, timescale
from renderer.steps import Step
from renderer.timebase import round_half_up

LIST = "list.ffconcat"
_LEAST_RUN = 3  # shorter runs save nothing


def join(step: Step, context: Context) -> Made:
    """Copy the segments one after another, and the sound beside them, into `video.mp4`.

    `params`: `order` lists `[index of a read, how often]`, `fps` is a fraction as text,
    `audio_read` the index of the sound or None. The concat demuxer must run with
    `-auto_convert 0`: by itself it repeats the parameter sets in front of every segment.
    Raises JoinMismatch when segments disagree or the result is not exactly their sum.
    """
    fps = Fraction(step.params["fps"])
    parts = _parts(step, context)
    _refuse_different_parameter_sets(step, parts)
    sequence = [_Stretch(part.path, part.frames) for part in parts for _ in range(part.repeats)]
    _write(context.workdir / LIST, _shortened(sequence, fps, step, context), fps)
    run_command(step, context)
    (name,) = step.outputs
    made = context.workdir / name
    audio = step.params.get("audio_read")
    source = None if audio is None else read_path(step, int(audio), context)
    facts = check_join(
        made, parts, fps=fps, audio=source, title=step.title, stop=context.stop,
        listing=lambda path: _audio_packets(path, step, context),
    )  # fmt: skip
    return Made(files={name: made}, facts=facts)


def _audio_packets(path: Path, step: Step, context: Context) -> list[bytes]:
    """A line for each audio packet: its times, size and digest. FFmpeg reads them ten times
    as fast as we could."""
    said = bytearray()
    source = ("-discard:v", "all", "-protocol_whitelist", "file", "-f", "mov", "-i", f"file:{path}")
    hashed = ("-map", "0:a", "-c", "copy", "-f", "framehash", "-hash", "md5")
    unhurried = ("-flush_packets", "0", "pipe:1")
    run_ffmpeg((*source, *hashed, *unhurried), step, context, stdout_to=said.extend, reports=False)
    return [line for line in bytes(said).splitlines() if not line.startswith(b"#")]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A file that is `frames` long."""

    path: Path
    frames: int


def _shortened(
    sequence: Sequence[_Stretch], fps: Fraction, step: Step, context: Context
) -> list[_Stretch]:
    """The same sequence with runs that come again joined once and named as one file.

    FFmpeg decodes a frame of every file it opens, so naming a still 450 times for an hour
    costs more than copying the hour. Runs are as long as there are of them.
    """
    size = isqrt(len(sequence))
    runs = [tuple(sequence[at : at + size]) for at in range(0, len(sequence), max(1, size))]
    often = Counter(runs)
    made: dict[tuple[_Stretch, ...], _Stretch] = {}
    shortened: list[_Stretch] = []
    for run in runs:
        if size < _LEAST_RUN or often[run] == 1:
            shortened += run
            continue
        if run not in made:
            made[run] = _joined_run(f"run-{len(made)}", run, fps, step, context)
        shortened.append(made[run])
    return shortened


def _joined_run(
    name: str, run: Sequence[_Stretch], fps: Fraction, step: Step, context: Context
) -> _Stretch:
    script, made = context.workdir / f"{name}.ffconcat", context.workdir / f"{name}.mp4"
    _write(script, run, fps)
    source = ("-auto_convert", "0", "-f", "concat", "-safe", "0", "-protocol_whitelist",
              "file,pipe", "-i", str(script))  # fmt: skip
    copied = ("-map", "0:v", "-c", "copy", "-video_track_timescale", str(timescale(fps)))
    run_ffmpeg((*source, *copied, *BITEXACT, str(made)), step, context, reports=False)
    return _Stretch(made, sum(stretch.frames for stretch in run))


def _parts(step: Step, context: Context) -> tuple[Part, ...]:
    return tuple(_part(step, int(i), int(n), context) for i, n in step.params["order"] if n)


def _part(step: Step, index: int, count: int, context: Context) -> Part:
    facts = read_result(step, index, context).facts
    return Part(
        path=read_path(step, index, context),
        read=index,
        repeats=count,
        frames=int(facts["frames"]),
        packets=int(facts["packets"]),
        packets_sha256=str(facts["packets_sha256"]),
        extradata_sha256=str(facts["extradata_sha256"]),
    )


def _refuse_different_parameter_sets(step: Step, parts: Sequence[Part]) -> None:
    """One decoder setup serves the whole file, so every segment must carry the same."""
    for part in parts:
        if part.extradata_sha256 != parts[0].extradata_sha256:
            raise JoinMismatch(
                f"{step.title}: segment {part.read} has other parameter sets than segment "
                f"{parts[0].read}; they cannot share one stream",
                hint="this is a fault of the plan, please report it with the spec",
            )


@dataclass(slots=True)
class _Clock:
    """Whole microseconds whose sum never drifts from the frames they stand for."""

    fps: Fraction
    frames: int = 0

    def next(self, frames: int) -> int:
        """How long the next `frames` last, in microseconds."""
        begins = round_half_up(self.frames * 1_000_000 / self.fps)
        self.frames += frames
        return round_half_up(self.frames * 1_000_000 / self.fps) - begins


def _write(path: Path, stretches: Sequence[_Stretch], fps: Fraction) -> None:
    path.write_text("".join(_script(stretches, fps)), encoding="utf-8")


def _script(stretches: Sequence[_Stretch], fps: Fraction) -> Iterator[str]:
    """The ffconcat script. Durations are written, since containers round theirs."""
    clock = _Clock(fps)
    yield "ffconcat version 1.0\n"
    for stretch in stretches:
        seconds, micros = divmod(clock.next(stretch.frames), 1_000_000)
        yield f"file {_quoted(stretch.path)}\nduration {seconds}.{micros:06d}\n"


def _quoted(path: Path) -> str:
    return "'file:" + str(path).replace("'", "'\\''") + "'"
