"""A small film to preview, and what is needed to draw it."""

import math
import struct
import wave
from collections.abc import Callable
from pathlib import Path

from renderer.fonts import text_engine_fingerprint
from renderer.pipeline import Renderer
from renderer.sources import SourcePolicy
from renderer.spec.loading import Loaded, load
from renderer.store import LocalStore
from renderer.toolchain import find_toolchain

SPEC = """reelkiln: 1
id: little
output: {size: 160x90, fps: 25}
tracks:
  - clips:
      - {colour: "#003366", length: 1s}
      - {transition: fade, length: 0.4s}
      - {colour: "#224411", length: 2s}
  - clips: [{text: "TITLE", length: end, style: headline}]
  - clips: [{audio: tone.wav, length: end}]
"""


def make_spec(folder: Path) -> Path:
    spec = folder / "little.yaml"
    spec.write_text(SPEC)
    with wave.open(str(folder / "tone.wav"), "wb") as tone:
        tone.setnchannels(1)
        tone.setsampwidth(2)
        tone.setframerate(48000)
        values = (round(9000 * math.sin(n * n / 4e6)) for n in range(48000 * 3))
        tone.writeframes(b"".join(struct.pack("<h", value) for value in values))
    return spec


def loader(spec: Path) -> Callable[[], Loaded]:
    return lambda: load(spec.read_bytes(), name=str(spec))


def renderer_of(folder: Path) -> Renderer:
    return Renderer(
        store=LocalStore(folder / "store"),
        toolchain=find_toolchain({}, text_engine=text_engine_fingerprint()),
        policy=SourcePolicy(base=folder, roots=(folder,), max_source_bytes=1 << 24),
        jobs=2,
    )
