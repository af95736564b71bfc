"""Small real media, made by FFmpeg for the tests."""

import subprocess
from pathlib import Path

import imageio_ffmpeg

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SOUND = ("-f", "lavfi", "-i", "sine=440:r=44100:d=0.5")
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=0.4")
CORNERS = (
    "-f", "lavfi", "-i", "color=red:s=64x36:r=25:d=0.2", "-vf",
    "drawbox=32:0:32:18:lime:fill,drawbox=0:18:32:18:blue:fill,drawbox=32:18:32:18:white:fill",
)  # fmt: skip
"""Red, green, blue, white: which corner is where tells the orientation."""
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def make(path: Path, *arguments: str | Path) -> Path:
    """Run FFmpeg with `path` as its output."""
    command = [FFMPEG, "-v", "error", "-y", *map(str, arguments), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def decoded(path: Path, *arguments: str) -> bytes:
    """What FFmpeg itself decodes."""
    command = [FFMPEG, "-v", "error", "-i", str(path), *arguments, "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout
