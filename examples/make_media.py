"""Makes the pictures, films and sounds that the examples use: `python examples/make_media.py`.

Everything is painted or computed, once, and is the same on every machine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageDraw

from daemon.demo import scenes
from daemon.demo.filming import Film, shoot
from daemon.demo.making import Maker, make_all
from daemon.demo.painting import Scene, paint
from daemon.demo.sound import chords, played, voice, write_wav
from examples.make_font import make_font
from renderer.fonts import text_engine_fingerprint
from renderer.toolchain import find_toolchain

MEDIA = Path(__file__).parent / "media"
_A_MINOR, _F_MAJOR = (220.0, 261.63, 329.63, 440.0), (174.61, 220.0, 261.63, 349.23)
_C_MAJOR, _G_MAJOR = (196.0, 261.63, 329.63, 392.0), (196.0, 246.94, 293.66, 392.0)


def make_media(folder: Path = MEDIA) -> Path:
    """Fill `folder`, unless it holds what this recipe makes, and say where it is."""
    toolchain = find_toolchain(os.environ, text_engine=text_engine_fingerprint())
    make_all(
        folder, _MADE, toolchain, own=(Path(__file__), Path(__file__).with_name("make_font.py"))
    )
    return folder


def _picture(scene: Scene, *, portrait: bool = False) -> Maker:
    def make(out: Path, work: Path, binary: Path) -> None:
        picture = paint(scene, (800, 450))
        if portrait:
            picture = paint(scene, (1280, 720)).crop((300, 0, 705, 720))
        picture.save(out)

    return make


def _film(
    scene: Scene, fps: str, frames: int, balloon: tuple[str, str] | None = None, *, words: str = ""
) -> Maker:
    def make(out: Path, work: Path, binary: Path) -> None:
        speeds = (1, 1, 2, 3, 4)[: len(scene.ridges)]
        sound = None
        if words:
            sound = work / "sound.wav"
            write_wav(sound, voice(words, pitch=150))
        film = Film(scene=scene, size=(480, 270), fps=fps, frames=frames, speeds=speeds,
                    balloon=balloon, sound=sound)  # fmt: skip
        shoot(film, out, binary=binary, workdir=work)

    return make


def _music(bars: tuple[tuple[float, ...], ...], seconds: float) -> Maker:
    def make(out: Path, work: Path, binary: Path) -> None:
        write_wav(out, played(chords(bars, beat=0.4), seconds), channels=2)

    return make


def _voice(out: Path, work: Path, binary: Path) -> None:
    write_wav(out, voice("ao isea u. oesi asu."))


def _font(out: Path, work: Path, binary: Path) -> None:
    make_font(out)


def _logo(out: Path, work: Path, binary: Path) -> None:
    """A film reel: a disc with six holes."""
    side = 640
    logo = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(logo)
    draw.ellipse((8, 8, side - 8, side - 8), fill="#ffffff")
    middle = side // 2
    for x, y in ((0, -9), (8, -4), (8, 5), (0, 9), (-8, 5), (-8, -4)):
        centre = (middle + x * side // 32, middle + y * side // 32)
        draw.ellipse((centre[0] - 62, centre[1] - 62, centre[0] + 62, centre[1] + 62), fill=0)
    draw.ellipse((middle - 34, middle - 34, middle + 34, middle + 34), fill=0)
    logo.reduce(4).save(out)


_MADE: Mapping[str, Maker] = {
    "lake.png": _picture(scenes.LAKE),
    "valley.png": _picture(scenes.VALLEY),
    "night.png": _picture(scenes.NIGHT),
    "dunes.png": _picture(scenes.DUNES),
    "portrait.png": _picture(scenes.LAKE, portrait=True),
    "logo.png": _logo,
    "reel-dots.ttf": _font,
    "ride.mp4": _film(scenes.VALLEY, "25", 110, ("#d1495b", "#f4d35e"), words="ae ioa. oa ui. ea"),
    "desert.mp4": _film(scenes.DUNES, "25", 60, ("#2a6f97", "#f1faee")),
    "moon.mp4": _film(scenes.NIGHT, "24000/1001", 96),
    "voice.wav": _voice,
    "music.wav": _music((_A_MINOR, _F_MAJOR, _C_MAJOR, _G_MAJOR), 6.5),
    "chapter-1.wav": _music((_A_MINOR, _F_MAJOR), 3),
    "chapter-2.wav": _music((_C_MAJOR, _G_MAJOR), 2.4),
}


if __name__ == "__main__":
    sys.stdout.write(f"{make_media()}\n")
