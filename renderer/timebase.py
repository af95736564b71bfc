"""Exact time: text becomes fractions, fractions become whole frames and whole samples.

Floats die here. The rounding rules are the contract of docs/time.md:

- starts and lengths are added up exactly; only the edges of clips are rounded to frames,
  halves away from zero, so that nothing drifts and joints neither overlap nor gap;
- frame `n` begins at sample `round(n * rate / fps)`, so neighbours share their edge and
  joints neither overlap nor gap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

SAMPLE_RATE = 48_000
"""Samples per second of every mix."""

TIME_PATTERN = (
    r"^(?:[0-9]+(?:\.[0-9]+)?(?:s|ms)?"  # 5, 5s, 2.5s, 250ms
    r"|(?:[0-9]+:)?[0-9]+:[0-5]?[0-9](?:\.[0-9]+)?"  # 1:02.5, 1:02:03
    r"|[0-9]+f)$"  # 48f
)
"""What a time may look like as text; the JSON Schema publishes the same pattern."""

_COMMON_RATES = {
    "23.976": Fraction(24000, 1001),
    "23.98": Fraction(24000, 1001),
    "29.97": Fraction(30000, 1001),
    "47.952": Fraction(48000, 1001),
    "59.94": Fraction(60000, 1001),
    "119.88": Fraction(120000, 1001),
}


@dataclass(frozen=True, slots=True, order=True)
class Time:
    """A time as written: seconds, or a count of frames of the output. Exact either way."""

    seconds: Fraction = Fraction(0)
    frames: int = 0

    def exact_frames(self, fps: Fraction) -> Fraction:
        """Frames at `fps`, with whatever is left of one."""
        return self.seconds * fps + self.frames

    def to_frames(self, fps: Fraction) -> int:
        """Whole frames at `fps`, halves away from zero."""
        return round_half_up(self.exact_frames(fps))

    def to_seconds(self, fps: Fraction) -> Fraction:
        """Exact seconds, frames counted at `fps`."""
        return self.seconds + self.frames / fps


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Frames from `start` up to but not including `end`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"span ends before it starts: {self.start}..{self.end}")

    @property
    def length(self) -> int:
        """How many frames."""
        return self.end - self.start

    def overlaps(self, other: Span) -> bool:
        """Whether the two share a frame."""
        return self.start < other.end and other.start < self.end

    def shifted(self, frames: int) -> Span:
        """The span moved by `frames`."""
        return Span(self.start + frames, self.end + frames)

    def clamped(self, limit: Span) -> Span:
        """The part inside `limit`; empty (at its edge) when there is none."""
        start = min(max(self.start, limit.start), limit.end)
        return Span(start, min(max(self.end, start), limit.end))


def round_half_up(value: Fraction) -> int:
    """The nearest whole number, halves away from zero (as people round times)."""
    sign = -1 if value < 0 else 1
    return sign * ((2 * abs(value).numerator + abs(value).denominator) // (2 * value.denominator))


def exact(number: int | float | str | Decimal) -> Fraction:
    """A number exactly as it is written in decimal: 0.1 is one tenth."""
    return Fraction(str(number)) if isinstance(number, float) else Fraction(number)


def parse_time(value: int | float | str) -> Time:
    """A time from `5`, `2.5`, `"5s"`, `"250ms"`, `"1:02.5"`, `"1:02:03"` or `"48f"`.

    Raises ValueError with a sentence for people.
    """
    if isinstance(value, bool) or (isinstance(value, float) and not _is_finite(value)):
        raise ValueError("a time is a number of seconds or text such as 1:02.5 or 48f")
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"{value} is before zero; a time cannot be negative")
        return Time(seconds=exact(value))
    text = value.strip()
    if not re.match(TIME_PATTERN, text):
        raise ValueError(f"{value!r} is not a time; write 5, 2.5s, 250ms, 1:02.5 or 48f")
    return _parse_time_text(text)


def _parse_time_text(text: str) -> Time:
    if text.endswith("f"):
        return Time(frames=int(text[:-1]))
    if text.endswith("ms"):
        return Time(seconds=exact(text[:-2]) / 1000)
    if text.endswith("s"):
        return Time(seconds=exact(text[:-1]))
    seconds = Fraction(0)
    for part in text.split(":"):
        seconds = seconds * 60 + exact(part)
    return Time(seconds=seconds)


def parse_rate(value: int | float | str) -> Fraction:
    """Frames per second from `25`, `"30000/1001"` or the broadcast names `29.97`, `23.976`."""
    text = str(value).strip()
    if text in _COMMON_RATES:
        return _COMMON_RATES[text]
    return Fraction(text)


def frame_to_sample(frame: int, fps: Fraction, rate: int = SAMPLE_RATE) -> int:
    """The first sample of frame `frame`."""
    return round_half_up(frame * rate / fps)


def seconds_text(value: Fraction, places: int = 6) -> str:
    """`value` in plain decimal with `places` digits, for FFmpeg's command lines."""
    scaled = round_half_up(value * 10**places)
    sign = "-" if scaled < 0 else ""
    whole, part = divmod(abs(scaled), 10**places)
    return f"{sign}{whole}.{part:0{places}d}"


def clock_text(value: Fraction) -> str:
    """`value` seconds as people read them: `1:02:03.500`."""
    millis = round_half_up(value * 1000)
    minutes, millis = divmod(millis, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{millis // 1000:02d}.{millis % 1000:03d}"
    return f"{hours}:{minutes:02d}:{text}" if hours else f"{minutes}:{text}"


def _is_finite(value: float) -> bool:
    return value == value and value not in (float("inf"), float("-inf"))
