from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.renderer.truth.studio import Studio, lossless, one_track

RATE = 48_000
LSB = 1.6 / 32768
Wave = NDArray[np.float64]


def sine(seconds: float, hertz: float = 440, rate: int = RATE, volume: float = 0.5) -> Wave:
    return volume * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def noise(seconds: float, volume: float = 0.3, seed: int = 1) -> Wave:
    """Smooth noise: it looks like itself at one place only."""
    rng = np.random.default_rng(seed)
    raw = np.convolve(rng.standard_normal(round(seconds * RATE) + 63), np.hanning(64), "valid")
    return volume * raw / np.abs(raw).max()


def level(studio: Studio, seconds: float = 4) -> str:
    return studio.wav(f"level-{seconds}.wav", np.full(round(seconds * RATE), 0.5))


def mix(studio: Studio, *clips: dict[str, Any], fps: Any = 25, **track: Any) -> Wave:
    return mix_of(studio, one_track(*clips, **track), fps=fps)


def mix_of(studio: Studio, tracks: list[dict[str, Any]], *, fps: Any = 25, **audio: Any) -> Wave:
    document = {"output": lossless("32x32", fps, audio=audio), "tracks": tracks}
    return studio.mix(document)


def lag(seen: Wave, expected: Wave, reach: int = 3000) -> int:
    """By how many samples `seen` is late."""
    size = 1 << (len(seen) + len(expected)).bit_length()
    product = np.fft.rfft(seen, size) * np.conj(np.fft.rfft(expected, size))
    match = np.fft.irfft(product, size)
    match = np.concatenate([match[-reach:], match[: reach + 1]])
    return int(match.argmax()) - reach


@pytest.mark.parametrize("fps", [25, "24000/1001", 29.97])
def test_the_mix_and_the_file_have_every_sample(studio: Studio, fps: Any) -> None:
    document = {"output": lossless("32x32", fps), "tracks": one_track({"audio": level(studio)})}
    shot = studio.render(document)
    samples = shot.prepared.timeline.samples
    facts = shot.results[shot.prepared.plan.audio].facts
    assert facts["samples"] == samples
    assert len(shot.sound()) == samples


def test_volumes_multiply(studio: Studio) -> None:
    heard = mix(studio, {"audio": level(studio), "volume": 0.25}, volume=1.5)
    assert np.abs(heard - 0.5 * 0.25 * 1.5).max() <= LSB


def test_fades_are_straight_lines(studio: Studio) -> None:
    heard = mix(studio, {"audio": level(studio), "length": 3, "fade_in": 1, "fade_out": 0.5})
    expected = np.full(3 * RATE, 0.5)
    expected[:RATE] *= np.arange(RATE) / RATE
    expected[-RATE // 2 :] *= 1 - np.arange(RATE // 2) / (RATE // 2)
    assert np.abs(heard[:, 0] - expected).max() <= LSB


def test_a_crossfade_keeps_the_power(studio: Studio) -> None:
    left = np.zeros((3 * RATE, 2))
    left[:, 0] = 0.5
    clips = [
        {"audio": studio.wav("left.wav", left), "length": 2},
        {"transition": "fade", "length": 1},
        {"audio": studio.wav("right.wav", left[:, ::-1]), "length": 2},
    ]
    heard = mix(studio, *clips)
    assert len(heard) == 3 * RATE
    turn = np.arange(RATE) / RATE * np.pi / 2
    assert np.abs(heard[RATE : 2 * RATE, 0] - 0.5 * np.cos(turn)).max() <= LSB
    assert np.abs(heard[RATE : 2 * RATE, 1] - 0.5 * np.sin(turn)).max() <= LSB
    assert np.abs(heard[:RATE, 0] - 0.5).max() <= LSB
    assert np.abs(heard[2 * RATE :, 1] - 0.5).max() <= LSB


def test_videos_joined_by_a_transition_crossfade_their_sound(studio: Studio) -> None:
    film = studio.make("toned.mkv", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "flac",
                       inputs=["testsrc2=s=32x32:r=25:d=3", "sine=440:r=48000:d=3"])  # fmt: skip
    clips = [{"video": film, "length": 2}, {"transition": "wipeup", "length": 1},
             {"image": studio.make("dot32.png", "-frames:v", "1", inputs=["color=red:s=32x32"]),
              "length": 2}]  # fmt: skip
    heard = mix(studio, *clips)
    assert len(heard) == 3 * RATE
    power = [float(np.abs(heard[n : n + 4800]).max()) for n in range(0, 3 * RATE, 4800)]
    assert min(power[:10]) > 0.08
    assert all(a > b for a, b in itertools.pairwise(power[10:20]))
    assert max(power[20:]) <= LSB


@pytest.mark.parametrize("fps", [25, "30000/1001"])
def test_a_cut_and_continued_sound_is_the_sound(studio: Studio, fps: Any) -> None:
    wave = sine(4, 331)
    source = studio.wav("whole.wav", wave)
    cuts = [0, 30, 31, 60]
    clips = [
        {"audio": source, "trim": {"from": f"{a}f", "to": f"{b}f"}}
        for a, b in itertools.pairwise(cuts)
    ]
    heard = mix(studio, *clips, fps=fps)[:, 0]
    assert np.abs(heard - wave[: len(heard)]).max() <= 2 * LSB


def test_sound_begins_on_its_sample(studio: Studio) -> None:
    heard = mix(studio, {"gap": "7f"}, {"audio": level(studio), "length": "1s"}, fps=29.97)
    first = round(7 * RATE * 1001 / 30000)
    assert not heard[:first].any()
    assert np.abs(heard[first : first + RATE] - 0.5).max() <= LSB


def test_tracks_are_added(studio: Studio) -> None:
    one = {"clips": [{"audio": level(studio), "length": 2, "volume": 0.5}]}
    two = {"clips": [{"audio": level(studio), "start": 0.4, "length": 2, "volume": 0.8}]}
    heard = mix_of(studio, [one, two])
    assert np.abs(heard[RATE // 2 : 2 * RATE] - 0.65).max() <= LSB
    assert np.abs(heard[: RATE // 4] - 0.25).max() <= LSB


@pytest.mark.parametrize(
    ("channels", "rate"), [(1, 44_100), (2, 44_100), (2, 48_000), (6, 48_000), (1, 96_000)]
)
def test_any_number_of_channels_at_any_rate(studio: Studio, channels: int, rate: int) -> None:
    wave = np.repeat(sine(1, 500, rate, 0.25)[:, None], channels, axis=1)
    wave[:, 1:] = 0  # the first channel only
    heard = mix(studio, {"audio": studio.wav(f"c{channels}-{rate}.wav", wave, rate)})
    assert len(heard) == RATE
    expected = sine(1, 500, volume=0.25)
    inner = slice(2000, RATE - 2000)
    left = heard[inner, 0]
    gain = float(left @ expected[inner] / (expected[inner] @ expected[inner]))
    assert np.abs(left - gain * expected[inner]).max() < 0.002  # the same place in time
    assert gain == pytest.approx(1, abs=0.002)
    assert (np.abs(heard[inner, 1]).max() < 0.001) == (channels > 1)


def test_a_sound_that_starts_late_in_its_file_is_heard_late(studio: Studio) -> None:
    tone = studio.wav("tone.wav", sine(2))
    film = studio.make(
        "late.mp4", "-f", "lavfi", "-i", "testsrc2=s=32x32:r=25:d=3", "-itsoffset", "0.5",
        "-i", str(studio.media / tone), "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "flac",
    )  # fmt: skip
    heard = mix(studio, {"video": film})[:, 0]
    assert not heard[: RATE // 2 - 2].any()
    assert lag(heard[: 2 * RATE], np.concatenate([np.zeros(RATE // 2), sine(1.5)]), 50) == 0
    trimmed = mix(studio, {"video": film, "trim": {"from": 0.2}})[:, 0]
    assert not trimmed[: round(0.3 * RATE) - 2].any()
    assert np.abs(trimmed[round(0.3 * RATE) + 5 : RATE]).max() > 0.4


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.25, 2, 3])
def test_speed_keeps_pitch_and_place(studio: Studio, speed: float) -> None:
    wave = sine(6, 1000, volume=0.3)
    wave[2 * RATE : 3 * RATE] = 0  # a pause whose edges can be found again
    clip = {"audio": studio.wav("paused.wav", wave), "speed": speed}
    heard = mix(studio, clip)[:, 0]
    assert abs(len(heard) - 6 * RATE / speed) <= RATE / 25
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert spectrum.argmax() * RATE / len(heard) == pytest.approx(1000, abs=2)
    loud = np.convolve(np.abs(heard), np.ones(96) / 96, "same") > 0.05
    edges = np.nonzero(np.diff(loud.astype(int)))[0]
    inner = [edge for edge in edges if RATE / speed < edge < 4 * RATE / speed]
    assert abs(inner[0] - 2 * RATE / speed) <= 1024
    assert abs(inner[-1] - 3 * RATE / speed) <= 1024


CODECS = {
    "pcm.wav": (("-c:a", "pcm_s16le"), 0),
    "flac.flac": (("-c:a", "flac"), 0),
    "pcm.mov": (("-c:a", "pcm_s16le"), 0),
    "flac.mkv": (("-c:a", "flac"), 48),  # Matroska counts in milliseconds
    "aac.m4a": (("-c:a", "aac", "-b:a", "160k"), 0),
    "mp3.mp3": (("-c:a", "libmp3lame", "-b:a", "160k"), 0),
    "vbr.mp3": (("-c:a", "libmp3lame", "-q:a", "4"), 0),
    "opus.ogg": (("-c:a", "libopus", "-b:a", "128k"), 0),
    "opus.webm": (("-c:a", "libopus", "-b:a", "128k"), 48),
    "vorbis.ogg": (("-c:a", "libvorbis", "-q:a", "6"), 0),
    "aac.ts": (("-c:a", "aac", "-b:a", "160k"), 1024),
}


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("start", [1.37, 17.002])
def test_a_trim_begins_on_the_sample(studio: Studio, name: str, start: float) -> None:
    options, tolerance = CODECS[name]
    wave = noise(20)
    plain = studio.wav("noise.wav", wave)
    source = studio.make(name, "-i", str(studio.media / plain), *options)
    clip = {"audio": source, "trim": {"from": start, "to": start + 2}}
    heard = mix(studio, clip)[:, 0]
    first = round(start * RATE)
    expected = wave[first : first + len(heard)]
    assert abs(lag(heard, expected)) <= tolerance
    if name in ("pcm.wav", "flac.flac", "pcm.mov"):
        assert np.abs(heard - expected).max() <= LSB


def test_a_deep_trim_does_not_read_from_the_start(studio: Studio) -> None:
    plain = studio.wav("noise.wav", noise(20))
    clip = {"audio": plain, "trim": {"from": 15}}
    prepared = studio.prepare({"output": lossless("32x32"), "tracks": one_track(clip)})
    command = prepared.plan.by_key[prepared.plan.audio].command
    assert command is not None
    assert "-ss" in command.argv


@pytest.mark.parametrize(("part", "length"), [(0.5, 3.3), (0.01, 4)])
def test_a_loop_goes_round_on_the_sample(studio: Studio, part: float, length: float) -> None:
    wave = noise(20)
    source = studio.wav("noise.wav", wave)
    clip = {"audio": source, "loop": True, "length": length,
            "trim": {"from": 2.5, "to": 2.5 + part}}  # fmt: skip
    heard = mix(studio, clip)[:, 0]
    once = wave[round(2.5 * RATE) : round((2.5 + part) * RATE)]
    expected = np.resize(once, len(heard))
    assert np.abs(heard - expected).max() <= LSB


def test_music_ducks_under_a_voice(studio: Studio) -> None:
    voice = np.concatenate([np.zeros(RATE), noise(2, 0.6), np.zeros(2 * RATE)])
    tracks = [
        {"id": "voice", "clips": [{"audio": studio.wav("voice.wav", voice), "volume": 0.4}]},
        {"clips": [{"audio": studio.wav("music.wav", sine(5, 440, volume=0.4)),
                    "duck_under": "voice"}]},
    ]  # fmt: skip
    heard = mix_of(studio, tracks)[:, 0]
    plain = mix_of(studio, [tracks[0]])[:, 0]
    music = heard - plain[: len(heard)]

    def loudness(start: float, end: float) -> float:
        part = music[round(start * RATE) : round(end * RATE)]
        return float(20 * np.log10(np.sqrt(np.mean(part**2))))

    before, during, after = loudness(0.1, 0.9), loudness(1.5, 2.8), loudness(4.4, 4.9)
    assert before == pytest.approx(20 * np.log10(0.4 / np.sqrt(2)), abs=0.1)
    assert during < before - 6
    assert after == pytest.approx(before, abs=1)


def test_the_loudness_asked_for_is_reached(studio: Studio) -> None:
    rng = np.random.default_rng(4)
    wave = 0.05 * rng.standard_normal((10 * RATE, 2)).clip(-3, 3)
    tracks = one_track({"audio": studio.wav("hiss.wav", wave)})
    for target in (-23, -16):
        audio = {"loudness": {"target": target, "true_peak": -1}, "bitrate": "320k"}
        shot = studio.render({"output": lossless("32x32", audio=audio), "tracks": tracks})
        measured, peak = studio.loudness(shot.video)
        assert measured == pytest.approx(target, abs=0.5)
        assert peak <= -1


def test_the_true_peak_wins_over_the_target(studio: Studio) -> None:
    wave = sine(4, 440, volume=0.02)
    wave[RATE : RATE + 480] = sine(0.01, 700, volume=0.9)
    audio = {"loudness": {"target": -10, "true_peak": -2}}
    tracks = one_track({"audio": studio.wav("peaky.wav", wave)})
    shot = studio.render({"output": lossless("32x32", audio=audio), "tracks": tracks})
    assert float(np.abs(shot.sound()).max()) / 32768 <= 10 ** (-1.5 / 20)
