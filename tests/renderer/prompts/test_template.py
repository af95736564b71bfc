from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from renderer.brand.kit import BrandKit
from renderer.errors import UsageError
from renderer.prompts.asset_types import AssetType
from renderer.prompts.choosing import chosen
from renderer.prompts.template import Template, lint, parse_template
from renderer.schemas import schema_file, schemas
from renderer.spec.schema import dumps
from renderer.template_files import find_template, template_versions
from tests.renderer.spec.documents import Drawer, broken

PUBLISHED = schemas()
MODELS = {"prompt": TypeAdapter(Template), "brand": TypeAdapter(BrandKit)}
RIGHT = """
reelkiln_prompt: 1
asset_type: banner
version: "2.0"
placeholders:
  subject: {type: text, required: true}
sections:
  - {title: Subject, text: "Show {{subject}}."}
"""


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_published_schema_is_that_of_the_model(name: str) -> None:
    text = schema_file(name).read_text(encoding="utf-8")
    assert text == dumps(PUBLISHED[name]), "run: python -m renderer.schemas"
    Draft202012Validator.check_schema(PUBLISHED[name])


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(MODELS)), st.data())
def test_schema_and_model_agree(name: str, data: st.DataObject) -> None:
    schema = PUBLISHED[name]
    document = Drawer(data.draw, schema).value(schema)
    for _ in range(data.draw(st.integers(0, 2))):
        document = broken(data.draw, document, [0, 1, 100, 300])
    assert Draft202012Validator(schema).is_valid(document) == accepted(MODELS[name], document)


def accepted(model: TypeAdapter[Any], document: Any) -> bool:
    try:
        model.validate_python(document)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("asset_type", list(AssetType))
def test_every_type_ships_two_versions_and_latest_is_the_higher(asset_type: AssetType) -> None:
    assert list(template_versions(asset_type)) == ["1.0", "1.1"]
    for reference in (asset_type.value, f"{asset_type.value}@latest"):
        assert find_template(reference).name == f"{asset_type.value}@1.1"
    for path in template_versions(asset_type).values():
        assert lint(path.read_bytes(), name=str(path)) == ()
        parsed = find_template(f"{asset_type.value}@{path.stem}")
        assert "letters" in parsed.negative or asset_type is AssetType.CLIP_COVER
        assert parsed.quality


def test_versions_are_ordered_as_numbers() -> None:
    assert chosen(AssetType.BANNER, "latest", ["1.9", "1.10", "0.99"]) == "1.10"


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("thumbnale", 'did you mean "thumbnail"?'),
        ("thumbnail@9.9", "versions: 1.0, 1.1"),
        ("../../etc@1.0", "asset types: "),
        ("thumbnail@../1.0", "versions: 1.0, 1.1"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(reference: str, hint: str) -> None:
    with pytest.raises(UsageError) as refusal:
        find_template(reference)
    assert hint in refusal.value.hint


def test_a_folder_of_ones_own_adds_versions_and_comes_first(tmp_path: Path) -> None:
    (tmp_path / "banner").mkdir()
    (tmp_path / "banner" / "2.0.yaml").write_text(RIGHT)
    (tmp_path / "banner" / "1.0.yaml").write_text(RIGHT.replace("2.0", "1.0"))
    (tmp_path / "banner" / "notes.txt").write_text("not a template")
    assert find_template("banner", [tmp_path]).name == "banner@2.0"
    assert find_template("banner@1.0", [tmp_path]).description == ""
    assert find_template("banner@1.1", [tmp_path]).description != ""


def test_a_template_in_the_wrong_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "banner").mkdir()
    (tmp_path / "banner" / "3.0.yaml").write_text(RIGHT)
    with pytest.raises(UsageError, match=r"says that it is banner@2\.0"):
        find_template("banner@3.0", [tmp_path])


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("Show {{subject}}.", "Show {{subjct}} {{subject}}.", "unknown-placeholder", 8),
        ("Show {{subject}}.", "Nothing.", "unused-placeholder", 6),
        ("Show {{subject}}.", "{{subject}} ### Task", "template-mark", 8),
        ("Show {{subject}}.", "{{subject}} << {{subject.__class__}}", "template-mark", 8),
        ("Show {{subject}}.", "{{subject}} {{subject!r}}", "template-mark", 8),
        ("Show {{subject}}.", "{{subject}} {{subject:>10}}", "template-mark", 8),
        ("required: true", "required: false", "template-subject", 6),
        ("type: text", "type: txt", "no-kind", 6),
        ("title: Subject", "title: Brand", "duplicate-section", 8),
        ("banner", "baner", "not-one-of", 3),
        ('"2.0"', "2.0", "wrong-type", 4),
        ("sections:", "quality: ['a {b']\nsections:", "template-mark", 7),
    ],
)
def test_lint_says_what_is_wrong_and_where(old: str, new: str, code: str, line: int) -> None:
    faults = lint(RIGHT.replace(old, new).encode(), name="t.yaml")
    assert [(fault.code, fault.position and fault.position.line) for fault in faults] == [
        (code, line)
    ]


def test_a_digest_follows_what_a_template_says() -> None:
    same = RIGHT.replace("Show {{subject}}.", "Show {{subject}}.  ").replace(".  ", ".")
    other = RIGHT.replace("Show", "Paint")
    parsed = [parse_template(t.encode(), name="t.yaml").digest for t in (RIGHT, same, other)]
    assert parsed[0] == parsed[1] != parsed[2]
