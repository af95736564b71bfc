from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderer.brand.defaults import palette_of
from renderer.brand.kit import BrandKit, brand_of
from renderer.errors import SpecInvalid
from renderer.prompts.asset_types import AssetType
from renderer.prompts.filling import PREAMBLE, fill, section_titles
from renderer.template_files import find_template
from renderer.user_text import CLOSE, OPEN, safe_text
from tests.renderer.test_user_text import HOSTILE

TEMPLATES = [find_template(f"{t.value}@{v}") for t in AssetType for v in ("1.0", "1.1")]
THUMBNAIL = find_template("thumbnail@1.1")
VISIBLE = HOSTILE.map(lambda text: "x" + text)
HEX = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


@st.composite
def brands(draw: st.DrawFn) -> BrandKit:
    colours: dict[str, Any] = {"primary": draw(HEX)}
    for name in draw(st.sets(st.sampled_from(["secondary", "accent", "background", "text"]))):
        colours[name] = draw(HEX)
    colours["more"] = draw(st.dictionaries(st.sampled_from(["mint", "sand"]), HEX))
    value = {
        "reelkiln_brand": 1,
        "name": draw(VISIBLE)[:100],
        "colours": colours,
        "tone": [tone[:300] for tone in draw(st.lists(VISIBLE, max_size=3))],
        "voice": draw(HOSTILE)[:600],
    }
    kit, faults = brand_of(value)
    assert kit is not None, faults
    return kit


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TEMPLATES), VISIBLE, HOSTILE, brands())
def test_no_words_of_anybody_open_a_section(
    template: Any, subject: str, mood: str, brand: BrandKit
) -> None:
    plain = fill(template, {"subject": "x", "mood": "y" if safe_text(mood, at_most=9) else ""})
    full = fill(template, {"subject": subject, "mood": mood}, brand=brand)
    expected = [*section_titles(plain.text)]
    expected[expected.index("Quality") : expected.index("Quality")] = ["Brand", "Colours"]
    assert list(section_titles(full.text)) == expected
    body = full.text.removeprefix(PREAMBLE)
    assert body.count(OPEN) == body.count(CLOSE)
    assert "{{" not in body
    assert len(full.text.splitlines()) == 1 + 3 * len(expected)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TEMPLATES), brands())
def test_every_prompt_holds_the_brand(template: Any, brand: BrandKit) -> None:
    prompt = fill(template, {"subject": "a boat"}, brand=brand)
    for words in (brand.name, *brand.tone, brand.voice):
        assert safe_text(words, at_most=600) in prompt.text
    for name, colour in palette_of(brand.colours).items():
        assert f"{name.removeprefix('brand.')} {colour}" in prompt.text
        assert colour in prompt.palette
    assert prompt.brand_digest == brand.digest


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_shipped_template_asks_for_its_type_and_size(template: Any) -> None:
    prompt = fill(template, {"subject": "a boat"})
    width, height = prompt.size
    assert f"{width}x{height}" in prompt.text
    assert prompt.is_transparent == (template.type is AssetType.OVERLAY)
    assert f"{OPEN}a boat{CLOSE}" in prompt.text
    assert prompt.negative


def test_a_prompt_is_told_apart_by_what_it_asks_alone() -> None:
    one = fill(THUMBNAIL, {"subject": "a boat"})
    assert one.digest == fill(THUMBNAIL, {"subject": " a  boat\n"}).digest
    others = [
        fill(THUMBNAIL, {"subject": "a ship"}),
        fill(THUMBNAIL, {"subject": "a boat", "light": "dusk"}),
        fill(find_template("thumbnail@1.0"), {"subject": "a boat"}),
        fill(find_template("banner@1.1"), {"subject": "a boat"}),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 5


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"subject": "a", "mod": "b"}, "unknown-placeholder", 'did you mean "mood"?'),
        ({"subject": "a", "light": "xyz"}, "not-one-of", "choices: "),
        ({"subject": "a", "accent": "#12"}, "bad-format", "write #102030"),
        ({"mood": "a"}, "missing-field", "give it visible words"),
        ({"subject": "\u200b \n"}, "missing-field", "give it visible words"),
        ({"subject": "a", "__class__": "b"}, "unknown-placeholder", "placeholders: "),
    ],
)
def test_wrong_values_are_told_with_what_to_do(
    values: dict[str, str], code: str, words: str
) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        fill(THUMBNAIL, values)
    (fault,) = refusal.value.faults
    assert fault.code == code
    assert words in fault.hint


def test_a_section_without_words_is_left_out_and_a_default_fills_in() -> None:
    titles = section_titles(fill(THUMBNAIL, {"subject": "a"}).text)
    assert titles == ("Task", "Subject", "Composition", "Technique", "Quality")
