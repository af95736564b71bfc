"""Films made of painted layers: each glides at its own speed, a balloon drifts above them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from daemon.demo.painting import Scene, Size, backdrop, balloon, ridge_layer
from renderer import ffmpeg

_EXACT = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
_TO_VIDEO = f"scale=out_color_matrix=bt709:out_range=tv:{_EXACT},format="
_STILL_LOOP = "loop=loop=-1:size=1:start=0"
_ENCODER = (
    "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p",
    "-threads", "1", "-x264-params", "cpu-independent=1:threads=1",
    "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
    "-color_range", "tv",
)  # fmt: skip
_BITEXACT = ("-flags", "+bitexact", "-fflags", "+bitexact", "-map_metadata", "-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A ride past a scene. `speeds` are pixels a frame, one for each ridge, back to front."""

    scene: Scene
    size: Size
    fps: str
    frames: int
    speeds: tuple[int, ...]
    balloon: tuple[str, str] | None = None
    sound: Path | None = None


def shoot(film: Film, out: Path, *, binary: Path, workdir: Path) -> None:
    """Write `film` to `out`; layers are painted into `workdir`. The same bytes every time.

    Raises what `renderer.ffmpeg.run` raises.
    """
    layers = _painted(film, workdir)
    inputs = [word for layer in layers for word in ("-i", layer.name)]
    sound: Sequence[str] = ()
    if film.sound:
        inputs += ["-i", str(film.sound.resolve())]
        sound = ("-map", f"{len(layers)}:a", "-c:a", "flac")
    argv = (
        *inputs, "-filter_complex", _graph(film), "-map", "[film]", *sound, *_ENCODER,
        *_BITEXACT, "-frames:v", str(film.frames), "-movflags", "+faststart", str(out.resolve()),
    )  # fmt: skip
    ffmpeg.run(
        argv, binary=binary, deadline_s=120, stall_s=60, stop=threading.Event(), cwd=workdir,
        title=f"filming {out.name}",
    )  # fmt: skip


def _painted(film: Film, folder: Path) -> list[Path]:
    """The layers as PNG files, back to front: sky, ridges, balloon."""
    width, height = film.size
    pictures = [backdrop(film.scene, film.size)]
    for number, (ridge, speed) in enumerate(zip(film.scene.ridges, film.speeds, strict=True)):
        long = width + speed * film.frames
        pictures.append(ridge_layer(ridge, (long, height), seed=film.scene.seed + number))
    if film.balloon:
        pictures.append(balloon(height * 3 // 10, film.balloon))
    paths = []
    for number, picture in enumerate(pictures):
        paths.append(folder / f"layer-{number}.png")
        picture.save(paths[-1], compress_level=1)
    return paths


def _graph(film: Film) -> str:
    chains = [f"[0:v]{_TO_VIDEO}yuv420p,{_STILL_LOOP},setpts=N,settb=1/({film.fps}),setpts=N[at0]"]
    moves = [f"x=-{speed}*n:y=0" for speed in film.speeds]
    if film.balloon:
        left, top = film.size[0] // 5, film.size[1] // 6
        swing = max(2, film.size[1] // 60)
        moves.append(f"x={left}+n:y={top}-trunc({swing}*sin(n/24))")
    for number, move in enumerate(moves, start=1):
        chains.append(f"[{number}:v]{_TO_VIDEO}yuva420p,{_STILL_LOOP}[layer{number}]")
        chains.append(
            f"[at{number - 1}][layer{number}]overlay={move}:eval=frame:format=yuv420:"
            f"shortest=0[at{number}]"
        )
    last = len(moves)
    chains.append(f"[at{last}]trim=end_frame={film.frames},fps={film.fps}[film]")
    return ";".join(chains)
