import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderer.user_text import CLOSE, OPEN, SECTION, safe_text

HOSTILE = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(
            [OPEN, CLOSE, SECTION, "{{subject}}", "{%", "${", "\n", "\r", "\u2028", "\x85", "\0",
             "\u200b", "\u202e", "\U000e0041", "`", "‹", "\u1fef", "\u0338", "<", ">", "#", "﹟"],
        ),
    ),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(HOSTILE, st.integers(1, 80))
def test_what_is_left_is_one_short_visible_line_without_marks(text: str, most: int) -> None:
    safe = safe_text(text, at_most=most)
    assert len(safe) <= most
    assert len(safe.splitlines()) <= 1
    assert not set("<>{}[]`#\\") & set(safe)
    assert all(c == " " or unicodedata.category(c)[0] not in "CZ" for c in safe)
    assert unicodedata.is_normalized("NFC", safe)
    assert safe_text(safe, at_most=most) == safe


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("a\u200bb\u202ec", "abc"),
        ("  two\n\nlines\u2028here ", "two lines here"),
        ("\u1fef \u037e", "' ;"),
        ("z" + "\u0301" * 40, "\u017a" + "\u0301" * 4),
        ("plain words, 5 % & more: été!", "plain words, 5 % & more: été!"),
        ("\u3164\u2800\U000e0041", ""),
    ],
)
def test_words_stay_and_tricks_go(given: str, left: str) -> None:
    assert safe_text(given, at_most=100) == left
