from __future__ import annotations

import array
import math
import subprocess
from pathlib import Path

import pytest

from renderer.errors import OutputRejected
from renderer.executors import aac
from renderer.executors.aac import AacEncoder, adts_packets
from renderer.toolchain import Toolchain
from tests.renderer.executors.conftest import Bench
from tests.renderer.executors.test_audio import decoded
from tests.renderer.executors.tiny import mix

SECONDS = 24
MUSIC = (
    "aevalsrc='0.2*sin(2*PI*220*t)*(0.6+0.4*sin(PI*t/3))|0.2*sin(2*PI*277*t)*lt(mod(t,0.9),0.6)'"
    f":s=48000:d={SECONDS}[a];anoisesrc=c=pink:r=48000:a=0.15:seed=3:d={SECONDS},"
    "aformat=channel_layouts=stereo[b];[a][b]amix=normalize=0,aformat=sample_fmts=s16"
)


@pytest.fixture(scope="module")
def music(toolchain: Toolchain) -> bytes:
    argv = [str(toolchain.ffmpeg), "-v", "error", "-filter_complex", MUSIC, "-f", "s16le", "-"]
    return subprocess.run(argv, capture_output=True, check=True).stdout


def encoded(
    toolchain: Toolchain, folder: Path, sound: bytes, jobs: int = 1, step: int = 99_999
) -> bytes:
    def run(argv: tuple[str, ...]) -> None:
        command = [str(toolchain.ffmpeg), "-v", "error", "-y", *argv]
        subprocess.run(command, check=True)

    folder.mkdir()
    encoder = AacEncoder(folder=folder, samples=len(sound) // 4, bitrate="192k", run=run, jobs=jobs)
    with encoder:
        for at in range(0, len(sound), step):
            encoder.feed(sound[at : at + step])
        made = encoder.finish()
    assert not list(folder.iterdir())
    return made


def noise_db(toolchain: Toolchain, folder: Path, stream: bytes, sound: bytes) -> list[float]:
    """Signal to noise of each second of an ADTS stream."""
    (folder / "x.aac").write_bytes(stream)
    heard = array.array("h", decoded(folder / "x.aac", toolchain.ffmpeg)[1024 * 4 :])
    meant = array.array("h", sound)
    found = []
    for second in range(SECONDS - 1):
        places = range(second * 96_000, (second + 1) * 96_000, 5)
        signal = sum(meant[n] ** 2 for n in places)
        noise = sum((meant[n] - heard[n]) ** 2 for n in places)
        found.append(10 * math.log10(signal / max(noise, 1)))
    return found


def test_pieces_sound_like_an_encode_in_one_go(
    toolchain: Toolchain, tmp_path: Path, music: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = noise_db(toolchain, tmp_path, encoded(toolchain, tmp_path / "1", music), music)
    monkeypatch.setattr(aac, "_PIECE_PACKETS", 400)
    parts = noise_db(toolchain, tmp_path, encoded(toolchain, tmp_path / "2", music), music)
    assert min(whole) > 20
    assert all(abs(a - b) < 0.75 for a, b in zip(whole, parts, strict=True))


def test_neither_jobs_nor_the_size_of_reads_show_in_the_bytes(
    toolchain: Toolchain, tmp_path: Path, music: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aac, "_PIECE_PACKETS", 100)
    monkeypatch.setattr(aac, "_LEAD_PACKETS", 20)
    sound = music[: 48_000 * 4 * 8 + 4 * 333]
    one = encoded(toolchain, tmp_path / "1", sound, jobs=1, step=7_777)
    four = encoded(toolchain, tmp_path / "4", sound, jobs=4, step=10_000_000)
    assert one == four
    assert len(adts_packets(one)) == -(-(len(sound) // 4 + 1024) // 1024)


@pytest.mark.parametrize("samples", [1, 1023, 1024, 100 * 1024, 104 * 1024 + 1, 205_000])
def test_a_sound_in_pieces_has_every_sample(
    bench: Bench, samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aac, "_PIECE_PACKETS", 50)
    monkeypatch.setattr(aac, "_LEAD_PACKETS", 10)
    step = mix(samples=samples)
    results = bench.run(step, jobs=3)
    made = bench.output(results, step, "audio.m4a")
    assert len(decoded(made, bench.toolchain.ffmpeg)) == samples * 4
    assert not bench.leftovers()


def test_an_encoder_that_fails_is_heard_of(tmp_path: Path) -> None:
    def run(argv: tuple[str, ...]) -> None:
        raise OutputRejected("the encoder fell over")

    encoder = AacEncoder(folder=tmp_path, samples=10, bitrate="96k", run=run)
    encoder.feed(bytes(40))
    with encoder, pytest.raises(OutputRejected, match="fell over"):
        encoder.finish()
