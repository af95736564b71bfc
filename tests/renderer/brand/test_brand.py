import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderer.brand.defaults import brand_defaults, contrast, palette_of, readable_on
from renderer.brand.kit import Colours, parse_brand
from renderer.errors import SpecInvalid
from renderer.spec.style import STYLE_NAMES, TextStyle
from renderer.spec.values import to_colour

ACME = b"""
reelkiln_brand: 1
name: Acme
colours: {primary: "#0b3d91", accent: "#ffb000", more: {mint: "#9be8c8"}}
fonts: {heading: Noto Serif, body: Noto Sans, heading_weight: 800, files: [acme.ttf]}
logo: {image: logo.png, corner: bottom-left}
tone: [calm]
voice: plain words
"""
HEX = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def test_a_brand_gives_looks_to_everything_that_is_written() -> None:
    defaults = brand_defaults(parse_brand(ACME, name="acme.yaml"))
    assert set(defaults.styles) == set(STYLE_NAMES)
    assert defaults.styles["headline"]["font"] == "Noto Serif"
    assert defaults.styles["body"]["font"] == "Noto Sans" == defaults.text["font"]
    assert defaults.fonts == ("acme.ttf",)
    assert defaults.logo
    assert defaults.logo.corner == "bottom-left"
    assert defaults.palette["brand.mint"] == "#9be8c8"
    for style in (defaults.text, *defaults.styles.values()):
        TextStyle.model_validate(style)


@settings(max_examples=200, deadline=None)
@given(HEX, st.none() | HEX)
def test_text_can_be_read_on_every_ground(primary: str, background: str | None) -> None:
    palette = palette_of(Colours(primary=primary, background=background))
    ground, text = to_colour(palette["brand.background"]), to_colour(palette["brand.text"])
    assert ground
    assert text
    assert contrast(ground[:3], text[:3]) >= 4.5
    assert contrast(ground[:3], readable_on(ground[:3])) >= 4.5
    assert set(palette) == {
        f"brand.{n}" for n in ("primary", "secondary", "accent", "background", "text")
    }


def test_faults_of_a_kit_are_told_with_their_place() -> None:
    wrong = ACME.replace(b"#0b3d91", b"blue").replace(b"voice:", b"vioce:")
    with pytest.raises(SpecInvalid) as refusal:
        parse_brand(wrong, name="acme.yaml")
    told = {(f.where, f.code, f.position and f.position.line) for f in refusal.value.faults}
    assert told == {("colours.primary", "bad-format", 4), ("vioce", "unknown-field", 8)}
