"""JOIN: segments in sequence and one sound track become the finished file, by stream copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from renderer.errors import JoinMismatch
from renderer.executors.commands import run_command
from renderer.executors.context import Context, Made, read_path, read_result
from renderer.executors.join_check import Part, check_join
from renderer.steps import Step
from renderer.timebase import round_half_up

LIST = "list.ffconcat"


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
    script = "".join(_script(parts, fps))
    (context.workdir / LIST).write_text(script, encoding="utf-8")
    run_command(step, context)
    (name,) = step.outputs
    made = context.workdir / name
    audio = step.params.get("audio_read")
    source = None if audio is None else read_path(step, int(audio), context)
    facts = check_join(made, parts, fps=fps, audio=source, title=step.title, stop=context.stop)
    return Made(files={name: made}, facts=facts)


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


def _script(parts: Sequence[Part], fps: Fraction) -> Iterator[str]:
    """The ffconcat script. Durations are written, since containers round theirs."""
    clock = _Clock(fps)
    yield "ffconcat version 1.0\n"
    for part in parts:
        for _ in range(part.repeats):
            seconds, micros = divmod(clock.next(part.frames), 1_000_000)
            yield f"file {_quoted(part.path)}\nduration {seconds}.{micros:06d}\n"


def _quoted(path: Path) -> str:
    return "'file:" + str(path).replace("'", "'\\''") + "'"
