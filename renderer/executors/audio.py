"""MIX_AUDIO: all sound becomes one AAC file, and its samples one digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from renderer.errors import OutputRejected
from renderer.executors.commands import PCM, run_command, run_ffmpeg
from renderer.executors.context import Context, Made
from renderer.executors.loudness import choose_gain, measure
from renderer.steps import Step

_SAMPLE_BYTES = 2  # s16le
_STRIDES = 200  # a long mix passes tens of thousands of pieces; nobody needs to hear each


def mix_audio(step: Step, context: Context) -> Made:
    """Run the mix; hash the samples it sends to `@pcm` while they pass.

    `params`: `samples` per channel there must be, `channels` (2 if absent), and perhaps
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
    heard = _Samples(total=int(step.params["samples"]), channels=_channels(step))
    heard.listener = _scaled(step.frames, heard.total, context.on_frame)
    run_command(step, context, words=words, stdout_to=heard.feed, reports=False)
    heard.refuse_unless_complete(step.title)
    files = {name: context.workdir / name for name in step.outputs}
    facts |= {**heard.facts(), "heard_samples": _decoded_samples(step, context)}
    return Made(files=files, facts=facts)


def _decoded_samples(step: Step, context: Context) -> int:
    """How many samples a player hears: all decode, priming and padding are cut off."""
    (name,) = step.outputs
    decoded = _Samples(total=int(step.params["samples"]), channels=_channels(step))
    argv = (
        *("-xerror", "-err_detect", "explode", "-protocol_whitelist", "file", "-f", "mov"),
        *("-i", f"file:{context.workdir / name}", "-c:a", "pcm_s16le", "-f", "s16le", PCM),
    )
    run_ffmpeg(argv, step, context, stdout_to=decoded.feed, reports=False)
    decoded.refuse_unless_complete(f"{step.title}, decoded")
    return decoded.samples


@dataclass(slots=True, kw_only=True)
class _Samples:
    """The raw samples seen so far."""

    total: int
    channels: int
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
        return self._bytes // (_SAMPLE_BYTES * self.channels)

    def refuse_unless_complete(self, title: str) -> None:
        if self._bytes != self.total * _SAMPLE_BYTES * self.channels:
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


def _channels(step: Step) -> int:
    return int(step.params.get("channels", 2))


def _scaled(frames: int, samples: int, on_frame: Callable[[int], None]) -> Callable[[int], None]:
    """Samples done, told as frames of the step, in about two hundred strides."""
    stride = max(1, frames // _STRIDES)

    def tell(done: int) -> None:
        at = frames * done // max(1, samples)
        on_frame(at if at >= frames else at - at % stride)

    return tell
