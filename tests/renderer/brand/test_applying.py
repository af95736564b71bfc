from pathlib import Path
from typing import Any

import pytest

from renderer.branding import brand_applied
from renderer.errors import SourceRefused, SpecInvalid
from renderer.limits import Limits
from renderer.spec.loading import Loaded, load
from tests.renderer.brand.test_brand import ACME

SPEC = """
reelkiln: 1
brand: acme.yaml
styles: {shout: {like: headline, size: 20%}}
tracks:
  - clips:
      - {colour: "{{brand.primary}}", length: 1s}
  - clips:
      - {text: one, length: 1s}
      - {text: two, length: 1s, style: {like: body, colour: red}}
"""


def loaded(text: str, folder: Path, **changes: Any) -> Loaded:
    prepare = brand_applied(folder, (folder,), Limits())
    return load(text.encode(), name="spec.yaml", **{"prepare": prepare, **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "acme.yaml").write_bytes(ACME.replace(b"files: [acme.ttf]", b"files: []"))
    return tmp_path


def test_a_brand_says_what_the_document_does_not(folder: Path) -> None:
    spec: Any = loaded(SPEC, folder).canonical()
    assert "brand" not in spec
    assert spec["tracks"][0]["clips"][0]["colour"] == "#0b3d91"
    assert spec["output"]["background"].startswith("#")
    assert spec["styles"]["title"]["font"] == "Noto Serif"
    assert spec["styles"]["shout"] == {
        "like": "headline", "font": "Noto Serif", "weight": 800, "colour": "#ffffff",
        "size": "20%",
    }  # fmt: skip
    inline = spec["tracks"][1]["clips"][1]["style"]
    assert (inline["font"], inline["colour"]) == ("Noto Sans", "red")


def test_what_the_document_says_wins(folder: Path) -> None:
    own = SPEC.replace("reelkiln: 1", "reelkiln: 1\noutput: {background: navy}")
    own = own.replace("styles: {", "styles: {title: {colour: lime}, ")
    spec: Any = loaded(own, folder).canonical()
    assert spec["output"]["background"] == "navy"
    assert spec["styles"]["title"]["colour"] == "lime"


def test_another_brand_is_another_spec(folder: Path) -> None:
    before = loaded(SPEC, folder).digest
    kit = folder / "acme.yaml"
    kit.write_bytes(kit.read_bytes().replace(b"#0b3d91", b"#912b0b"))
    assert loaded(SPEC, folder).digest != before


def test_a_longform_takes_the_background(folder: Path) -> None:
    text = """
reelkiln: 1
kind: longform
brand: acme.yaml
backgrounds: [{image: a.png}]
audio: [{audio: a.mp3}]
"""
    spec: Any = loaded(text, folder).canonical()
    assert spec["output"]["background"] != "black"
    assert "styles" not in spec


def test_a_kit_that_is_missing_or_outside_is_told_at_its_place(folder: Path) -> None:
    for name, code in (("acne.yaml", "source-missing"), ("../x.yaml", "source-outside")):
        with pytest.raises(SourceRefused) as refusal:
            loaded(SPEC.replace("acme.yaml", name), folder)
        (fault,) = refusal.value.faults
        assert (fault.code, fault.position and fault.position.line) == (code, 3)


def test_faults_of_the_kit_are_told_where_it_is_named_with_their_place_in_it(folder: Path) -> None:
    (folder / "acme.yaml").write_text("reelkiln_brand: 1\nname: Acme\ncolours: {primary: red}\n")
    with pytest.raises(SpecInvalid) as refusal:
        loaded(SPEC, folder)
    (fault,) = refusal.value.faults
    assert (fault.pointer, fault.position and fault.position.line) == ("/brand", 3)
    assert fault.message.startswith("acme.yaml, line 3, column 20: ")
    assert "brand: acme.yaml" in fault.excerpt


def test_where_kits_are_not_read_a_brand_is_refused(folder: Path) -> None:
    text = SPEC.replace("{{brand.primary}}", "red")
    with pytest.raises(SpecInvalid) as refusal:
        loaded(text, folder, prepare=None)
    assert [fault.code for fault in refusal.value.faults] == ["brand-not-read"]
