"""Every script shows real glyphs, shaped and ordered as its readers expect."""

import pytest
from PIL import Image, ImageChops

from renderer.fonts import load_fonts
from renderer.text.draw import draw
from renderer.text.runs import shaped
from renderer.text.style import TextStyle
from renderer.text.typeset import TextBlock, ruler_for, typeset

FONTS = load_fonts()
STYLE = TextStyle(families=("Noto Sans",), size_px=40, max_width_px=2000, max_height_px=400)

SCRIPTS = {
    "Latin": "Žluťoučký kůň, Ørsted, ﬁre",
    "Cyrillic": "Съешь ещё этих булок",
    "Greek": "Ξεσκεπάζω τὴν ψυχοφθόρα",
    "Arabic": "مرحبا بالعالم، لا بأس",
    "Hebrew": "שָׁלוֹם עולם",
    "Hindi": "नमस्ते क्षत्रिय विद्यार्थी",
    "Thai": "สวัสดีชาวโลก น้ำ",
    "Chinese": "汉字排版，測試。",
    "Japanese": "日本語とカタカナ「ー」",
    "Korean": "안녕하세요 세계",
    "emoji": "🎉👩‍🚀🇸🇪👍🏽❤️1️⃣",
    "Bengali": "বাংলা ভাষা",
    "Tamil": "தமிழ் மொழி",
    "Khmer": "ភាសាខ្មែរ",
    "Georgian": "ქართული ენა",
}


def glyph_ids(text: str) -> list[list[int]]:
    """The glyph numbers of each run, from left to right."""
    block = typeset(text, STYLE, FONTS)
    ruler = ruler_for(STYLE, block.size_px, FONTS)
    runs = [run for line in block.lines for run in line.runs]
    return [[glyph.id for glyph in shaped(run, ruler.font(run))] for run in runs]


def picture(text: str) -> Image.Image:
    return draw(typeset(text, STYLE, FONTS), FONTS)


def left_to_right(text: str) -> str:
    """The characters of a line as the eye meets them."""
    block: TextBlock = typeset(text, STYLE, FONTS)
    (line,) = block.lines
    ordered = sorted(line.runs, key=lambda run: run.x)
    return "".join(run.text[::-1] if run.is_rtl else run.text for run in ordered)


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_no_glyph_of_a_script_is_the_empty_box(text: str) -> None:
    assert typeset(text, STYLE, FONTS).missing == ()
    assert all(0 not in run for run in glyph_ids(text))


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_every_script_leaves_ink_across_its_whole_width(text: str) -> None:
    drawn = picture(text)
    box = drawn.getchannel("A").getbbox()
    assert box is not None
    assert box[2] - box[0] > drawn.width * 0.8
    tofu = picture("\U000f0000" * len(text))
    same_size = drawn.resize(tofu.size)
    assert ImageChops.difference(same_size, tofu).getbbox() is not None


def test_arabic_letters_take_the_form_of_their_place_in_the_word() -> None:
    (word,), (alone,) = glyph_ids("ببب"), glyph_ids("ب")
    dot, letter = alone  # this face draws the dot by itself
    assert word.count(dot) == 3
    assert len({*word, letter}) == 5  # the dot; initial, medial, final and isolated form
    assert glyph_ids("لا") != glyph_ids("ل\u200cا")  # the lam-alef ligature


def test_the_first_arabic_letter_stands_on_the_right() -> None:
    (word,), (alef,) = glyph_ids("ورا"), glyph_ids("ا")
    assert word[0] == alef[0]


def test_hindi_consonants_join_and_the_short_i_moves_before_its_consonant() -> None:
    (conjunct,) = glyph_ids("क्ष")
    assert len(conjunct) == 1
    (apart,) = glyph_ids("क\u094d\u200cष")
    assert len(apart) > 1
    (ki,) = glyph_ids("कि")
    (ka,) = glyph_ids("क")
    assert ki[-1] == ka[0]


def test_thai_marks_stack_over_their_letter_and_take_no_room() -> None:
    width = typeset("ก", STYLE, FONTS).size[0]
    assert abs(typeset("กี่", STYLE, FONTS).size[0] - width) <= 6


def test_one_sequence_of_emoji_is_one_glyph() -> None:
    one = glyph_ids("😀")
    assert [len(run) for run in one] == [1]
    for sequence in ("👩‍🚀", "👨‍👩‍👧‍👦", "🇸🇪", "👍🏽", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏳️‍🌈", "1️⃣"):
        ruler = ruler_for(STYLE, 40, FONTS)
        (run,) = typeset(sequence, STYLE, FONTS).lines[0].runs
        moving = [glyph for glyph in shaped(run, ruler.font(run)) if glyph.advance]
        assert len(moving) == 1, sequence


def test_emoji_bring_their_colours_and_letters_do_not() -> None:
    def colours(text: str) -> set[tuple[int, ...]]:
        counted = picture(text).getcolors(1 << 20) or []
        return {tuple(colour[:3]) for _, colour in counted if colour[3] == 255}

    assert len(colours("😀")) > 20
    assert colours("A") == {(255, 255, 255)}


def test_a_selector_chooses_between_the_sign_and_the_picture() -> None:
    def is_coloured(text: str) -> bool:
        (run,) = typeset(text, STYLE, FONTS).lines[0].runs
        return FONTS.face(run.face_key).has_colour

    assert is_coloured("❤\ufe0f")
    assert is_coloured("©\ufe0f")
    assert not is_coloured("❤\ufe0e")
    assert not is_coloured("#1©")
    assert is_coloured("⭐")


def test_han_characters_take_the_shapes_of_the_language_around_them() -> None:
    def face(text: str) -> set[str]:
        return {
            FONTS.face(run.face_key).family for run in typeset(text, STYLE, FONTS).lines[0].runs
        }

    assert face("直骨") == {"Noto Sans CJK SC"}
    assert face("直骨の") == {"Noto Sans CJK JP"}
    assert face("直骨은") == {"Noto Sans CJK KR"}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("abc שלום def", "abc םולש def"),
        ("שלום (abc) עולם", "םלוע )abc( םולש"),  # each bracket drawn mirrored by its run
        ("abc (שלום) def", "abc (םולש) def"),
        ("שלום 123 עולם", "םלוע 123 םולש"),
        ("abc שלום 123", "abc 123 םולש"),
    ],
)
def test_mixed_lines_are_read_in_the_order_of_their_directions(text: str, seen: str) -> None:
    assert left_to_right(text) == seen


def test_brackets_in_right_to_left_text_are_mirrored() -> None:
    opening, closing = glyph_ids("(")[0][0], glyph_ids(")")[0][0]
    before_hebrew = [number for run in glyph_ids("(א") for number in run]
    assert closing in before_hebrew
    assert opening not in before_hebrew
