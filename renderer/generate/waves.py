"""Sound as numbers, the same on every machine: tables of whole numbers, plain arithmetic, WAV.

As with the painter, only operations that IEEE 754 rounds exactly are used on samples, one at a
time; sines and powers are taken once, for tables and pitches, and rounded to whole numbers there.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Wave = npt.NDArray[np.float64]
RATE = 48000
_TABLE = 4096
_FINE = 1 << 20
_PHASE = 1 << 32
_SHIFT = 20  # 32 bits of phase, 12 of them choose the entry of the table
_SINE = [round(math.sin(2 * math.pi * n / _TABLE) * _FINE) for n in range(_TABLE)]
_CEILING = 29_000  # of 32767: 1 dB below full scale, before AAC adds a little


def table(harmonics: Mapping[int, int]) -> Wave:
    """One period of a tone: the strength of each harmonic in thousandths."""
    whole = sum(abs(strength) for strength in harmonics.values()) * _FINE
    sums = [
        sum(strength * _SINE[n * order % _TABLE] for order, strength in harmonics.items())
        for n in range(_TABLE)
    ]
    return np.array([value / whole for value in sums], dtype=np.float64)


def tone(shape: Wave, note: float, count: int, *, start: int = 0) -> Wave:
    """`count` samples of a tone; `note` as MIDI counts, 69 is 440 Hz, fractions detune."""
    step = round(440 * 2 ** ((note - 69) / 12) * _PHASE / RATE)
    return glide(shape, np.full(count, step, dtype=np.int64), start=start)


def glide(shape: Wave, steps: npt.NDArray[np.int64], *, start: int = 0) -> Wave:
    """A tone whose pitch moves: phase steps sample by sample, as whole numbers."""
    phase = (np.cumsum(steps) - steps[:1] + start) % _PHASE
    moved: Wave = shape[phase >> _SHIFT]
    return moved


def ramp(count: int, low: float = 0.0, high: float = 1.0) -> Wave:
    """A straight line from `low` towards `high`."""
    return np.arange(count, dtype=np.float64) / max(1, count) * (high - low) + low


def swell(count: int, rise: int, fall: int) -> Wave:
    """Soft in over `rise` samples, soft out over `fall`, 1 between."""
    out = np.ones(count, dtype=np.float64)
    rise, fall = min(rise, count // 2), min(fall, count - count // 2)
    out[:rise] = _soft(ramp(rise))
    if fall:
        out[count - fall :] *= _soft(ramp(fall, 1.0, 0.0))
    return out


def pluck(count: int, *, rise: int = 120) -> Wave:
    """Struck and dying away, to nothing at the end."""
    left = ramp(count, 1.0, 0.0)
    out = left * left * left * (ramp(count, 0.35, 1.0)[::-1])
    rise = min(rise, count)
    out[:rise] *= ramp(rise)
    return out


def echo(wave: Wave, delay: int, feedback: float) -> Wave:
    """The wave with its echoes, each `feedback` times the one before."""
    out = wave.copy()
    for at in range(delay, len(out), delay):
        end = min(at + delay, len(out))
        out[at:end] += out[at - delay : end - delay] * feedback
    return out


def softened(wave: Wave, width: int) -> Wave:
    """The mean over `width` samples: what is high is lost. Sums are of whole numbers."""
    whole = np.rint(wave * _FINE).astype(np.int64)
    sums = np.cumsum(np.concatenate([np.zeros(width, dtype=np.int64), whole]))
    means: Wave = (sums[width:] - sums[:-width]) / float(width * _FINE)
    return means


def room(left: Wave, right: Wave, *, wet: float) -> tuple[Wave, Wave]:
    """Both sides in a small hall."""
    return _hall(left, right, (1427, 1783, 1979, 2311), wet), _hall(
        right, left, (1559, 1693, 2053, 2213), wet
    )


def _hall(near: Wave, far: Wave, delays: tuple[int, ...], wet: float) -> Wave:
    heard = softened(near * 0.75 + far * 0.25, 5)
    tail = np.zeros_like(near)
    for delay in delays:
        tail += echo(heard, delay, 0.74) - heard
    return near + softened(tail, 3) * (wet / len(delays))


def mastered(left: Wave, right: Wave, *, level: float) -> tuple[Wave, Wave]:
    """Both brought to a mean square of `level` (a share of full scale), the peaks rounded off."""
    power = _power(left) + _power(right)
    gain = level / math.sqrt(power / (2 * len(left))) if power else 0.0
    return _limited(left * gain), _limited(right * gain)


def peaked(wave: Wave, *, peak: float) -> Wave:
    """The wave with its highest sample at `peak`."""
    highest = float(np.max(np.abs(wave), initial=0.0))
    return wave * (peak / highest) if highest else wave


def wav(left: Wave, right: Wave) -> bytes:
    """Two sides as a WAV file of 16 bits, 48 kHz."""
    sides = np.stack([left, right], axis=1) * _CEILING
    data = np.rint(np.clip(sides, -_CEILING, _CEILING)).astype("<i2").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16,
                       1, 2, RATE, RATE * 4, 4, 16, b"data", len(data))  # fmt: skip
    return head + data


def _soft(share: Wave) -> Wave:
    return share * share * (3.0 - share - share)


def _power(wave: Wave) -> float:
    whole = np.rint(wave * (1 << 14)).astype(np.int64)
    return int(np.sum(whole * whole)) / float(1 << 28)


def _limited(wave: Wave) -> Wave:
    """Nearly untouched when soft, never past 1."""
    held = np.clip(wave, -3.0, 3.0)
    square = held * held
    limited: Wave = held * (square + 27.0) / (square * 9.0 + 27.0)
    return limited
