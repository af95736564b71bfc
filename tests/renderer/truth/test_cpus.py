from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.renderer.truth.studio import Studio, lossless


def document(studio: Studio) -> dict[str, Any]:
    """Everything that calculates: colours, camera moves, turns, blends, tables, tempo."""
    make = studio.make
    sd = make("sd.mp4", "-c:v", "libx264", "-pix_fmt", "yuvj422p", "-bitexact",
              inputs=["testsrc2=s=90x70:r=25:d=2"])  # fmt: skip
    tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"
    hdr = make("hdr.mkv", "-vf", f"format=yuv420p10le,{tags}", "-c:v", "ffv1", "-bitexact",
               inputs=["testsrc2=s=90x70:r=25:d=1"])  # fmt: skip
    sound = make("sound.wav", inputs=["anoisesrc=d=3:r=44100:seed=1"])
    still = make("still.png", "-frames:v", "1", inputs=["testsrc2=s=120x90"])
    over = [
        {"video": sd, "size": "50%x50%", "rotation": 20, "opacity": 0.7, "length": "6f",
         "motion": "pan-left"},
        {"transition": "dissolve", "length": "3f"},
        {"image": still, "size": "60%x60%", "rotation": -15, "length": "9f",
         "exit": {"fade": "3f", "slide": "top"}},
    ]  # fmt: skip
    below = [
        {"video": hdr, "length": "6f", "fit": "contain-blur"},
        {"transition": "circleopen", "length": "3f"},
        {"image": still, "length": "9f", "motion": "zoom-in"},
    ]
    heard = [
        {"audio": sound, "length": "6f", "speed": 1.3},
        {"transition": "fade", "length": "2f"},
        {"audio": sound, "length": "8f", "loop": True, "trim": {"from": 1, "to": 1.01}},
    ]
    audio = {"loudness": {}}
    tracks = [{"clips": clips} for clips in (below, over, heard)]
    return {"output": lossless("96x64", 25, audio=audio), "tracks": tracks}


def test_frames_and_samples_depend_neither_on_the_processor_nor_on_luck(
    studio: Studio, tmp_path: Path
) -> None:
    shots = []
    for turn, flags in enumerate(("", "", "0", "0")):
        folder = tmp_path / str(turn)
        folder.mkdir()
        other = Studio(folder, replace(studio.toolchain, cpuflags=flags))
        shots.append(other.render(document(other)))
    for shot in shots[1:]:
        assert shot.frame_digests == shots[0].frame_digests
        assert (
            shot.results[shot.prepared.plan.audio].facts["pcm_sha256"]
            == (shots[0].results[shots[0].prepared.plan.audio].facts["pcm_sha256"])
        )
