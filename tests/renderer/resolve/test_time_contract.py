"""The contract of docs/time.md, held against generated specs."""

import itertools
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.inputs import Inputs, Pin, inputs_of
from renderer.media import AudioFacts, MediaInfo, MediaKind
from renderer.resolve.longform import lower
from renderer.resolve.schedule import Schedule, schedule
from renderer.resolve.sound import sound_mix
from renderer.spec.model import LongformSpec, VideoSpec
from renderer.timebase import frame_to_sample, parse_rate, round_half_up

RATES = ("24", "25", "30", "60", "24000/1001", "30000/1001", "60000/1001", "12.5")
STILL = Fraction(5)


def scheduled(tracks: list[list[Any]], rate: str, **output: Any) -> Schedule:
    spec = VideoSpec.model_validate({
        "reelkiln": 1,
        "output": {"fps": rate if "/" in rate else float(rate), **output},
        "tracks": [{"clips": clips} for clips in tracks],
    })  # fmt: skip
    fps = parse_rate(spec.output.fps)
    return schedule(spec, fps, lambda clip: (STILL * fps, False))


def card(length: str, **more: Any) -> dict[str, Any]:
    return {"colour": "red", "length": length, **more}


lengths = st.integers(100, 20_000).map(lambda ms: f"{ms}ms")
clips = st.lists(lengths.map(card), min_size=1, max_size=30)


@given(clips=clips, rate=st.sampled_from(RATES))
def test_clips_in_sequence_neither_overlap_nor_leave_a_gap(clips: list[Any], rate: str) -> None:
    made = scheduled([clips], rate)
    assert not made.faults
    assert made.spans[0].start == 0
    assert made.spans[-1].end == made.total
    for before, after in zip(made.spans, made.spans[1:], strict=False):
        assert before.end == after.start


@given(clips=clips, rate=st.sampled_from(RATES))
def test_no_sequence_drifts_from_the_times_as_written(clips: list[Any], rate: str) -> None:
    seconds = sum(Fraction(clip["length"][:-2]) / 1000 for clip in clips)
    assert scheduled([clips], rate).total == round_half_up(seconds * parse_rate(rate))


@given(
    lengths=st.lists(st.integers(2_000, 9_000), min_size=2, max_size=12),
    join=st.integers(100, 900),
    rate=st.sampled_from(RATES),
)
def test_a_transition_covers_exactly_what_its_neighbours_share(
    lengths: list[int], join: int, rate: str
) -> None:
    items: list[Any] = []
    for ms in lengths:
        items += [card(f"{ms}ms"), {"transition": "fade", "length": f"{join}ms"}]
    made = scheduled([items[:-1]], rate)
    assert not made.faults
    fps = parse_rate(rate)
    for slot, span in zip(made.slots[1:], made.spans[1:], strict=True):
        assert slot.join is not None
        assert slot.join.length == made.spans[slot.previous].end - span.start
        assert abs(slot.join.length - join * fps / 1000) < 1
    whole = Fraction(sum(lengths) - join * (len(lengths) - 1), 1000)
    assert made.total == round_half_up(whole * fps)


@given(
    gap=st.integers(50, 5_000), start=st.integers(0, 60_000), rate=st.sampled_from(RATES),
    offset=st.integers(0, 3_000),
)  # fmt: skip
def test_times_that_point_at_each_other_meet_on_the_frame(
    gap: int, start: int, rate: str, offset: int
) -> None:
    made = scheduled(
        [
            [card("3333ms", id="a", start=f"{start}ms"), {"gap": f"{gap}ms"}, card("1s", id="b")],
            [card("1500ms", start={"after": "a", "offset": f"{offset}ms"})],
            [card("with:a", start="with:a")],
            [card("end", start="after:b")],
        ],
        rate,
        duration="2:00",
    )
    a, b, follower, twin, rest = made.spans
    fps = parse_rate(rate)
    assert not made.faults
    assert twin == a
    assert rest.start == b.end
    assert rest.end == made.total == round_half_up(120 * fps)
    assert follower.start == round_half_up(Fraction(start + 3333 + offset, 1000) * fps)
    assert b.start == round_half_up(Fraction(start + 3333 + gap, 1000) * fps)


@pytest.mark.parametrize("pieces", [1, 3, 1080])
def test_three_hours_at_29_97_end_on_the_exact_frame(pieces: int) -> None:
    clips = [card(f"{10_800 // pieces}s") for _ in range(pieces)]
    assert scheduled([clips], "30000/1001").total == 323_676
    assert scheduled([clips], "24000/1001").total == 258_941


def sounds(*seconds: Fraction) -> Inputs:
    def pin(number: int, length: Fraction) -> Pin:
        facts = AudioFacts(
            codec="pcm_s16le", sample_rate=48_000, channels=2, start=Fraction(0), duration=length
        )
        media = MediaInfo(kind=MediaKind.AUDIO, media_type="audio/wav", demuxer="wav", audio=facts)
        return Pin(source=f"{number}.wav", sha256=f"{number:064x}", size_bytes=1, media=media)

    return inputs_of(pin(n, length) for n, length in enumerate(seconds))


@given(
    samples=st.lists(st.integers(4_800, 40_000_000), min_size=1, max_size=6),
    rate=st.sampled_from(RATES),
)
def test_sound_in_sequence_ends_on_the_sample_where_the_last_frame_ends(
    samples: list[int], rate: str
) -> None:
    inputs = sounds(*(Fraction(n, 48_000) for n in samples))
    fps = parse_rate(rate)
    document = {
        "reelkiln": 1,
        "kind": "longform",
        "output": {"fps": rate if "/" in rate else float(rate)},
        "backgrounds": [{"image": "a.png"}],
        "audio": [{"audio": source} for source in inputs.pins],
    }
    spec = lower(LongformSpec.model_validate(document), inputs, fps)
    made = schedule(spec, fps, lambda clip: _natural(clip, inputs, fps))
    assert not made.faults
    assert made.total == round_half_up(Fraction(sum(samples), 48_000) * fps)
    mix, _ = sound_mix(spec, inputs, made, fps)
    pieces = mix.tracks[0].pieces
    assert pieces[0].start == 0
    assert all(a.end == b.start for a, b in itertools.pairwise(pieces))
    assert pieces[-1].end == frame_to_sample(made.total, fps)
    assert abs(pieces[-1].end - sum(samples)) <= 48_000 / fps / 2 + 1


def _natural(clip: Any, inputs: Inputs, fps: Fraction) -> tuple[Fraction, bool]:
    audio = getattr(clip, "audio", None)
    if audio is None:
        return STILL * fps, False
    facts = inputs.media(audio).audio
    assert facts is not None
    return facts.duration * fps, True
