"""A 60 s edit of four 1080p clips: rendered, then rendered again with one title changed.

    python -m benchmarks.edit

The same edit as one hand-tuned FFmpeg command (all cores, the same encoder settings) is
timed in the same run.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image, ImageDraw

from benchmarks import media
from benchmarks.timing import reelkiln, seconds_of

_SPEC = """\
reelkiln: 1
id: edit
output: {{size: 1920x1080, fps: 30}}
tracks:
  - id: picture
    decides_duration: true
    clips:
      - {{video: {0}, length: 15.75s}}
      - {{transition: fade, length: 1s}}
      - {{video: {1}, length: 15.75s}}
      - {{transition: fade, length: 1s}}
      - {{video: {2}, length: 15.75s}}
      - {{transition: fade, length: 1s}}
      - {{video: {3}, length: 15.75s}}
  - id: titles
    clips:
      - {{text: "{title}", start: 2s, length: 4s, style: headline}}
      - {{text: "The second part", start: 18s, length: 4s, style: lower-third}}
      - {{text: "The third part", start: 33s, length: 4s, style: lower-third}}
  - clips: [{{audio: {music}, length: end}}]
"""


def measure(folder: Path) -> tuple[float, float]:
    """Print all times; FFmpeg's time over ours, and the first render's over the second's."""
    binary = get_ffmpeg_exe()
    clips = [media.clip(binary, folder, n, 16) for n in range(4)]
    music = media.music(binary, folder, 60)
    environment = {"REELKILN_STORE": str(folder / "store")}
    times = []
    for title in ("A first title", "Another title"):
        spec = _SPEC.format(*clips, title=title, music=music)
        (folder / "edit.yaml").write_text(spec)
        times.append(seconds_of(reelkiln("render", "edit.yaml"), folder, **environment))
    by_hand = seconds_of(_tuned(binary, folder, clips, music), folder)
    print("edit, 60 s at 1080p, four clips, three crossfades, three titles, music")
    print(f"  ffmpeg, one tuned command   {by_hand:8.1f} s")
    print(f"  reelkiln, first render      {times[0]:8.1f} s")
    print(f"  reelkiln's speed / ffmpeg's {by_hand / times[0]:8.2f}")
    print(f"  reelkiln, one title changed {times[1]:8.1f} s")
    print(f"  times as fast as the first  {times[0] / times[1]:8.1f}  (goal: 5)", flush=True)
    return by_hand / times[0], times[0] / times[1]


def _tuned(binary: str, folder: Path, clips: list[str], music: str) -> list[str]:
    words = {
        "title-0.png": "A first title",
        "title-1.png": "The second",
        "title-2.png": "The third",
    }
    for name, word in words.items():
        picture = Image.new("RGBA", (1920, 1080))
        ImageDraw.Draw(picture).text((960, 540), word, anchor="mm", font_size=120)
        picture.save(folder / name)
    graph = (
        "[0][1]xfade=fade:1:14.75[a];[a][2]xfade=fade:1:29.5[b];[b][3]xfade=fade:1:44.25[c];"
        "[c][4]overlay=enable='between(t,2,6)'[d];[d][5]overlay=enable='between(t,18,22)'[e];"
        "[e][6]overlay=enable='between(t,33,37)',format=yuv420p[v]"
    )
    inputs = [word for clip in clips for word in ("-t", "15.75", "-i", clip)]
    inputs += [word for title in words for word in ("-i", title)]
    return [
        binary, "-v", "error", "-nostdin", "-y", *inputs, "-i", music,
        "-filter_complex", graph, "-map", "[v]", "-map", "7:a",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-c:a", "aac", "-b:a", "192k",
        "-t", "60", "tuned.mp4",
    ]  # fmt: skip


def main() -> None:
    """Measure in a folder that is removed afterwards."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory(prefix="reelkiln-bench-") as folder:
        measure(Path(folder))


if __name__ == "__main__":
    main()
