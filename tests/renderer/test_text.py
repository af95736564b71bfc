"""Typesetting and drawing, with the installed fonts."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st

from renderer.errors import SourceRefused
from renderer.fonts import load_fonts, text_engine_fingerprint
from renderer.text.bidi import levels, visual_order
from renderer.text.draw import draw
from renderer.text.graphemes import clusters
from renderer.text.style import (
    Align,
    Direction,
    Outline,
    Shadow,
    TextBox,
    TextStyle,
    text_style_from_json,
)
from renderer.text.typeset import typeset

FONTS = load_fonts()
PLAIN = TextStyle(families=("Noto Sans",), size_px=32, max_width_px=400, max_height_px=400)
DRESSED = replace(
    PLAIN,
    outline=Outline(width_px=2, colour=(0, 0, 0, 255)),
    shadow=Shadow(dx=2, dy=3, blur_px=2, colour=(0, 0, 0, 128)),
    box=TextBox(colour=(10, 20, 30, 200), padding_x_px=12, padding_y_px=8, radius_px=6),
)


def families(text: str) -> list[str]:
    block = typeset(text, PLAIN, FONTS)
    return [FONTS.face(run.face_key).family for line in block.lines for run in line.runs]


def texts(text: str, style: TextStyle = PLAIN) -> list[str]:
    return [line.text for line in typeset(text, style, FONTS).lines]


def test_a_style_survives_json() -> None:
    assert text_style_from_json(json.loads(json.dumps(DRESSED.as_json()))) == DRESSED


def test_a_picture_has_exactly_the_size_of_its_block() -> None:
    block = typeset("Hello, world", DRESSED, FONTS)
    picture = draw(block, FONTS)
    assert (picture.size, picture.mode) == (block.size, "RGBA")
    assert picture.getpixel((block.size[0] // 2, 2)) == (10, 20, 30, 200)


def test_drawing_twice_gives_the_same_bytes() -> None:
    first = draw(typeset("Ab مرحبا", DRESSED, load_fonts()), load_fonts()).tobytes()
    assert first == draw(typeset("Ab مرحبا", DRESSED, FONTS), FONTS).tobytes()


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("Wörld", "Noto Sans"),
        ("مرحبا", "Noto Sans Arabic"),
        ("שלום", "Noto Sans Hebrew"),
        ("नमस्ते", "Noto Sans"),
        ("สวัสดี", "Noto Sans Thai"),
        ("汉字", "Noto Sans CJK SC"),
        ("漢字かな", "Noto Sans CJK JP"),
        ("한국어", "Noto Sans CJK KR"),
        ("👩‍🚀", "Noto Color Emoji"),
    ],
)
def test_each_script_is_set_in_one_run_of_a_face_that_has_it(text: str, family: str) -> None:
    assert families(text) == [family]
    assert typeset(text, PLAIN, FONTS).missing == ()


def test_a_character_without_a_glyph_is_reported_and_still_drawn() -> None:
    block = typeset("a\U000f0000", PLAIN, FONTS)
    assert block.missing == ("\U000f0000",)
    assert draw(block, FONTS).getbbox() is not None


def test_lines_break_between_words_and_lose_no_word() -> None:
    words = "the quick brown fox jumps over the lazy dog"
    lines = texts(words, replace(PLAIN, max_width_px=200))
    assert len(lines) > 1
    assert " ".join(lines) == words


def test_a_word_wider_than_the_block_is_broken_inside() -> None:
    lines = texts("x" * 60, replace(PLAIN, max_width_px=200))
    assert len(lines) > 1
    assert "".join(lines) == "x" * 60


def test_chinese_breaks_between_characters_but_not_before_a_full_stop() -> None:
    lines = texts("汉字汉字汉字。汉字", replace(PLAIN, max_width_px=6 * 32 + 4))
    assert len(lines) == 2
    assert not lines[1].startswith("。")


def test_an_empty_line_is_kept() -> None:
    assert texts("a\r\n\nb") == ["a", "", "b"]


def test_letters_shrink_until_the_block_is_low_enough() -> None:
    style = replace(DRESSED, max_height_px=120)
    block = typeset("many words " * 20, style, FONTS)
    assert block.size_px < style.size_px
    assert block.size[1] <= 120


def test_a_heavier_weight_puts_down_more_ink() -> None:
    def ink(weight: int) -> int:
        picture = draw(typeset("Weight", replace(PLAIN, weight=weight), FONTS), FONTS)
        return sum(value * count for value, count in enumerate(picture.getchannel("A").histogram()))

    assert ink(200) < ink(400) < ink(800)


def test_italic_takes_the_italic_face() -> None:
    block = typeset("Slant", replace(PLAIN, italic=True), FONTS)
    assert FONTS.face(block.lines[0].runs[0].face_key).italic


def test_arabic_letters_are_joined() -> None:
    joined = typeset("ببب", PLAIN, FONTS).size[0]
    apart = typeset("ب\u200cب\u200cب", PLAIN, FONTS).size[0]
    assert joined < apart


def test_right_to_left_text_starts_on_the_right() -> None:
    block = typeset("שלום world", PLAIN, FONTS)
    assert not block.lines[0].runs[0].is_rtl
    assert block.lines[0].runs[-1].is_rtl
    forced = typeset("שלום world", replace(PLAIN, direction=Direction.LTR), FONTS)
    assert forced.lines[0].runs[0].is_rtl


def test_start_is_the_right_side_of_right_to_left_text() -> None:
    words = "שלום\nשלום שלום"
    start = typeset(words, replace(PLAIN, align=Align.START), FONTS)
    right = typeset(words, replace(PLAIN, align=Align.RIGHT), FONTS)
    left = typeset(words, replace(PLAIN, align=Align.LEFT), FONTS)
    assert start.lines == right.lines != left.lines


def test_numbers_keep_their_order_in_right_to_left_text() -> None:
    assert levels("א 12 ב", 1) == (1, 1, 2, 2, 1, 1)
    assert visual_order((1, 2, 1)) == (2, 1, 0)
    assert visual_order((0, 1, 2, 1, 0)) == (0, 3, 2, 1, 4)


def test_letter_spacing_widens_latin_and_leaves_arabic_joined() -> None:
    spaced = replace(PLAIN, letter_spacing_px=10)
    assert typeset("abc", spaced, FONTS).size[0] >= typeset("abc", PLAIN, FONTS).size[0] + 20
    assert typeset("مرحبا", spaced, FONTS).size == typeset("مرحبا", PLAIN, FONTS).size


def test_clusters_keep_accents_families_and_flags_whole() -> None:
    assert clusters("e\u0301👩‍🚀🇸🇪🇳🇴") == ("e\u0301", "👩‍🚀", "🇸🇪", "🇳🇴")


@settings(max_examples=40, deadline=None)
@given(text=st.text(alphabet="aÅgjß fy\nשלםبحر12(,क्षि", max_size=24), dressed=st.booleans())
def test_no_ink_touches_the_edge_and_the_block_keeps_its_maxima(text: str, dressed: bool) -> None:
    style = replace(DRESSED if dressed else PLAIN, box=None)
    block = typeset(text, style, FONTS)
    assert block.size[0] <= style.max_width_px
    assert block.size[1] <= style.max_height_px
    box = draw(block, FONTS).getbbox()
    if box is not None:
        width, height = block.size
        assert box[0] > 0
        assert box[1] > 0
        assert box[2] < width
        assert box[3] < height


def test_families_are_found_whatever_their_case() -> None:
    assert FONTS.has_family("noto serif")
    assert not FONTS.has_family("Comic Sans")
    assert FONTS.families[0] == "Noto Sans"


def test_a_font_file_is_taken_in_and_another_file_refused(tmp_path: Path) -> None:
    own = tmp_path / "own.ttf"
    own.write_bytes(FONTS.candidates(("Noto Serif",), italic=False)[0].file.stored)
    assert load_fonts([own]).families.count("Noto Serif") == 1
    own.write_bytes(b"not a font")
    with pytest.raises(SourceRefused):
        load_fonts([own])


def test_the_installed_cjk_faces_are_what_they_are_called() -> None:
    for region in ("JP", "KR", "SC", "TC", "HK"):
        face = FONTS.candidates((f"Noto Sans CJK {region}",), italic=False)[0]
        names = TTFont(BytesIO(face.file.stored), fontNumber=face.index, lazy=True)["name"]
        assert names.getBestFamilyName() == face.family


def test_the_fingerprint_names_every_part() -> None:
    fingerprint = text_engine_fingerprint()
    assert {"harfbuzz", "icu", "pillow", "unicode", "fonts"} <= set(fingerprint)
    assert all(fingerprint.values())
