from hypothesis import given
from hypothesis import strategies as st

from daemon.dispatch import AGEING_S, Waiting, order
from daemon.jobs import Priority

waiting = st.lists(
    st.builds(
        Waiting,
        name=st.uuids().map(str),
        priority=st.sampled_from(Priority),
        arrived=st.floats(0, 5000),
        not_before=st.floats(0, 5000),
    ),
    max_size=20,
)


def one(name: str, priority: Priority = Priority.NORMAL, arrived: float = 0.0) -> Waiting:
    return Waiting(name=name, priority=priority, arrived=arrived)


def test_the_higher_class_goes_first_and_equals_go_by_arrival() -> None:
    late = one("late", Priority.HIGH, 9)
    queue = [one("low", Priority.LOW, 1), one("b", arrived=3), one("a", arrived=3), late]
    assert [w.name for w in order(queue, 10)] == ["late", "a", "b", "low"]


def test_nobody_starves() -> None:
    old = one("old", Priority.LOW, 0)
    fresh = [one(str(n), Priority.HIGH, 2 * AGEING_S + n) for n in range(5)]
    assert order([*fresh, old], 2 * AGEING_S + 10)[0] is old


@given(waiting, st.floats(0, 5000))
def test_only_those_whose_time_has_come_are_started(queue: list[Waiting], now: float) -> None:
    chosen = order(queue, now)
    assert set(chosen) == {w for w in queue if w.not_before <= now}
    assert [w.rank(now) for w in chosen] == sorted(w.rank(now) for w in chosen)
