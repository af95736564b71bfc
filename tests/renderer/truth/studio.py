"""Renders tiny specs through the whole pipeline and decodes what came out, exactly."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from renderer.events import Event, Warned
from renderer.executors.local import LocalExecutor
from renderer.pipeline import Prepared, Renderer
from renderer.sources import SourcePolicy
from renderer.spec.loading import load
from renderer.steps import Results
from renderer.store import LocalStore
from renderer.toolchain import Toolchain

Pixels = NDArray[np.uint8]
Samples = NDArray[np.int16]
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A finished render."""

    prepared: Prepared
    results: Results
    store: LocalStore
    binary: Path

    @property
    def video(self) -> Path:
        """The finished mp4."""
        return self._output(self.prepared.plan.join, "video.mp4")

    @property
    def frame_digests(self) -> list[bytes]:
        """One digest for each decoded frame, as the renderer found them."""
        found = []
        for key in self.prepared.plan.segment_steps:
            data = self._output(key, "frames.bin").read_bytes()
            found += [data[at : at + 32] for at in range(0, len(data), 32)]
        return found

    @property
    def extradata(self) -> set[str]:
        """The parameter sets of all segments; one, if all is well."""
        keys = self.prepared.plan.segment_steps
        return {str(self.results[key].facts["extradata_sha256"]) for key in keys}

    def rgb(self) -> Pixels:
        """Every frame, as a player with the right matrix shows it: (n, height, width, 3)."""
        scale = "scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd+full_chroma_int"
        width, height = self.prepared.timeline.canvas.size
        raw = self._decoded("-vf", f"{scale},format=rgb24", "-f", "rawvideo")
        return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)

    def luma(self) -> Pixels:
        """The luma plane of every frame: (n, height, width)."""
        width, height = self.prepared.timeline.canvas.size
        raw = np.frombuffer(self._decoded("-f", "rawvideo", "-pix_fmt", "yuv420p"), np.uint8)
        planes = raw.reshape(-1, width * height * 3 // 2)
        return planes[:, : width * height].reshape(-1, height, width)

    def sound(self) -> Samples:
        """The sound of the finished mp4 as a player hears it: (samples, 2)."""
        raw = self._decoded("-vn", "-f", "s16le", "-ac", "2", "-ar", "48000")
        return np.frombuffer(raw, np.int16).reshape(-1, 2)

    def save(self, frame: int, path: Path) -> None:
        """One frame as a PNG to look at."""
        Image.fromarray(self.rgb()[frame]).save(path)

    def _output(self, key: str, name: str) -> Path:
        return self.store.path(self.results[key].outputs[name].sha256)

    def _decoded(self, *options: str) -> bytes:
        argv = [self.binary, "-v", "error", "-i", self.video, *options, "-"]
        return subprocess.run(argv, capture_output=True, check=True).stdout


def mixed_samples(step: Any, store: LocalStore, binary: Path) -> NDArray[np.float64]:
    """The samples that a MIX_AUDIO step sends to `@pcm`, with no loudness gain."""
    argv: list[str] = []
    graph = step.command.graph.replace("@gain", "0dB")
    words = {"@graph": ("pipe:0",), "@pcm": ("pipe:1",), "@out:audio.m4a": ("-f", "null", "-")}
    for word in step.command.argv:
        if word.startswith("file:@in:"):
            argv.append(f"file:{store.path(step.reads[int(word[9:])].sha256)}")
        else:
            argv += words.get(word, (word,))
    done = subprocess.run(
        [binary, "-v", "error", *argv], input=graph.encode(), capture_output=True, check=True
    )
    return np.frombuffer(done.stdout, np.int16).reshape(-1, 2) / 32768


class Studio:
    """A folder of media and a store, shared by the tests of a session."""

    def __init__(self, root: Path, toolchain: Toolchain) -> None:
        self.media = root / "media"
        self.media.mkdir()
        self.heard: list[Event] = []
        self.toolchain = toolchain
        self.renderer = Renderer(
            store=LocalStore(root / "store"),
            toolchain=toolchain,
            policy=SourcePolicy(base=self.media, roots=(), max_source_bytes=10**9),
            listen=self.heard.append,
        )

    @property
    def warnings(self) -> list[str]:
        """Codes of all warnings so far."""
        return [event.code for event in self.heard if isinstance(event, Warned)]

    def make(self, name: str, *options: str, inputs: Sequence[str] = ()) -> str:
        """A media file made once by FFmpeg from lavfi `inputs`. Gives `name` back."""
        path = self.media / name
        if not path.exists():
            argv = [str(self.toolchain.ffmpeg), "-v", "error", "-y"]
            for source in inputs:
                argv += ["-f", "lavfi", "-i", source]
            subprocess.run([*argv, *options, str(path)], check=True)
        return name

    def picture(self, name: str, image: Image.Image, **options: Any) -> str:
        """A still, saved once. Gives `name` back."""
        path = self.media / name
        if not path.exists():
            image.save(path, **options)
        return name

    def wav(self, name: str, samples: NDArray[Any], rate: int = 48_000) -> str:
        """16-bit PCM from samples in [-1, 1], (n, channels) or (n,). Gives `name` back."""
        path = self.media / name
        if not path.exists():
            data = np.atleast_2d(samples.T).T
            raw = np.round(data * 32767).astype("<i2").tobytes()
            argv = [str(self.toolchain.ffmpeg), "-v", "error", "-f", "s16le", "-ar", str(rate)]
            argv += ["-ac", str(data.shape[1]), "-i", "-", str(path)]
            subprocess.run(argv, input=raw, check=True)
        return name

    def prepare(self, document: Document, *, whole: bool = False) -> Prepared:
        """Everything up to the plan."""
        data = json.dumps({"reelkiln": 1, **document}).encode()
        return self.renderer.prepare(load(data, name="truth.json"), whole=whole)

    def mix(self, document: Document) -> NDArray[np.float64]:
        """The mix before AAC, from the plan's own command, in [-1, 1]: (samples, 2)."""
        prepared = self.prepare(document)
        step = prepared.plan.by_key[prepared.plan.audio]
        samples = mixed_samples(step, self.renderer.store, self.toolchain.ffmpeg)
        assert len(samples) == prepared.timeline.samples
        return samples

    def loudness(self, path: Path) -> tuple[float, float]:
        """Integrated loudness (LUFS) and true peak (dBTP) of a file, by EBU R 128."""
        argv = [str(self.toolchain.ffmpeg), "-i", str(path), "-af", "ebur128=peak=true"]
        said = subprocess.run([*argv, "-f", "null", "-"], capture_output=True, text=True).stderr
        summary = said[said.rindex("Summary:") :]
        found = [re.search(rf"{word}:\s+(-?[\d.]+)", summary) for word in ("I", "Peak")]
        return float(found[0][1]), float(found[1][1])  # type: ignore[index]

    def render(self, document: Document, *, whole: bool = False) -> Shot:
        """The plan, run; nothing is sealed."""
        prepared = self.prepare(document, whole=whole)
        executor = LocalExecutor(toolchain=self.toolchain, jobs=2)
        store = self.renderer.store
        results = executor.run(prepared.plan.steps, store, self.heard.append, threading.Event())
        return Shot(prepared=prepared, results=results, store=store, binary=self.toolchain.ffmpeg)


def lossless(size: str = "96x64", fps: Any = 25, **more: Any) -> dict[str, Any]:
    """The usual output of a test."""
    return {"size": size, "fps": fps, "quality": "lossless", **more}


def one_track(*clips: Document, **more: Any) -> list[dict[str, Any]]:
    """Tracks with one track."""
    return [{"clips": list(clips), **more}]


def packet_times(path: Path) -> list[Fraction]:
    """When each frame of the picture is shown, in order."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        base = Fraction(stream.time_base or 1)
        return sorted(p.pts * base for p in container.demux(stream) if p.pts is not None)
