"""What a film about a topic says and shows: lines chosen from a storyboard, the same each time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from renderer.digest import digest_of
from renderer.pacing import spoken_seconds
from renderer.spec.topic import TopicSpec
from renderer.storyboards.template import PLACEHOLDER, Scene, Storyboard
from renderer.timebase import exact
from renderer.user_text import safe_text

_MOST = 300
_SENTENCES = re.compile(r"(?<=[.!?…]) |(?<=[。！？])")
_SEEDS = 2_147_483_647
_LINE = 64
"""Letters of one caption: two lines on a film, three on a telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One scene, chosen. Times in tenths of a second, on the clock of the film."""

    heading: str
    say: str
    picture: str
    seed: int
    start: int
    length: int
    spoken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The whole film in words: the title first."""

    topic: str
    music: str
    title: Shot
    scenes: tuple[Shot, ...]

    @property
    def length(self) -> int:
        """Tenths of a second."""
        last = self.shots[-1]
        return last.start + last.length

    @property
    def shots(self) -> tuple[Shot, ...]:
        """The title, then the scenes."""
        return (self.title, *self.scenes)


def script_of(spec: TopicSpec, board: Storyboard) -> Script:
    """The words of the film about a topic."""
    return _Writer(spec, board).script()


def caption_lines(text: str) -> tuple[str, ...]:
    """A text in pieces that are read at one glance, cut where sentences or their parts end."""
    pieces: list[str] = []
    for sentence in _SENTENCES.split(" ".join(text.split())):
        if pieces and len(pieces[-1]) + len(sentence) < _LINE * 3 // 4:
            pieces[-1] = f"{pieces[-1]} {sentence}"
        else:
            pieces += _parts(sentence)
    return tuple(piece for piece in pieces if piece)


def _parts(sentence: str) -> list[str]:
    """A sentence that is too long in halves, and these again: best cut after a comma."""
    ends = [match.start() for match in re.finditer(" ", sentence)]
    if len(sentence) <= _LINE or not ends:
        return [sentence]

    def badness(end: int) -> int:
        return abs(2 * end - len(sentence)) - (_LINE if sentence[end - 1] in ",;:" else 0)

    cut = min(ends, key=badness)
    return [*_parts(sentence[:cut]), *_parts(sentence[cut + 1 :])]


@dataclass(slots=True)
class _Writer:
    spec: TopicSpec
    board: Storyboard
    topic: str = field(init=False)
    _count: int = field(init=False)

    def __post_init__(self) -> None:
        self.topic = safe_text(self.spec.topic, at_most=_MOST) or "…"
        self._count = len(self.spec.points) or self.spec.scenes

    def script(self) -> Script:
        board = self.board
        shots: list[Shot] = []
        for number, scene in enumerate((board.title, *self._scenes())):
            shots.append(self._shot(scene, number, shots))
        music = self.spec.music or board.music
        return Script(
            topic=self.topic,
            music=self._filled(safe_text(music, at_most=_MOST) if self.spec.music else music),
            title=shots[0],
            scenes=tuple(shots[1:]),
        )

    def _scenes(self) -> tuple[Scene, ...]:
        """The first, some from the middle in their order, the last."""
        board = self.board
        wanted = max(1, self._count - 2)
        pool = [*range(len(board.scenes))] * (-(-wanted // len(board.scenes)))
        ranked = sorted(range(len(pool)), key=lambda place: self._number("scene", place))
        middle = [board.scenes[pool[place]] for place in sorted(ranked[:wanted])]
        return (board.first, *middle, board.last)[: max(self._count, 1)]

    def _shot(self, scene: Scene, number: int, before: Sequence[Shot]) -> Shot:
        points = self.spec.points
        say = self._line(scene.say, "say", number)
        if number and points:
            say = safe_text(points[number - 1], at_most=_MOST) or "…"
        pace = self.board.pace
        spoken = _tenths(spoken_seconds(say, pace=pace.words_a_minute) * (100 + pace.slack) / 100)
        length = max(_tenths(exact(pace.least_s)), spoken + _tenths(exact(pace.rest_s)))
        return Shot(
            heading=self._heading(scene, number),
            say=say,
            picture=self._line(scene.picture, "picture", number),
            seed=self._number("seed", number) % _SEEDS,
            start=before[-1].start + before[-1].length if before else 0,
            length=length,
            spoken=spoken,
        )

    def _heading(self, scene: Scene, number: int) -> str:
        """Points have no headings, and the first words below a title fit them too."""
        if not self.spec.points:
            return self._line(scene.heading, "heading", number)
        return "" if number else self._filled(scene.heading[0])

    def _line(self, lines: Sequence[str], kind: str, number: int) -> str:
        return self._filled(lines[self._number(kind, number) % len(lines)])

    def _filled(self, line: str) -> str:
        """A line with the topic in it. Words are put in once and never read again."""
        values = {"topic": self.topic, "count": _in_words(self._count)}
        text = PLACEHOLDER.sub(lambda match: values[match[1]], line)
        return text[:1].upper() + text[1:]

    def _number(self, kind: str, number: int) -> int:
        """A number that follows from topic, storyboard and seed."""
        recipe = [self.topic, self.board.reference, self.spec.seed, kind, number]
        return int(digest_of(recipe)[:12], 16)


def _tenths(seconds: Fraction) -> int:
    """Rounded up, so that nothing is cut off."""
    return -(-seconds.numerator * 10 // seconds.denominator)


def _in_words(count: int) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
    return words[count] if count < len(words) else str(count)
