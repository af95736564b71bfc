"""Contents that can be sealed in a moment: a real film of 24 frames, its sound, a picture."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from PIL import Image

from renderer.bundle import BundleContents
from renderer.bundle.manifest import MediaFacts, Picture, Sound
from renderer.digest import digest_of
from renderer.store import LocalStore

SPEC = {"reelkiln": 1, "id": "launch"}
PIN = {
    "source": "a.png",
    "sha256": digest_of("a"),
    "size_bytes": 5,
    "media": {"media_type": "image/png"},
    "provenance": {"author": "Ada"},
}
FPS = Fraction(24000, 1001)
PICTURE = Picture(
    codec="h264", profile="High", pixel_format="yuv420p", width=64, height=48, fps=FPS,
    frames=24, colour="bt709", range="tv", frames_sha256=digest_of("frames"),
)  # fmt: skip
SOUND = Sound(
    codec="aac", sample_rate=48_000, channels=2, samples=48_048, pcm_sha256=digest_of("pcm")
)
FILM = MediaFacts(picture=PICTURE, sound=SOUND)


def ffmpeg(*words: str | Path) -> None:
    binary = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([binary, "-v", "error", "-y", *words], check=True)


def make_media(folder: Path) -> Mapping[str, Path]:
    """video.mp4, audio.m4a and thumbnail.jpg, as the promises above say."""
    picture, sound = folder / "p.mp4", folder / "audio.m4a"
    bt709 = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=24000/1001", "-frames:v", "24"),
        *("-pix_fmt", "yuv420p", "-c:v", "libx264", "-threads", "1", "-vf", bt709),
        *("-video_track_timescale", "24000", picture),
    )
    ffmpeg(
        *("-f", "lavfi", "-i", "sine=440:r=48000,atrim=end_sample=48048", "-ac", "2"),
        *("-c:a", "aac", "-movflags", "+faststart", sound),
    )
    film = folder / "video.mp4"
    ffmpeg("-i", picture, "-i", sound, "-c", "copy", "-movflags", "+faststart", film)
    Image.new("RGB", (64, 48), "teal").save(folder / "thumbnail.jpg")
    return {"video.mp4": film, "audio.m4a": sound, "thumbnail.jpg": folder / "thumbnail.jpg"}


def contents_of(store: LocalStore, media: Mapping[str, Path], **changes: Any) -> BundleContents:
    made = BundleContents(
        id="launch",
        spec=SPEC,
        lock={"reelkiln_lock": 1, "sources": [PIN]},
        toolchain={"ffmpeg": "9.0.2"},
        files={name: store.put_file(path) for name, path in media.items()},
        media={"video.mp4": FILM, "audio.m4a": MediaFacts(picture=None, sound=SOUND)},
    )
    return replace(made, **changes)


def all_files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
