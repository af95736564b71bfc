"""The order of mixed directions, against cases worked out with a reference implementation."""

import pytest

from renderer.text.bidi import base_level, levels, visual_order


@pytest.mark.parametrize(
    ("text", "base", "wanted"),
    [
        ("a(ב)c", 0, "00100"),  # a pair that holds the other way, after the edge's way: N0 c2
        ("א(b)ג", 1, "11211"),
        ("a(bב)c", 0, "000100"),  # a pair that holds the edge's way: N0 b
        ("א(ב)c", 0, "11110"),  # N0 c1: the context runs the same way as what is held
        ("א(b)", 0, "1000"),
        ("(ב) 1", 0, "01002"),
        ("א[b(ג)]ד", 1, "11211111"),  # a pair within a pair
        ("a [ב (c) ג] d", 0, "0001000001000"),
        ("א) b (ג", 1, "1112111"),  # no pairs
        ("א 12, 34 ב", 1, "1122112211"),
        ("١٢ ב", 1, "2211"),
        ("$12 א", 0, "00001"),
        ("א «b» ג", 1, "1112111"),  # quotation marks are not brackets
    ],
)
def test_levels_are_those_of_the_standard(text: str, base: int, wanted: str) -> None:
    assert "".join(map(str, levels(text, base))) == wanted


def test_a_mark_after_a_bracket_goes_with_it() -> None:
    assert levels("א(ב)\u0301c", 0) == (1, 1, 1, 1, 1, 0)


def test_the_first_letter_decides_the_direction_of_a_paragraph() -> None:
    assert base_level("12 (שלום) abc") == 1
    assert base_level("... abc שלום") == 0
    assert base_level("123") == 0


def test_runs_are_turned_around_from_the_deepest_level_outwards() -> None:
    assert visual_order((0, 1, 2, 1, 0)) == (0, 3, 2, 1, 4)
    assert visual_order(()) == ()
