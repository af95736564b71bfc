"""The demo: media made on the spot, and a spec that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from daemon.demo import scenes
from daemon.demo.filming import Film, shoot
from daemon.demo.making import Maker, appearing, make_all
from daemon.demo.painting import paint
from daemon.demo.sound import chords, played, voice, write_wav
from renderer.digest import digest_of_bytes
from renderer.toolchain import Toolchain

_WORDS = "ao isea u. oesi asu eia ou. uao sie. ae iosu ea."
_CHORDS = (
    (220.0, 261.63, 329.63, 440.0),
    (174.61, 220.0, 261.63, 349.23),
    (196.0, 261.63, 329.63, 392.0),
    (196.0, 246.94, 293.66, 392.0),
)


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
    reused = make_all(folder / "media", _MADE, toolchain)
    spec, note = folder / "demo.yaml", folder / "media" / "demo.yaml.sha256"
    ours = files(__package__).joinpath("demo.yaml").read_bytes()
    earlier = note.read_text() if note.is_file() else ""
    edited = spec.is_file() and _digest(spec) not in (earlier, digest_of_bytes(ours))
    if not edited:
        with appearing(note) as part:
            part.write_text(digest_of_bytes(ours))
        with appearing(spec) as part:
            part.write_bytes(ours)
    return Demo(spec=spec, reused=reused, edited=edited)


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
    round_ = played(chords(_CHORDS, beat=0.5), 8)
    write_wav(out, round_ * 2, channels=2)


_MADE: Mapping[str, Maker] = {
    "lake.png": _lake,
    "night.png": _night,
    "ride.mp4": _ride,
    "voice.wav": _voice,
    "music.wav": _music,
}


def _digest(path: Path) -> str:
    return digest_of_bytes(path.read_bytes())
