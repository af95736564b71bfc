from hypothesis import given
from hypothesis import strategies as st

from daemon.dispatch import AGEING_S
from daemon.watching.drops import Arrival, DropKind, Seen, Signature
from daemon.watching.line import Line
from daemon.watching.passes import Candidate

FOLDERS = {"high": 1, "": 2, "low": 3}


def one(name: str, folder: str = "", came: float = 0.0, due: float = 0.0) -> Candidate:
    seen = Seen(Signature(1, 9, 0, int(came * 1e9)), 0.0)
    return Candidate(folder, name, DropKind.JSON, 0o100644, seen, Arrival.UNKNOWN, due, False)


def taken(line: Line, wall: float = 0.0) -> list[str]:
    found = []
    while (candidate := line.first(FOLDERS, wall)) is not None:
        found.append(candidate.name)
    return found


def lined_up(*candidates: Candidate) -> Line:
    line = Line()
    for candidate in candidates:
        line.put(candidate)
    for candidate in line.due(0.0):
        line.may_go(candidate)
    return line


def test_the_higher_class_goes_first_then_who_came_first() -> None:
    line = lined_up(
        one("low", "low", 1), one("b", came=3), one("a", came=3), one("late", "high", 9)
    )
    assert taken(line, 10) == ["late", "a", "b", "low"]


def test_a_long_queue_of_a_higher_class_starves_nobody() -> None:
    fresh = [one(str(n), "high", 2 * AGEING_S + n) for n in range(50)]
    assert taken(lined_up(one("old", "low", 0), *fresh), 2 * AGEING_S + 60)[0] == "old"


def test_what_was_forgotten_or_seen_anew_does_not_go() -> None:
    gone, changed = one("gone"), one("changed")
    line = lined_up(gone, changed, one("there"))
    line.forget(gone)
    line.put(one("changed", came=1, due=5.0))
    assert taken(line) == ["there"]
    assert line.next_due == 5.0
    assert len(line) == 2


def test_a_folder_that_is_away_keeps_its_place() -> None:
    line = lined_up(one("low", "low"))
    assert line.first({"": 2}, 0.0) is None
    assert taken(line) == ["low"]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), unique_by=lambda x: x[0]))
def test_none_is_due_before_its_time_and_none_is_left_after_it(
    drops: list[tuple[int, int]],
) -> None:
    line = Line()
    line.replace("", {str(n): one(str(n), due=due) for n, due in drops})
    for now in range(21):
        assert {c.due for c in line.due(now)} <= {now}
    assert line.next_due is None
