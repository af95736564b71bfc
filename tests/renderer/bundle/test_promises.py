"""What the timeline promises is what the encoder gives, whatever the rate and the quality."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import pytest

from renderer.bundle import verify
from renderer.fonts import text_engine_fingerprint
from renderer.pipeline import Renderer
from renderer.sources import SourcePolicy
from renderer.spec.loading import load
from renderer.store import LocalStore
from renderer.toolchain import Toolchain, find_toolchain

SPEC = """
reelkiln: 1
output: {{size: {size}, fps: {fps}, quality: {quality}, checks: {{allow_silent: true}}}}
tracks:
  - {{decides_duration: true, clips: [{{colour: navy, length: {frames}f}}]}}
  - {{clips: [{{audio: a.wav}}]}}
"""


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return find_toolchain(os.environ, text_engine=text_engine_fingerprint())


@pytest.mark.parametrize(
    ("fps", "frames", "quality", "size"),
    [
        ("60000/1001", 61, "lossless", "66x38"),
        ("24000/1001", 2, "standard", "16x16"),
        ("120", 1, "high", "64x36"),
        ("7/3", 5, "draft", "64x36"),
    ],
)
def test_a_render_keeps_its_promises(
    tmp_path: Path, toolchain: Toolchain, fps: str, frames: int, quality: str, size: str
) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setparams((1, 2, 44_100, 0, "NONE", ""))
        sound.writeframes(bytes(2 * 44_100 * 3))
    policy = SourcePolicy(base=tmp_path, roots=(tmp_path,), max_source_bytes=10**6)
    renderer = Renderer(store=LocalStore(tmp_path / "s"), toolchain=toolchain, policy=policy)
    spec = SPEC.format(fps=fps, frames=frames, quality=quality, size=size)
    prepared = renderer.prepare(load(spec.encode(), name="promise.yaml"))
    facts = verify(renderer.render(prepared, tmp_path / "out").path).media["video.mp4"]
    assert facts.picture is not None
    assert facts.sound is not None
    assert facts.picture.frames == frames
    assert facts.sound.samples == prepared.timeline.samples
