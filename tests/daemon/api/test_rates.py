from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.api.rates import QueueRoom, Rates
from daemon.api.refusals import QueueFull, TooManyRequests


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def ns(self) -> int:
        return round(self.now * 1e9)


@given(per_minute=st.integers(1, 500), start=st.floats(0, 1e9))
def test_a_full_bucket_gives_a_minutes_worth_and_no_more(per_minute: int, start: float) -> None:
    clock = Clock()
    clock.now = start
    rates = Rates(clock.ns)
    for _ in range(per_minute):
        rates.take("k", per_minute)
    with pytest.raises(TooManyRequests) as refused:
        rates.take("k", per_minute)
    assert 1 <= refused.value.retry_after <= math.ceil(60 / per_minute)


@given(
    per_minute=st.integers(1, 60),
    pauses=st.lists(st.floats(0, 30), max_size=80),
)
def test_in_any_minute_there_are_at_most_two_buckets(per_minute: int, pauses: list[float]) -> None:
    clock, taken = Clock(), []
    rates = Rates(clock.ns)
    for pause in pauses:
        clock.now += pause
        for _ in range(5):
            try:
                rates.take("k", per_minute)
            except TooManyRequests:
                break
            taken.append(clock.now)
    for moment in taken:
        assert len([t for t in taken if moment <= t < moment + 60]) <= 2 * per_minute


@given(per_minute=st.integers(1, 600))
def test_who_waits_as_long_as_was_said_is_let_in(per_minute: int) -> None:
    clock = Clock()
    rates = Rates(clock.ns)
    for _ in range(per_minute):
        rates.take("k", per_minute)
    for _ in range(3):
        try:
            rates.take("k", per_minute)
        except TooManyRequests as refused:
            clock.now += refused.retry_after
            rates.take("k", per_minute)


def test_one_callers_haste_does_not_hold_up_another_and_none_is_without_end() -> None:
    rates = Rates(Clock().ns)
    rates.take("k", 1)
    rates.take("other", 1)
    for _ in range(1000):
        rates.take("k", None)
    with pytest.raises(TooManyRequests):
        rates.take("k", 1)


def test_buckets_that_are_full_again_are_forgotten() -> None:
    clock = Clock()
    rates = Rates(clock.ns)
    for number in range(10_001):
        rates.take(f"k{number}", 60)
        clock.now += 0.001
    clock.now += 0.995
    rates.take("late", 60)
    assert len(rates._full_at) < 1100


def test_the_queue_takes_as_many_as_it_may_and_is_counted_once_a_second() -> None:
    clock, waiting, asked, due = Clock(), [7], [], list[Callable[[], None]]()

    def count() -> int:
        asked.append(clock.now)
        return waiting[0]

    room = QueueRoom(count=count, most=9, clock=clock, later=due.append)
    room.take()
    room.take()
    with pytest.raises(QueueFull) as refused:
        room.take()
    assert refused.value.headers["Retry-After"] == "10"
    assert (len(asked), due) == (1, [])
    waiting[0] = 7
    clock.now += 1
    for _ in range(2):  # they go by what was known, and ask for one count
        with pytest.raises(QueueFull):
            room.take()
    (anew,) = due
    anew()
    assert len(asked) == 2
    clock.now += 1
    room.take()  # asks for another count, which may miss this one
    due[1]()
    room.take()
    with pytest.raises(QueueFull):
        room.take()


def test_a_count_that_fails_is_tried_again() -> None:
    clock, due, counts = Clock(), list[Callable[[], None]](), [9]
    room = QueueRoom(count=lambda: counts.pop(), most=9, clock=clock, later=due.append)
    for _ in range(2):
        with pytest.raises(QueueFull):
            room.take()
        clock.now += 1
    with pytest.raises(IndexError):
        due.pop()()
    counts.append(0)
    with pytest.raises(QueueFull):
        room.take()
    due.pop()()
    room.take()


def test_a_queue_that_takes_long_to_count_is_counted_seldom() -> None:
    clock, due = Clock(), list[Callable[[], None]]()

    def count() -> int:
        clock.now += 0.2
        return 0

    room = QueueRoom(count=count, most=9, clock=clock, later=due.append)
    room.take()
    clock.now += 19.9
    room.take()
    assert due == []
    clock.now += 0.2
    room.take()
    assert len(due) == 1
