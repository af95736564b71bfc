"""Short sounds: a whoosh, a riser, an impact, a chime, a pop, a click."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from renderer.digest import digest_of
from renderer.generate.painter.chance import Chance
from renderer.generate.waves import (
    RATE,
    Wave,
    echo,
    glide,
    peaked,
    pluck,
    ramp,
    room,
    softened,
    swell,
    table,
    tone,
    wav,
)

VERSION = 1
"""Another number whenever the same recipe gives other samples."""
_PEAK = 0.7
_SINE = table({1: 1000})
_BELL = table({1: 1000, 2: 240, 3: 420, 5: 120, 8: 60})
_STEP = (1 << 32) / RATE


def effect(name: str, seed: int) -> bytes:
    """The sound as a WAV file."""
    chance = Chance(digest_of({"effect": name, "seed": seed, "version": VERSION}))
    left, right = _MAKERS[name](chance)
    both = np.concatenate([left, right])
    loud = peaked(both, peak=_PEAK)
    return wav(loud[: len(left)], loud[len(left) :])


def _noise(chance: Chance, count: int) -> Wave:
    return chance.table(count).astype(np.float64) - 0.5


def _whoosh(chance: Chance) -> tuple[Wave, Wave]:
    count = int(RATE * chance.between(0.7, 0.95))
    noise = _noise(chance, count)
    dull, clear = softened(softened(noise, 40), 24) * 5.0, softened(noise, 6)
    peak = chance.between(0.45, 0.6)
    up = swell(count, int(count * peak), count - int(count * peak))
    wave = (dull + (clear - dull) * (up * up) * 0.6) * up * up
    side = ramp(count)
    return wave * (1.0 - side * 0.75), wave * (side * 0.75 + 0.25)


def _riser(chance: Chance) -> tuple[Wave, Wave]:
    count = int(RATE * 1.8)
    share = ramp(count)
    steps = np.rint((share * share * 620.0 + chance.between(150, 190)) * _STEP).astype(np.int64)
    hiss = softened(_noise(chance, count), 5)
    wave = (glide(table({1: 1000, 2: 300, 3: 160}), steps) * 0.4 + hiss * share) * share * share
    wave *= swell(count, 10, RATE // 40)
    return room(wave, wave * 0.9, wet=0.4)


def _impact(chance: Chance) -> tuple[Wave, Wave]:
    count = int(RATE * 1.6)
    fall = ramp(count, 1.0, 0.0)
    square = fall * fall
    steps = np.rint((square * square * square * 90.0 + chance.between(36, 44)) * _STEP)
    body = glide(_SINE, steps.astype(np.int64)) * pluck(count, rise=30)
    crack = softened(_noise(chance, count), 8) * square * square * square * square
    return room(body + crack * 1.4, body + crack[::1] * 1.1, wet=0.6)


def _chime(chance: Chance) -> tuple[Wave, Wave]:
    count = int(RATE * 2.0)
    root = 76 + chance.integer(-3, 3)
    left, right = np.zeros(count), np.zeros(count)
    for place, step in enumerate((0, 4, 7, 12)):
        at = place * RATE // 14
        wave = tone(_BELL, root + step, count - at) * pluck(count - at)
        left[at:] += wave * (0.9 - place * 0.15)
        right[at:] += wave * (0.45 + place * 0.15)
    return room(left, right, wet=0.5)


def _pop(chance: Chance) -> tuple[Wave, Wave]:
    count = int(RATE * 0.14)
    share = ramp(count)
    steps = np.rint((share * 700.0 + chance.between(240, 320)) * _STEP).astype(np.int64)
    wave = glide(_SINE, steps) * pluck(count, rise=60)
    return wave, wave * 0.95


def _click(chance: Chance) -> tuple[Wave, Wave]:
    count = int(RATE * 0.06)
    wave = softened(_noise(chance, count), 3) + tone(_SINE, 96 + chance.integer(0, 3), count) * 0.5
    struck = echo(wave * pluck(count, rise=8), RATE // 90, 0.2)
    return struck, struck * 0.9


_MAKERS: Mapping[str, Callable[[Chance], tuple[Wave, Wave]]] = {
    "whoosh": _whoosh, "riser": _riser, "impact": _impact, "chime": _chime, "pop": _pop,
    "click": _click,
}  # fmt: skip
