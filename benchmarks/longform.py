"""An hour of one still and one sound, against a plain `ffmpeg -loop 1`.

    python -m benchmarks.longform [--seconds 3600] [--plain-seconds 120]

The plain command costs the same for every second of video, so by default it is timed over
two minutes and multiplied; `--plain-seconds 3600` times all of it (about 40 minutes).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe

from benchmarks import media
from benchmarks.timing import reelkiln, seconds_of

_SPEC = """\
reelkiln: 1
kind: longform
output: {{size: 1920x1080, fps: 30, audio: {{bitrate: 128k}}}}
backgrounds: [{{image: {photo}}}]
audio: [{{audio: {music}}}]
"""
_ENCODER = (
    "-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-pix_fmt", "yuv420p",
    "-c:a", "aac", "-b:a", "128k",
)  # fmt: skip


def measure(folder: Path, seconds: int, plain_seconds: int) -> float:
    """Print both times and their ratio; the ratio."""
    binary = get_ffmpeg_exe()
    names = {"photo": media.photo(binary, folder), "music": media.music(binary, folder, seconds)}
    (folder / "long.yaml").write_text(_SPEC.format(**names))
    ours = seconds_of(reelkiln("render", "long.yaml"), folder, REELKILN_STORE=str(folder / "store"))
    plain = [
        binary, "-v", "error", "-nostdin", "-y", "-loop", "1", "-framerate", "30",
        "-i", names["photo"], "-i", names["music"],
        "-vf", "scale=1920:1080:force_original_aspect_ratio=increase,crop=1920:1080",
        *_ENCODER, "-t", str(plain_seconds), "plain.mp4",
    ]  # fmt: skip
    theirs = seconds_of(plain, folder) * seconds / plain_seconds
    measured = "" if plain_seconds == seconds else f" (from {plain_seconds} s of it)"
    print(f"longform, {seconds} s of one 1080p still and one sound")
    print(f"  reelkiln          {ours:8.1f} s")
    print(f"  ffmpeg -loop 1    {theirs:8.1f} s{measured}")
    print(f"  times as fast     {theirs / ours:8.1f}  (goal: 30)", flush=True)
    return theirs / ours


def main() -> None:
    """Measure in a folder that is removed afterwards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--plain-seconds", type=int, default=120)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelkiln-bench-") as folder:
        measure(Path(folder), given.seconds, given.plain_seconds)


if __name__ == "__main__":
    main()
