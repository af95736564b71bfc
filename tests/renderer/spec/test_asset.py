import pytest

from renderer.errors import SpecInvalid
from renderer.spec.asset import AssetSpec, pictures_of
from renderer.spec.loading import Loaded, load, sources_of

HEAD = b"reelkiln: 1\nkind: asset\nasset_type: banner\n"


def loaded(text: bytes) -> Loaded:
    return load(HEAD + text, name="doc.yaml")


def faults(text: bytes) -> list[tuple[str, str]]:
    with pytest.raises(SpecInvalid) as found:
        loaded(text)
    return [(fault.code, fault.pointer) for fault in found.value.faults]


def test_each_take_of_each_prompt_is_a_picture_of_its_own() -> None:
    spec = loaded(
        b"count: 2\nseed: 5\nvalues: {mood: calm}\nimages:\n"
        b"- {prompt: a boat}\n- {prompt: a sea, asset_type: overlay, seed: 9}\n"
    ).spec
    assert isinstance(spec, AssetSpec)
    found = pictures_of(spec)
    assert [one.file for one in found] == [
        "banner-1.png", "banner-2.png", "overlay-3.png", "overlay-4.png",
    ]  # fmt: skip
    assert [one.recipe.seed for one in found] == [5, 6, 9, 10]
    assert [one.recipe.template for one in found] == ["banner", "banner", "overlay", "overlay"]
    assert [dict(one.recipe.values) for one in found] == [{"mood": "calm"}] * 2 + [{}] * 2
    assert len({use.source for use in sources_of(spec)}) == 4


def test_a_document_says_prompt_or_images_and_not_too_many() -> None:
    assert faults(b"") == [("asset-prompt", "")]
    assert faults(b"prompt: a\nimages: [{prompt: b}]\n") == [("asset-prompt", "/prompt")]
    assert faults(b"count: 24\nimages: [{prompt: a}, {prompt: b}]\n") == [("over-limit", "/count")]
    assert faults(b"prompt: a\ntemplate: thumbnail@1.0\n") == [("asset-template", "/template")]
    assert faults(b"images: [{prompt: a, template: overlay}]\n") == [
        ("asset-template", "/images/0/template")
    ]


def test_pictures_have_no_timeline() -> None:
    with pytest.raises(SpecInvalid) as found:
        _ = loaded(b"prompt: a\n").film
    assert found.value.faults[0].code == "no-timeline"
