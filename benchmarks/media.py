"""Media for the benchmarks, made once per folder with FFmpeg's own sources."""

from __future__ import annotations

import subprocess
from pathlib import Path

_PHOTO = "testsrc2=s=3000x2000:r=1,noise=alls=12:allf=p:all_seed=7,gblur=sigma=1"
_MUSIC = (
    "aevalsrc='0.2*sin(2*PI*220*t)*(0.6+0.4*sin(PI*t/3))|0.2*sin(2*PI*277*t)':s=48000:d={seconds}"
    "[a];anoisesrc=c=brown:r=48000:a=0.3:seed=3:d={seconds},aformat=channel_layouts=stereo[b];"
    "[a][b]amix=normalize=0"
)
_CLIP = "testsrc2=s=1920x1080:r=30:d={seconds},hue=h={hue},noise=alls=2:allf=t:all_seed={hue}"


def ffmpeg(binary: str, folder: Path, *arguments: str) -> None:
    """Run FFmpeg in `folder`; its words are shown only when it fails."""
    command = [binary, "-v", "error", "-nostdin", "-y", *arguments]
    subprocess.run(command, cwd=folder, check=True)


def photo(binary: str, folder: Path) -> str:
    """A detailed still of 3000x2000."""
    if not (folder / "photo.jpg").exists():
        ffmpeg(
            binary, folder, "-f", "lavfi", "-i", _PHOTO, "-frames:v", "1", "-q:v", "2", "photo.jpg"
        )
    return "photo.jpg"


def music(binary: str, folder: Path, seconds: int) -> str:
    """Sound in a file whose decoding costs what podcasts cost: AAC."""
    name = f"music-{seconds}.m4a"
    if not (folder / name).exists():
        source = _MUSIC.format(seconds=seconds)
        ffmpeg(binary, folder, "-f", "lavfi", "-i", source, "-c:a", "aac", "-b:a", "128k", name)
    return name


def clip(binary: str, folder: Path, number: int, seconds: int) -> str:
    """Moving 1080p pictures with grain, so that every frame differs."""
    name = f"clip-{number}.mp4"
    if not (folder / name).exists():
        source = _CLIP.format(seconds=seconds, hue=number * 70)
        ffmpeg(
            binary, folder, "-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "veryfast",
            "-crf", "20", "-pix_fmt", "yuv420p", name,
        )  # fmt: skip
    return name
