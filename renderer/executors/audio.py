"""MIX_AUDIO: all sound becomes one AAC file, and its samples one digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

from renderer.errors import OutputRejected
from renderer.executors.aac import AacEncoder, container_arguments
from renderer.executors.commands import run_command, run_ffmpeg
from renderer.executors.context import Context, Made
from renderer.executors.loudness import choose_gain, measure
from renderer.graph.exact import BITEXACT
from renderer.steps import Step

_SAMPLE_BYTES = 2 * 2  # stereo s16le
_STRIDES = 200  # a long mix passes tens of thousands of pieces; nobody needs to hear each


def mix_audio(step: Step, context: Context) -> Made:
    """Run the mix; hash and encode the samples it sends to `@pcm` while they pass.

    `params`: `samples` per channel there must be, the `bitrate` of the AAC, and perhaps
    `loudness` with `target_lufs` and `true_peak_db`, for which the graph holds `@gain`.
    Raises OutputRejected when there is one sample more or less.
    """
    facts: dict[str, Any] = {}
    words = {"@gain": "0dB"}
    if wanted := step.params.get("loudness"):
        measured = measure(step, context)
        gain = choose_gain(measured, wanted)
        words["@gain"] = f"{gain}dB"
        facts["loudness"] = {
            "measured_lufs": str(measured.integrated),
            "measured_true_peak_db": str(measured.peak_db),
            "gain_db": str(gain),
            "resulting_lufs": str(measured.integrated + gain),
        }
    heard = _Samples(total=int(step.params["samples"]))
    heard.listener = _scaled(step.frames, heard.total, context.on_frame)
    with _encoder(step, context) as encoder:

        def hear(data: bytes) -> None:
            heard.feed(data)
            encoder.feed(data)

        run_command(step, context, words=words, stdout_to=hear, reports=False)
        heard.refuse_unless_complete(step.title)
        stream = context.workdir / "sound.aac"
        stream.write_bytes(encoder.finish())
    (name,) = step.outputs
    made = context.workdir / name
    packed = ("-movflags", "+faststart", *BITEXACT, f"file:{made}")
    contained = container_arguments(stream, heard.total)
    run_ffmpeg((*contained, *packed), step, context, reports=False)
    facts |= {**heard.facts(), "heard_samples": _heard_samples(made)}
    if facts["heard_samples"] != heard.total:
        raise OutputRejected(
            f"{step.title}: {facts['heard_samples']} samples would be heard, "
            f"{heard.total} were planned"
        )
    return Made(files={name: made}, facts=facts)


def _heard_samples(path: Path) -> int:
    """How many samples players play: between the edges that the edit list sets."""
    with av.open(str(path), format="mov") as container:
        stream = container.streams.audio[0]
        assert stream.time_base is not None
        return int((stream.duration or 0) * stream.time_base * stream.rate)


def _encoder(step: Step, context: Context) -> AacEncoder:
    return AacEncoder(
        folder=context.workdir,
        samples=int(step.params["samples"]),
        bitrate=str(step.params["bitrate"]),
        run=lambda argv: run_ffmpeg(argv, step, context, reports=False),
        jobs=context.jobs,
    )


@dataclass(slots=True, kw_only=True)
class _Samples:
    """The raw samples seen so far."""

    total: int
    listener: Callable[[int], None] | None = None
    is_silent: bool = True
    _bytes: int = 0
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def feed(self, data: bytes) -> None:
        self._bytes += len(data)
        self._digest.update(data)
        self.is_silent = self.is_silent and data == bytes(len(data))
        if self.listener is not None:
            self.listener(self.samples)

    @property
    def samples(self) -> int:
        return self._bytes // _SAMPLE_BYTES

    def refuse_unless_complete(self, title: str) -> None:
        if self._bytes != self.total * _SAMPLE_BYTES:
            raise OutputRejected(
                f"{title}: {self.samples} samples were mixed, {self.total} were planned"
            )

    def facts(self) -> dict[str, Any]:
        return {
            "samples": self.samples,
            "pcm_bytes": self._bytes,
            "pcm_sha256": self._digest.hexdigest(),
            "is_silent": self.is_silent,
        }


def _scaled(frames: int, samples: int, on_frame: Callable[[int], None]) -> Callable[[int], None]:
    """Samples done, told as frames of the step, in about two hundred strides."""
    stride = max(1, frames // _STRIDES)

    def tell(done: int) -> None:
        at = frames * done // max(1, samples)
        on_frame(at if at >= frames else at - at % stride)

    return tell
