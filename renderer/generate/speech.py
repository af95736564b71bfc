"""Words read aloud by a voice that is installed here: espeak-ng or flite, as a child process."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from renderer.errors import RenderFailed
from renderer.generate.waves import RATE, wav
from renderer.pacing import spoken_seconds

_TIMEOUT_S = 60
_KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "ESPEAK_DATA_PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A program that speaks. `model` is its name and version: part of what pins its words."""

    program: str
    path: Path
    model: str


def find_voice(environment: Mapping[str, str]) -> Voice | None:
    """The first voice on the PATH; None where there is none."""
    for program in ("espeak-ng", "espeak", "flite"):
        found = shutil.which(program, path=environment.get("PATH"))
        if found:
            return _known(program, found, environment.get("PATH", ""))
    return None


def speak(text: str, *, language: str, pace: int, voice: Voice, folder: Path) -> bytes:
    """The words as a WAV file. Raises RenderFailed when the voice does not give one."""
    words, out = folder / "words.txt", folder / "words.wav"
    words.write_text(text + "\n", encoding="utf-8")
    argv = _command(voice, words, out, language=language, pace=pace)
    try:
        done = subprocess.run(
            argv, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_TIMEOUT_S, cwd=folder, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _mute(voice, str(error)) from error
    if done.returncode or not out.is_file():
        raise _mute(voice, done.stderr.decode("utf-8", "replace").strip()[-300:])
    return out.read_bytes()


def silence(text: str, *, pace: int) -> bytes:
    """As much silence as the words would take, as a WAV file."""
    nothing = np.zeros(int(spoken_seconds(text, pace=pace) * RATE), dtype=np.float64)
    return wav(nothing, nothing)


@cache
def _known(program: str, found: str, path: str) -> Voice:
    asked = "-version" if program == "flite" else "--version"
    try:
        done = subprocess.run(
            [found, asked], env={**_environment(), "PATH": path}, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
        version = " ".join(done.stdout.decode("utf-8", "replace").split())
    except (OSError, subprocess.TimeoutExpired):
        version = ""
    # What follows the version is where the data lies, which says nothing of how it sounds.
    model = version.partition("Data at")[0].strip()[:100] or program
    return Voice(program=program, path=Path(found), model=model)


def _command(voice: Voice, words: Path, out: Path, *, language: str, pace: int) -> list[str]:
    if voice.program == "flite":
        stretch = f"duration_stretch={150 / pace:.3f}"
        return [str(voice.path), "--setf", stretch, "-f", str(words), "-o", str(out)]
    return [str(voice.path), "-v", language, "-s", str(pace), "-f", str(words), "-w", str(out)]


def _environment() -> dict[str, str]:
    return {**{name: os.environ[name] for name in _KEPT if name in os.environ}, "LC_ALL": "C.UTF-8"}


def _mute(voice: Voice, why: str) -> RenderFailed:
    return RenderFailed(
        f"{voice.model} did not speak: {why or 'without a word'}",
        hint=f"try {voice.program} by hand, or remove it: without a voice there is silence",
    )
