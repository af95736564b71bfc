"""The demo: media made on the spot, and a spec that uses it."""

from __future__ import annotations

import subprocess
from pathlib import Path

_SPEC = """\
reelkiln: 1
id: demo
title: A first reel
output: {size: 1280x720, fps: 30}
variables: {name: Reelkiln}
tracks:
  - id: picture
    decides_duration: true
    clips:
      - {image: dusk.png, length: 4s, motion: zoom-in}
      - {transition: fade, length: 1s}
      - {video: waves.mp4, length: 5s, volume: 0.2}
      - {transition: circleopen, length: 1s}
      - {gradient: [navy, teal], length: 3s}
  - id: titles
    clips:
      - {text: "Hello {{name}}", start: 1s, length: 3s, style: headline,
         enter: {fade: 0.4s}, exit: {fade: 0.4s}}
      - {text: "A spec goes in, a reel comes out", start: 6s, length: 4s, style: lower-third,
         anchor: bottom-left, enter: {slide: left}}
  - id: music
    clips: [{audio: music.wav, length: end, fade_in: 1s, fade_out: 2s}]
"""
_MEDIA: tuple[tuple[str, ...], ...] = (
    ("-f", "lavfi", "-i", ("gradients=s=1600x900:c0=0x1b1f4b:c1=0xf2785c:x0=800:y0=0:x1=800:y1=900"
     ":nb_colors=2:seed=7"), "-frames:v", "1", "dusk.png"),
    ("-f", "lavfi", "-i", ("gradients=s=1280x720:r=30:d=6:c0=0x063852:c1=0x2a9d8f:c2=0x8ecae6"
     ":nb_colors=3:seed=3:speed=0.02"), "-f", "lavfi", "-i", "anoisesrc=d=6:c=pink:seed=1:a=0.2",
     "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p",
     "-flags", "+bitexact", "-fflags", "+bitexact", "waves.mp4"),
    ("-f", "lavfi", "-i", ("aevalsrc='0.12*(sin(2*PI*220*t)+sin(2*PI*277.18*t)+sin(2*PI*329.63*t))"
     "*(0.6+0.4*sin(PI*t))':d=16:s=48000"), "-fflags", "+bitexact", "music.wav"),
)  # fmt: skip


def make_demo(folder: Path, ffmpeg: Path) -> Path:
    """Write media and spec into `folder`; the path of the spec."""
    folder.mkdir(parents=True, exist_ok=True)
    for arguments in _MEDIA:
        command = [str(ffmpeg), "-v", "error", "-nostdin", "-y", *arguments]
        subprocess.run(command, cwd=folder, check=True, timeout=120)
    spec = folder / "demo.yaml"
    spec.write_text(_SPEC)
    return spec
