"""The demo: media made on the spot, and a spec that uses it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from daemon.demo import scenes
from daemon.demo.filming import Film, shoot
from daemon.demo.painting import paint
from daemon.demo.sound import chords, played, voice, write_wav
from renderer.digest import digest_of, digest_of_bytes
from renderer.toolchain import Toolchain

_WORDS = "ao isea u. oesi asu eia ou. uao sie. ae iosu ea."
_CHORDS = (
    (220.0, 261.63, 329.63, 440.0),
    (174.61, 220.0, 261.63, 349.23),
    (196.0, 261.63, 329.63, 392.0),
    (196.0, 246.94, 293.66, 392.0),
)
_RECIPE = "made-by.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A folder ready to render.

    `reused` when all media were there from an earlier run, `edited` when a person has
    changed the spec since.
    """

    spec: Path
    reused: bool
    edited: bool


def make_demo(folder: Path, toolchain: Toolchain) -> Demo:
    """Write media and spec into `folder`; media of the same recipe and edited specs are kept.

    A file appears only when it is whole, so an interrupted run leaves nothing half made.
    """
    media, spec = folder / "media", folder / "demo.yaml"
    media.mkdir(parents=True, exist_ok=True)
    before = _read(media / _RECIPE)
    ours = files(__package__).joinpath("demo.yaml").read_bytes()
    written = {before.get("spec"), digest_of_bytes(ours)}  # what an earlier run may have left
    edited = spec.is_file() and digest_of_bytes(spec.read_bytes()) not in written
    recipe = _fingerprint(toolchain)
    whole = all((media / name).is_file() for name in _MADE)
    reused = whole and before.get("recipe") == recipe
    if not reused:
        with tempfile.TemporaryDirectory(prefix="reelkiln-demo-") as work:
            for name, make in sorted(_MADE.items()):
                _appear(media / name, make, Path(work), toolchain.ffmpeg)
    note = {"recipe": recipe, "spec": digest_of_bytes(ours)}
    (media / _RECIPE).write_text(json.dumps(note))
    if not edited:
        spec.write_bytes(ours)
    return Demo(spec=spec, reused=reused, edited=edited)


def _appear(
    target: Path, make: Callable[[Path, Path, Path], None], work: Path, binary: Path
) -> None:
    part = target.with_name(f".part-{target.name}")
    try:
        make(part, work, binary)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _lake(out: Path, work: Path, binary: Path) -> None:
    paint(scenes.LAKE, (1920, 1080)).save(out)


def _night(out: Path, work: Path, binary: Path) -> None:
    paint(scenes.NIGHT, (1920, 1080)).save(out)


def _ride(out: Path, work: Path, binary: Path) -> None:
    film = Film(scene=scenes.VALLEY, size=(1280, 720), fps="30", frames=156,
                speeds=(1, 2, 3, 5, 8), balloon=("#d1495b", "#f4d35e"))  # fmt: skip
    shoot(film, out, binary=binary, workdir=work)


def _voice(out: Path, work: Path, binary: Path) -> None:
    write_wav(out, voice(_WORDS))


def _music(out: Path, work: Path, binary: Path) -> None:
    write_wav(out, played(chords(_CHORDS * 2, beat=0.5), 16), channels=2)


_MADE: Mapping[str, Callable[[Path, Path, Path], None]] = {
    "lake.png": _lake,
    "night.png": _night,
    "ride.mp4": _ride,
    "voice.wav": _voice,
    "music.wav": _music,
}


def _fingerprint(toolchain: Toolchain) -> str:
    """What decides the bytes of the media: this package's own text, and the programs."""
    package = sorted(files(__package__).iterdir(), key=lambda path: path.name)
    sources = {p.name: digest_of_bytes(p.read_bytes()) for p in package if p.name.endswith(".py")}
    return digest_of({"sources": sources, "toolchain": toolchain.as_json()})


def _read(path: Path) -> Mapping[str, object]:
    """What an earlier run wrote down; nothing when it did not get that far."""
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
