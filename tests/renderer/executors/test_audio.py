from __future__ import annotations

import hashlib
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.errors import OutputRejected
from renderer.executors import audio
from renderer.executors.loudness import Loudness, choose_gain
from tests.renderer.executors.conftest import Bench
from tests.renderer.executors.tiny import mix

LOUD = {"target_lufs": "-14", "true_peak_db": "-1"}
DECIBELS = st.decimals(-60, 0, places=3)


def decoded(path: Path, binary: Path) -> bytes:
    argv = [str(binary), "-v", "error", "-i", str(path), "-f", "s16le", "-"]
    return subprocess.run(argv, capture_output=True, check=True).stdout


@pytest.mark.parametrize("samples", [1, 1023, 24_000, 48_001])
def test_every_sample_is_there_and_in_the_digest(bench: Bench, samples: int) -> None:
    step = mix("anullsrc=r=48000:cl=stereo", samples=samples)
    results = bench.run(step)
    facts = results[step.key].facts
    assert facts["samples"] == facts["heard_samples"] == samples
    assert facts["pcm_bytes"] == samples * 4
    assert facts["pcm_sha256"] == hashlib.sha256(bytes(samples * 4)).hexdigest()
    assert facts["is_silent"] is True
    path = bench.output(results, step, "audio.m4a")
    assert len(decoded(path, bench.toolchain.ffmpeg)) == samples * 4


def test_a_file_whose_priming_would_be_heard_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = audio.container_arguments
    monkeypatch.setattr(
        audio, "container_arguments", lambda *words: (*real(*words), "-use_editlist", "0")
    )
    with pytest.raises(OutputRejected, match="25024 samples would be heard, 24000 were planned"):
        bench.run(mix())


def test_a_sound_is_not_silent(bench: Bench) -> None:
    step = mix()
    assert bench.run(step)[step.key].facts["is_silent"] is False


def test_one_sample_at_the_end_is_not_silence(bench: Bench) -> None:
    step = mix("aevalsrc='if(eq(n,23999),0.5,0)':s=48000")
    assert bench.run(step)[step.key].facts["is_silent"] is False


@pytest.mark.parametrize("planned", [23_999, 24_001])
def test_a_sample_more_or_less_is_refused(bench: Bench, planned: int) -> None:
    with pytest.raises(OutputRejected, match=f"24000 samples were mixed, {planned} were planned"):
        bench.run(mix(planned=planned))


def test_loudness_reaches_its_target(bench: Bench) -> None:
    step = mix(samples=96_000, loudness={**LOUD, "target_lufs": "-23"})
    facts = bench.run(step)[step.key].facts["loudness"]
    again = mix(
        f"sine=f=440:r=48000,volume=0.3,volume={facts['gain_db']}dB:precision=double",
        samples=96_000,
        loudness=LOUD,
    )
    measured = bench.run(again)[again.key].facts["loudness"]["measured_lufs"]
    assert abs(Decimal(measured) + 23) < Decimal("0.02")


def test_loudness_stops_below_the_true_peak(bench: Bench) -> None:
    click = "aevalsrc='if(lt(mod(n,4800),20),0.5,0.002*sin(n/20))':s=48000"
    step = mix(click, samples=96_000, loudness={**LOUD, "target_lufs": "-5"})
    facts = bench.run(step)[step.key].facts["loudness"]
    peak = Decimal(facts["measured_true_peak_db"]) + Decimal(facts["gain_db"])
    assert Decimal("-1.05") < peak <= -1


def test_silence_is_not_made_louder(bench: Bench) -> None:
    step = mix("anullsrc=r=48000", loudness=LOUD)
    facts = bench.run(step)[step.key].facts
    assert facts["loudness"]["gain_db"] == "0.00"
    assert facts["is_silent"] is True


@given(lufs=DECIBELS, peak=st.decimals(0, 2, places=3), target=DECIBELS, ceiling=DECIBELS)
def test_the_gain_never_lifts_the_peak_over_the_ceiling(
    lufs: Decimal, peak: Decimal, target: Decimal, ceiling: Decimal
) -> None:
    measured = Loudness(integrated=lufs, peak=peak)
    wanted = {"target_lufs": str(target), "true_peak_db": str(ceiling)}
    gain = choose_gain(measured, wanted)
    assert measured.peak_db + gain <= ceiling
    assert gain <= target - lufs + Decimal("0.005")
    assert gain == gain.quantize(Decimal("0.01"))
