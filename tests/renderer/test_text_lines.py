"""Where lines end, and how letters shrink to fit."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderer.fonts import load_fonts
from renderer.text.graphemes import clusters, line_breaks
from renderer.text.style import Align, TextStyle
from renderer.text.typeset import TextBlock, typeset

FONTS = load_fonts()
NARROW = TextStyle(families=("Noto Sans",), size_px=32, max_width_px=200, max_height_px=4000)


def block(text: str, **changes: object) -> TextBlock:
    return typeset(text, replace(NARROW, **changes), FONTS)  # type: ignore[arg-type]


def texts(text: str, **changes: object) -> list[str]:
    return [line.text for line in block(text, **changes).lines]


def pieces(text: str) -> list[str]:
    cuts = sorted(line_breaks(text))
    return [text[start:end] for start, end in zip((0, *cuts), cuts, strict=False)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("well-known fact", "well-|known |fact"),
        ("汉字。汉「字」", "汉|字。|汉|「字」"),
        ("ラーメンっぽい", "ラー|メ|ンっ|ぽ|い"),  # no small kana and no long mark begins a line
        ("สวัสดีชาวโลก", "สวัสดี|ชาว|โลก"),
        ("ភាសាខ្មែរជាភាសា", "ភាសាខ្មែរ|ជា|ភាសា"),
        ("100\u00a0km away", "100\u00a0km |away"),
        ("👩‍🚀👨‍👩‍👧‍👦🇸🇪🇳🇴", "👩‍🚀|👨‍👩‍👧‍👦|🇸🇪|🇳🇴"),
    ],
)
def test_a_line_may_end_where_readers_of_the_script_expect(text: str, wanted: str) -> None:
    assert pieces(text) == wanted.split("|")


def test_korean_words_and_japanese_phrases_stay_whole_where_they_can() -> None:
    assert texts("안녕하세요 세계", max_width_px=180) == ["안녕하세요", "세계"]
    title = "日本語のタイトル「カッコ」をテストします。"
    assert texts(title, max_width_px=280) == ["日本語のタイトル", "「カッコ」を", "テストします。"]
    assert len(texts("안녕하세요반갑습니다", max_width_px=180)) > 1


def test_clusters_keep_what_is_one_to_the_eye() -> None:
    text = "e\u0301👩‍🚀🇸🇪🇳🇴นี้क्षि"
    assert clusters(text) == ("e\u0301", "👩‍🚀", "🇸🇪", "🇳🇴", "นี้", "क्षि")


def test_thai_without_spaces_keeps_within_its_room_and_breaks_between_words() -> None:
    text = "สวัสดีชาวโลกนี่คือประเทศไทยที่สวยงามมาก"
    found = block(text, align=Align.START)
    lines = [line.text for line in found.lines]
    assert len(lines) > 1
    assert found.size[0] <= NARROW.max_width_px
    assert found.size_px == NARROW.size_px
    ends = {len("".join(lines[: n + 1])) for n in range(len(lines))}
    assert ends <= line_breaks(text)


def test_lines_of_a_centred_title_are_about_equally_long() -> None:
    title = "one two three four five six seven eight"
    filled = texts(title, max_width_px=420, align=Align.START)
    balanced = texts(title, max_width_px=420, align=Align.CENTER)
    assert len(filled) == len(balanced)
    assert len(filled[-1]) < len(balanced[-1])


def test_letters_shrink_before_a_word_is_torn() -> None:
    found = block("incomprehensible", max_width_px=200)
    assert [line.text for line in found.lines] == ["incomprehensible"]
    assert NARROW.size_px / 2 <= found.size_px < NARROW.size_px


def test_a_word_too_long_at_half_the_size_is_torn_at_full_size() -> None:
    found = block("x" * 60)
    assert len(found.lines) > 1
    assert "".join(line.text for line in found.lines) == "x" * 60
    assert found.size_px == NARROW.size_px
    assert found.size[0] <= NARROW.max_width_px


def test_a_torn_word_keeps_its_clusters() -> None:
    lines = texts("👨‍👩‍👧‍👦\u2060" * 12, max_width_px=150, max_height_px=400)
    assert all(line.replace("\u2060", "").replace("👨‍👩‍👧‍👦", "") == "" for line in lines)


def test_a_very_long_text_fits_by_shrinking() -> None:
    found = block("many words of no importance " * 60, max_width_px=640, max_height_px=360)
    assert found.overflow == (0, 0)
    assert found.size_px < NARROW.size_px


def test_what_fits_at_no_size_is_cut_off_and_says_so() -> None:
    found = block("a\n" * 5000, max_height_px=60)
    assert found.size_px == 4
    assert found.size[1] == 60
    assert found.overflow[0] == 0
    assert found.overflow[1] > 5000
    assert len(found.lines) < 20


def test_text_that_fills_its_room_to_the_last_pixel_does_not_shrink() -> None:
    # In small letters the soft edges reach beyond the pen.
    sizes = {block("汉" * 30, size_px=6, max_width_px=width).size_px for width in range(60, 72)}
    assert sizes == {6}


def test_no_letter_space_hangs_after_the_last_letter() -> None:
    spaced = block("ab", letter_spacing_px=30).size[0]
    assert block("ab").size[0] + 29 <= spaced <= block("ab").size[0] + 31


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(alphabet="abc def-ß שלם عرب ไทยดี 漢字かな。「」 한국 🇸🇪👩\u200d🚀\n", max_size=60),
    width=st.integers(60, 500),
)
def test_lines_hold_every_character_and_never_leave_the_room(text: str, width: int) -> None:
    found = block(text, max_width_px=width)
    assert found.overflow[0] == 0
    kept = "".join(line.text for line in found.lines)
    blanks = str.maketrans("", "", " \n")
    assert kept.translate(blanks) == text.translate(blanks)
