from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from renderer.limits import Limits
from renderer.schemas import schema_file, schemas
from renderer.spec import model
from renderer.spec.base import Part
from renderer.spec.schema import dumps, filled_in
from renderer.spec.variables import substitute
from tests.renderer.spec.documents import ODD, Drawer, branches, broken

PUBLISHED = schemas()
SPEC = PUBLISHED["spec"]
EDITOR = Draft202012Validator(SPEC)
GATE = Draft202012Validator(filled_in(SPEC))
MODEL: TypeAdapter[Any] = TypeAdapter(model.Document)
GENEROUS = settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def bounds(schema: Any) -> Iterator[float]:
    """Every minimum and maximum in a schema."""
    if isinstance(schema, dict):
        yield from (schema[word] for word in ("minimum", "maximum", "maxLength") if word in schema)
    parts = schema.values() if isinstance(schema, dict) else schema
    for part in parts if isinstance(schema, (dict, list)) else ():
        yield from bounds(part)


NEAR = sorted({bound for bound in bounds(SPEC) if not isinstance(bound, dict)})


def model_accepts(document: Any) -> bool:
    return accepts(MODEL, document)


def accepts(adapter: TypeAdapter[Any], document: Any) -> bool:
    try:
        adapter.validate_python(document)
    except ValidationError:
        return False
    return True


@st.composite
def right_documents(draw: st.DrawFn) -> Any:
    return Drawer(draw, SPEC).value(SPEC)


@st.composite
def wrong_documents(draw: st.DrawFn) -> Any:
    document = Drawer(draw, SPEC).value(SPEC)
    for _ in range(draw(st.integers(1, 2))):
        document = broken(draw, document, NEAR)
    return document


@GENEROUS
@given(right_documents())
def test_documents_drawn_from_the_schema_are_right_for_the_model(document: Any) -> None:
    assert GATE.is_valid(document)
    MODEL.validate_python(document)


@GENEROUS
@given(wrong_documents())
def test_schema_and_model_agree_on_what_is_wrong(document: Any) -> None:
    assert GATE.is_valid(document) == model_accepts(document)


def models(part: type[Part] = Part) -> Iterator[type[Part]]:
    """Every model of the language."""
    for model_class in part.__subclasses__():
        yield model_class
        yield from models(model_class)


def test_schema_and_model_agree_on_every_odd_value_in_every_field() -> None:
    gate = filled_in(SPEC)
    classes = {model_class.__name__: model_class for model_class in models()}
    seen: set[str] = set()
    for name, part in SPEC["$defs"].items():
        if "properties" not in part or name.endswith("Spec"):
            continue
        validator = Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": gate["$defs"]})
        adapter: TypeAdapter[Any] = TypeAdapter(classes[name])
        base = {
            field: part["properties"][field]["examples"][0] for field in part.get("required", ())
        }
        assert validator.is_valid(base)
        for field, body in part["properties"].items():
            if (form := repr(body)) in seen:
                continue
            seen.add(form)
            near = [bound + step for bound in bounds(body) for step in (-1, -0.001, 0, 0.001, 1)]
            for odd in [*ODD, *near, *([value] for value in ODD)]:
                document = {**base, field: odd}
                assert validator.is_valid(document) == accepts(adapter, document), document
    assert len(seen) > 60


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_shipped_schema_is_what_the_models_say(name: str) -> None:
    shipped = schema_file(name).read_text(encoding="utf-8")
    assert shipped == dumps(PUBLISHED[name]), "run: python -m renderer.schemas"


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_schema_is_valid_2020_12(name: str) -> None:
    assert PUBLISHED[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert PUBLISHED[name]["$id"].startswith("urn:reelkiln:")
    Draft202012Validator.check_schema(PUBLISHED[name])


def fields_of(schema: Any) -> Iterator[tuple[str, dict[str, Any], bool]]:
    for name, part in schema["$defs"].items():
        for field, body in part.get("properties", {}).items():
            yield f"{name}.{field}", body, field in part.get("required", ())


@pytest.mark.parametrize("name", ["spec"])  # what people write by hand
def test_every_field_has_title_description_examples_and_default(name: str) -> None:
    lacking = [
        (where, word)
        for where, body, is_required in fields_of(PUBLISHED[name])
        for word in ("title", "description", "examples", "default")
        if word not in body and not (word == "default" and is_required)
    ]
    assert lacking == []
    assert len(list(fields_of(PUBLISHED[name]))) > 5


@pytest.mark.parametrize("name", ["spec"])
def test_every_example_and_default_is_right(name: str) -> None:
    schema = PUBLISHED[name]
    for where, body, _ in fields_of(schema):
        here = Draft202012Validator({**body, "$defs": schema["$defs"]})
        assert body["examples"], where
        for value in [*body["examples"], *([body["default"]] if "default" in body else [])]:
            assert here.is_valid(value), (where, value)


def test_an_editor_finds_the_fields_of_each_kind_of_clip() -> None:
    item = SPEC["$defs"]["Track"]["properties"]["clips"]["items"]
    kinds = ["video", "image", "audio", "text", "colour", "gradient", "transition", "gap"]
    assert list(item["properties"]) == kinds
    assert all(part["description"] for part in item["properties"].values())
    for kind, branch in zip(kinds, branches(item), strict=True):
        part = SPEC["$defs"][branch["$ref"].rpartition("/")[2]]
        assert kind in part["required"]
        assert part["additionalProperties"] is False
        assert part["description"]


@pytest.mark.parametrize(
    "clip",
    [
        {"image": "{{file}}", "length": "{{n}}", "opacity": "{{o}}", "fit": "{{fit}}"},
        {"text": "Hello {{name}}", "style": {"colour": "#{{hex}}", "weight": "{{w}}"}},
        {"gradient": ["{{from}}", "navy"], "size": "{{w}}x{{h}}", "rotation": "{{r}}"},
        {"audio": "{{a}}", "loop": "{{yes}}", "start": "after:{{id}}"},
    ],
)
def test_an_editor_takes_placeholders_wherever_a_scalar_stands(clip: Any) -> None:
    document = {"reelkiln": 1, "tracks": [{"clips": [clip]}]}
    assert EDITOR.is_valid(document)


@pytest.mark.parametrize(
    "clip", [{"image": "a", "length": "{n}"}, {"image": "a", "opacity": "0.5"}]
)
def test_other_text_in_place_of_a_number_is_still_wrong(clip: Any) -> None:
    assert not EDITOR.is_valid({"reelkiln": 1, "tracks": [{"clips": [clip]}]})


@given(st.sampled_from([5, "5s", "soon", True, [1], {"a": 1}, "{{x}}", r"\{{x}}", 0.5]))
def test_the_verdicts_agree_once_variables_are_filled_in(value: Any) -> None:
    clip = {"image": "a.png", "length": "{{v}}", "opacity": "{{v}}", "id": "{{v}}"}
    for field in ("length", "opacity", "id"):
        document = {"reelkiln": 1, "tracks": [{"clips": [{"image": "a", field: clip[field]}]}]}
        filled, _ = substitute(document, {"v": value}, Limits())
        assert GATE.is_valid(filled) == model_accepts(filled)


def test_true_is_not_version_one_and_one_point_zero_is() -> None:
    tracks = [{"clips": []}]
    for version, right in ((True, False), (1.0, True), (1, True), (2, False), ("1", False)):
        document = {"reelkiln": version, "tracks": tracks}
        assert GATE.is_valid(document) is right
        assert model_accepts(document) is right
