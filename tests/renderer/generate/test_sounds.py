"""Music and effects: heard by FFmpeg, counted to the sample, the same each time."""

import io
import re
import subprocess
import wave
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderer.generate.effects import effect
from renderer.generate.music import MOODS, compose, mood_for
from renderer.generate.painter.chance import Chance
from renderer.generate.sounds import generate_sound
from renderer.generate.waves import RATE
from renderer.spec.generated import EFFECTS
from renderer.store import LocalStore


def samples(data: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(data)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (2, 2, RATE)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 2)


def loudness(data: bytes, path: Path) -> float:
    path.write_bytes(data)
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostats", "-i", str(path)]
    said = subprocess.run(
        [*argv, "-af", "ebur128", "-f", "null", "-"], capture_output=True, text=True
    ).stderr
    return float(re.findall(r"I:\s+(-?[0-9.]+) LUFS", said)[-1])


@pytest.mark.parametrize("mood", sorted(MOODS))
def test_music_of_every_mood_is_as_loud_as_speech_and_never_clips(
    mood: str, tmp_path: Path
) -> None:
    data = compose(mood, 12, 0)
    heard = samples(data)
    assert len(heard) == 12 * RATE
    assert np.abs(heard.astype(int)).max() < 32767 * 0.89
    assert -18.5 < loudness(data, tmp_path / "music.wav") < -14


def test_music_begins_and_ends_in_silence_and_is_no_drone() -> None:
    heard = samples(compose("bright", 12, 3)).astype(float)
    assert np.abs(heard[:20]).max() < 400
    assert np.abs(heard[-20:]).max() < 400
    levels = [np.sqrt(np.mean(part**2)) for part in np.array_split(heard[:, 0], 48)]
    assert np.std(levels) > 0.08 * np.mean(levels)


@settings(max_examples=12, deadline=None)
@given(st.floats(1, 6), st.integers(0, 9), st.sampled_from(["calm", "a market at night", "؟"]))
def test_music_has_the_length_it_is_asked_for_and_is_the_same_again(
    seconds: float, seed: int, words: str
) -> None:
    data = compose(words, seconds, seed)
    assert len(samples(data)) == round(seconds * RATE)
    assert compose(f"  {words} ", seconds, seed) == data


def test_another_seed_and_another_mood_are_other_music() -> None:
    made = {compose(words, 3, seed) for words in ("calm", "epic") for seed in (0, 1)}
    assert len(made) == 4


def test_the_words_choose_the_mood() -> None:
    chance = Chance("x")
    assert mood_for("Bees and their dances", chance) == "playful"
    assert mood_for("The deep SEA, a quiet lake.", chance) == "calm"
    assert mood_for("zzz", chance) in ("warm", "curious")


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_is_short_heard_on_both_sides_and_the_same_again(name: str) -> None:
    heard = samples(effect(name, 0))
    assert 0.03 * RATE < len(heard) < 3 * RATE
    assert 8000 < np.abs(heard.astype(int)).max() < 32767 * 0.8
    assert all(np.abs(heard[:, side]).max() > 2000 for side in (0, 1))
    assert effect(name, 0) == effect(name, 0)
    assert effect(name, 0) != effect(name, 1)


def test_a_sound_is_made_once_and_again_by_another_maker(tmp_path: Path) -> None:
    store, calls = LocalStore(tmp_path), []

    def make() -> bytes:
        calls.append(1)
        return effect("click", 0)

    first = generate_sound({"effect": "click"}, "effects/1", make, store)
    assert generate_sound({"effect": "click"}, "effects/1", make, store) == first
    assert len(calls) == 1
    generate_sound({"effect": "click"}, "effects/2", make, store)
    assert len(calls) == 2
