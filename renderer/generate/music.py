"""Music by rule: chords, bass, arpeggio, soft drums, out of a mood and a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from renderer.digest import digest_of
from renderer.generate.painter.chance import Chance
from renderer.generate.waves import (
    RATE,
    Wave,
    echo,
    glide,
    mastered,
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
_LEVEL = 0.15  # of full scale: about -16 LUFS
_BEATS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """What a mood means: beats a minute, steps of the scale, chords by degree, what plays."""

    beats: tuple[int, int]
    scale: tuple[int, ...]
    chords: tuple[tuple[int, ...], ...]
    notes: int  # of the arpeggio, in a beat
    drums: float
    bright: bool
    words: str


_MAJOR, _MINOR, _DORIAN = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10)
MOODS: Mapping[str, Mood] = {
    "calm": Mood(
        beats=(68, 80), scale=_MAJOR, chords=((0, 5, 3, 4), (0, 3, 5, 3), (3, 0, 4, 5)),
        notes=1, drums=0.0, bright=False,
        words="calm gentle quiet soft peaceful sleep meditation sea ocean water nature garden "
        "forest lake river tea slow",
    ),
    "warm": Mood(
        beats=(84, 96), scale=_MAJOR, chords=((0, 4, 5, 3), (5, 3, 0, 4), (0, 2, 3, 4)),
        notes=2, drums=0.5, bright=False,
        words="warm hopeful kind home story history people coffee craft family bread music",
    ),
    "bright": Mood(
        beats=(104, 116), scale=_MAJOR, chords=((0, 4, 5, 3), (3, 4, 5, 0), (0, 5, 1, 4)),
        notes=2, drums=0.8, bright=True,
        words="bright happy energy energetic sport launch summer new product sun travel business "
        "city fast running cycling school",
    ),
    "playful": Mood(
        beats=(108, 124), scale=_MAJOR, chords=((0, 5, 1, 4), (0, 3, 0, 4)),
        notes=2, drums=0.6, bright=True,
        words="playful fun funny children kids game games party animals cat cats dog dogs bees",
    ),
    "curious": Mood(
        beats=(88, 100), scale=_DORIAN, chords=((0, 3, 0, 6), (0, 6, 3, 4), (5, 3, 0, 6)),
        notes=2, drums=0.4, bright=True,
        words="curious science technology space stars planets computer computers data ai robots "
        "mathematics how machine machines",
    ),
    "dark": Mood(
        beats=(70, 82), scale=_MINOR, chords=((0, 5, 3, 4), (0, 6, 5, 3)),
        notes=1, drums=0.35, bright=False,
        words="dark sad serious tense war night winter storm mystery crime deep volcano volcanoes",
    ),
    "epic": Mood(
        beats=(92, 104), scale=_MINOR, chords=((0, 5, 2, 6), (0, 3, 5, 6)),
        notes=2, drums=0.9, bright=True,
        words="epic grand heroic mountain mountains adventure journey empire dragon everest",
    ),
}  # fmt: skip
_PAD = table({1: 1000, 2: 360, 3: 150, 4: 70, 5: 30})
_BASS = table({1: 1000, 2: 420, 3: 120, 4: 40})
_SOFT = table({1: 1000, 2: 180, 3: 90})
_BELL = table({1: 1000, 2: 300, 3: 60, 4: 220, 7: 50})


def mood_for(words: str, chance: Chance) -> str:
    """The mood that the most words are about; by chance where several or none are."""
    heard = [word.strip(".,;:!?").lower() for word in words.split()]
    known = {name: {name, *mood.words.split()} for name, mood in MOODS.items()}
    counts = {name: sum(word in these for word in heard) for name, these in known.items()}
    best = max(counts.values())
    # Without a word to go by: nothing sad, nothing that shouts.
    names = [name for name in counts if counts[name] == best] if best else ["warm", "curious"]
    return chance.one_of(sorted(names))


def compose(words: str, seconds: float, seed: int) -> bytes:
    """A piece of exactly `seconds`, as a WAV file: it begins softly and comes to an end."""
    said = " ".join(words.split())
    chance = Chance(digest_of({"music": said, "seed": seed, "version": VERSION}))
    count = round(seconds * RATE)
    piece = _Piece(MOODS[mood_for(said, chance.child("mood"))], chance.child("piece"), count)
    left, right = mastered(*piece.played(), level=_LEVEL)
    ends = swell(count, RATE // 50, min(count // 2, 5 * RATE // 2))
    return wav(left * ends, right * ends)


class _Piece:
    """One piece under way: bars of four beats, layers that come in one after another."""

    def __init__(self, mood: Mood, chance: Chance, count: int) -> None:
        self.mood, self.chance, self.count = mood, chance, count
        self.key = 57 + chance.integer(-4, 5)
        self.beat = RATE * 60 // chance.integer(*mood.beats)
        self.bar = self.beat * _BEATS
        self.bars = max(1, -(-count // self.bar))
        self.chords = chance.one_of(mood.chords)
        pattern = [chance.integer(0, 5) for _ in range(8)]
        self.pattern = [note if i % 4 else 0 for i, note in enumerate(pattern)]
        self.left = np.zeros(count + 4 * self.bar, dtype=np.float64)
        self.right = np.zeros_like(self.left)

    def played(self) -> tuple[Wave, Wave]:
        """All layers in their hall."""
        for bar in range(self.bars):
            degree = 0 if self._is_last(bar) else self.chords[bar % len(self.chords)]
            self._pad(bar, degree)
            if self._has_entered(bar, 1):
                self._bass(bar, degree)
        self._arpeggio()
        if self.mood.drums:
            self._drums()
        left, right = room(self.left, self.right, wet=0.5)
        return left[: self.count], right[: self.count]

    def _is_last(self, bar: int) -> bool:
        return bar >= self.bars - 1 and self.bars > 2

    def _has_entered(self, bar: int, layer: int) -> bool:
        """Layers come in a bar apart, in longer pieces two; the last bar is the chord's."""
        step = 2 if self.bars >= 12 else 1
        return self.bars <= 2 or (bar >= layer * step and not self._is_last(bar))

    def _note(self, degree: int) -> int:
        octave, step = divmod(degree, len(self.mood.scale))
        return self.key + 12 * octave + self.mood.scale[step]

    def _chord(self, degree: int) -> list[int]:
        """Four voices, close to the key whatever the chord."""
        notes = [self._note(degree + third) for third in (0, 2, 4, 6 if degree else 7)]
        return sorted(note - 12 if note > self.key + 14 else note for note in notes)

    def _lay(self, at: int, wave: Wave, left: float, right: float) -> None:
        end = min(at + len(wave), len(self.left))
        if end > at:
            self.left[at:end] += wave[: end - at] * left
            self.right[at:end] += wave[: end - at] * right

    def _pad(self, bar: int, degree: int) -> None:
        count = self.bar + self.beat
        shape = swell(count, self.beat // 2, self.beat)
        for voice, note in enumerate(self._chord(degree)):
            start = self.chance.integer(0, (1 << 32) - 1)
            one = tone(_PAD, note - 0.04, count, start=start) * shape
            two = tone(_PAD, note + 0.05, count, start=start // 3) * shape
            lean = 0.25 + voice / 6
            self._lay(bar * self.bar, one, 0.11 * (1 - lean), 0.11 * lean)
            self._lay(bar * self.bar, two, 0.11 * lean, 0.11 * (1 - lean))

    def _bass(self, bar: int, degree: int) -> None:
        note = self._note(degree) - 24
        note += 12 if note < 33 else 0
        for beat, length in ((0, 2.4), (2.5, 1.4)) if self.mood.drums else ((0, 3.6),):
            count = int(self.beat * length)
            wave = tone(_BASS, note, count) * swell(count, RATE // 90, count // 2)
            self._lay(bar * self.bar + int(beat * self.beat), wave, 0.26, 0.26)

    def _arpeggio(self) -> None:
        """Plucked notes of the chord, thrown from side to side by an echo."""
        plain = np.zeros_like(self.left)
        gap = self.beat // self.mood.notes
        shape = _BELL if self.mood.bright else _SOFT
        for bar in range(self.bars):
            if not self._has_entered(bar, 2):
                continue
            chord = self._chord(self.chords[bar % len(self.chords)])
            ladder = [note + 12 for note in chord] + [chord[0] + 24, chord[1] + 24]
            for step in range(_BEATS * self.mood.notes):
                if self.chance.share() < 0.14:
                    continue  # a rest, now and then
                place = self.pattern[step % len(self.pattern)]
                count = min(self.beat * 2, RATE * 2)
                loud = 0.22 if step % self.mood.notes == 0 else 0.15
                at = bar * self.bar + step * gap
                wave = tone(shape, ladder[place], count) * pluck(count) * loud
                plain[at : at + count] += wave[: len(plain) - at]
        delay = self.beat * 3 // 4
        late = np.concatenate([np.zeros(delay), plain[:-delay]])
        self.left += plain * 0.8 + echo(late, 2 * delay, 0.35) * 0.32
        self.right += plain * 0.55 + echo(late, 2 * delay, 0.35) * 0.5

    def _drums(self) -> None:
        strength = self.mood.drums
        kick, rim, hat = _kick(), _rim(self.chance.child("rim")), _hat(self.chance.child("hat"))
        for bar in range(self.bars):
            if not self._has_entered(bar, 3):
                continue
            at = bar * self.bar
            for beat in (0, 2):
                self._lay(at + beat * self.beat, kick, 0.5 * strength, 0.5 * strength)
            for beat in (1, 3):
                self._lay(at + beat * self.beat, rim, 0.13 * strength, 0.17 * strength)
            for half in range(2 * _BEATS):
                loud = (0.06 if half % 2 else 0.035) * strength
                self._lay(at + half * self.beat // 2, hat, loud * 1.2, loud * 0.8)


def _kick() -> Wave:
    count = RATE // 4
    fall = ramp(count, 1.0, 0.0)
    hertz = fall * fall * fall * 70.0 + 46.0
    steps = np.rint(hertz * ((1 << 32) / RATE)).astype(np.int64)
    return glide(table({1: 1000}), steps) * pluck(count, rise=40)


def _rim(chance: Chance) -> Wave:
    count = RATE // 8
    noise = chance.table(count).astype(np.float64) - 0.5
    return (softened(noise, 4) * 1.6 + tone(_SOFT, 62, count) * 0.3) * pluck(count, rise=20)


def _hat(chance: Chance) -> Wave:
    count = RATE // 16
    noise = chance.table(count).astype(np.float64) - 0.5
    return (noise - softened(noise, 6)) * pluck(count, rise=10) * 2.0
