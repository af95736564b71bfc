"""Sound from arithmetic alone: a voice that murmurs, chords and plucked strings.

Waves are rounded to whole numbers before they are added, so the samples are the same on
every machine. All samples are 16 bit at `RATE`.
"""

from __future__ import annotations

import math
import sys
import wave
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

RATE = 48_000
"""Samples a second."""

_PEAK = 32_767
_VOWELS: dict[str, tuple[tuple[int, int, int], ...]] = {  # frequency, bandwidth, loudness
    "a": ((730, 90, 100), (1090, 110, 60), (2440, 170, 20)),
    "e": ((530, 70, 100), (1840, 110, 35), (2480, 170, 25)),
    "i": ((290, 60, 100), (2250, 120, 25), (3010, 190, 18)),
    "o": ((570, 80, 100), (840, 100, 65), (2410, 170, 10)),
    "u": ((320, 60, 100), (800, 100, 30), (2240, 170, 6)),
}
_HISS = "s"
_SHARES = {"left": (80, 30), "middle": (64, 64), "right": (30, 80)}  # of 64, by channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A tone from `start` for `length` seconds; `side` is left, middle or right."""

    start: float
    length: float
    hertz: float
    loudness: int  # 0 to 32767
    side: str = "middle"
    plucked: bool = False


def voice(words: str, *, pitch: int = 118) -> array[int]:
    """Mono samples of a murmur: vowels a e i o u, `s` hisses, a space breathes, `.` pauses.

    The pitch falls towards each full stop, as it does when people speak.
    """
    samples: array[int] = array("h")
    for sentence in words.split("."):
        sounds = sentence.strip()
        for place, sound in enumerate(sounds):
            fall = pitch * (118 - 30 * place // max(1, len(sounds))) // 100
            samples.extend(_uttered(sound, fall + (place * 7) % 9))
        samples.extend(array("h", bytes(2 * RATE * 7 // 10)))
    return samples


def chords(progression: Sequence[Sequence[float]], *, beat: float) -> list[Note]:
    """Notes of four beats for each chord: a bass, the chord held, and plucked eighths."""
    notes = []
    for bar, chord in enumerate(progression):
        start = bar * 4 * beat
        notes.append(Note(start=start, length=4 * beat, hertz=chord[0] / 2, loudness=6200))
        for place, hertz in enumerate(chord):
            notes.append(
                Note(start=start, length=4.4 * beat, hertz=hertz, loudness=2600,
                     side=("left", "middle", "right")[place % 3])
            )  # fmt: skip
        for eighth in range(8):
            hertz = chord[(0, 2, 1, 3, 2, 1, 3, 2)[eighth] % len(chord)] * 2
            notes.append(
                Note(start=start + eighth * beat / 2, length=beat * 1.5, hertz=hertz,
                     loudness=6400 if eighth % 4 == 0 else 4600,
                     side="right" if eighth % 2 else "left", plucked=True)
            )  # fmt: skip
    return notes


def played(notes: Sequence[Note], seconds: float) -> array[int]:
    """Stereo samples, left and right in turn, `seconds` long."""
    total = int(seconds * RATE)
    buses = {side: [0] * total for side in _SHARES}
    for note in notes:
        first = int(note.start * RATE)
        bus = buses[note.side]
        for place, value in enumerate(_tone(note, total - first), start=first):
            bus[place] += value
    mixed: array[int] = array("h", bytes(4 * total))
    for channel in (0, 1):
        a, b, c = (_SHARES[side][channel] for side in buses)
        heard = (
            (left * a + middle * b + right * c) >> 6
            for left, middle, right in zip(*buses.values(), strict=True)
        )
        mixed[channel::2] = array("h", map(_clipped, heard))
    return mixed


def write_wav(path: Path, samples: array[int], *, channels: int = 1) -> None:
    """Samples as a 16 bit WAV file."""
    plain = array("h", samples)
    if sys.byteorder == "big":
        plain.byteswap()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(plain.tobytes())


def _uttered(sound: str, hertz: int) -> array[int]:
    if sound == _HISS:
        return _shaped(list(_noise(RATE * 9 // 100)), 90)
    if sound not in _VOWELS:
        return array("h", bytes(2 * RATE // 10))
    length = RATE * 17 // 100
    grain = _grain(_VOWELS[sound])
    samples = [0] * (length + len(grain))
    for start in range(0, length, RATE // hertz):  # one burst for each beat of the vocal cords
        for place, value in enumerate(grain, start=start):
            samples[place] += value
    return _shaped(samples[:length], 100)


def _grain(formants: tuple[tuple[int, int, int], ...]) -> list[int]:
    """One burst of a vowel: its resonances ringing out."""
    grain = []
    for n in range(RATE // 80):
        t = n / RATE
        value = sum(
            loud * math.exp(-math.pi * width * t) * math.sin(math.tau * hertz * t)
            for hertz, width, loud in formants
        )
        grain.append(round(value * 210))
    return grain


def _noise(count: int) -> Iterator[int]:
    state = 12_345
    before = 0
    for _ in range(count):
        state = (state * 1_103_515_245 + 12_345) % 2**31
        value = (state >> 15) - 32_768
        yield (value - before) // 8  # the difference is brighter, as a hiss is
        before = value


def _shaped(samples: list[int], percent: int) -> array[int]:
    """Samples that swell and fall off, so that neighbours join without a click."""
    ramp = min(RATE // 50, len(samples) // 3)
    shaped = [value * percent // 100 for value in samples]
    for place in range(ramp):
        shaped[place] = shaped[place] * place // ramp
        shaped[-1 - place] = shaped[-1 - place] * place // ramp
    return array("h", map(_clipped, shaped))


def _tone(note: Note, room: int) -> Iterator[int]:
    """The soft wave, read from its table at the note's pitch."""
    table = _table()
    count = min(int(note.length * RATE), room)
    step = round(note.hertz * len(table) * 1024 / RATE)
    mask = len(table) - 1
    rise = RATE // 200 if note.plucked else RATE // 3
    fall = count - rise
    level = note.loudness
    for n in range(count):
        value = table[(n * step >> 10) & mask] * level >> 15
        if n < rise:
            value = value * n // rise
        if note.plucked:
            rest = count - n
            value = value * rest // count * rest // count * rest // count
        elif n > fall:
            value = value * (count - n) // rise
        yield value


def _clipped(value: int) -> int:
    return max(-_PEAK, min(_PEAK, value))


@cache
def _table() -> list[int]:
    """One turn of the soft wave: a tone and three overtones."""
    parts = ((1, 0.74), (2, 0.17), (3, 0.07), (4, 0.02))
    size = 4096
    return [
        round(_PEAK * sum(a * math.sin(math.tau * k * n / size) for k, a in parts))
        for n in range(size)
    ]
