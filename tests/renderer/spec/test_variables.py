from typing import Any

import pytest

from renderer.errors import Fault, Rejected
from renderer.limits import Limits
from renderer.spec.loading import Loaded, load
from renderer.spec.variables import substitute

TEXT = 'reelkiln: 1\nvariables: {own}\ntracks: [{{clips: [{{text: "{text}"}}]}}]\n'


def filled(value: Any, own: Any, **overrides: Any) -> Any:
    document, faults = substitute({"variables": own, "x": value}, overrides, Limits())
    assert faults == []
    assert document["variables"] == own
    return document["x"]


def faults_of(value: Any, own: Any, limits: Limits | None = None, **overrides: Any) -> list[Fault]:
    return substitute({"variables": own, "x": value}, overrides, limits or Limits())[1]


@pytest.mark.parametrize("value", [5, 0.5, True, None, "5", [1, "a"], {"a": [1]}])
def test_a_text_that_is_one_placeholder_takes_value_and_type(value: Any) -> None:
    found = filled({"a": ["{{v}}", "{{ v }}"]}, {"v": value})
    assert found == {"a": [value, value]}
    assert type(found["a"][0]) is type(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [(5, "5"), (0.5, "0.5"), (True, "true"), (None, ""), ("a", "a"), ([1, "a"], '[1, "a"]')],
)
def test_inside_other_text_the_value_is_written_out(value: Any, written: str) -> None:
    assert filled("<{{v}}{{v}}>", {"v": value}) == f"<{written}{written}>"


def test_overrides_win_and_what_is_unused_is_allowed() -> None:
    assert filled("{{a}}", {"a": 1, "unused": 2}, a=3, other=4) == 3
    assert filled("{{new}}", {}, new=[1]) == [1]


def test_a_path_looks_into_mappings_and_whole_names_come_first() -> None:
    assert filled("{{a.b}}", {"a": {"b": 1}}) == 1
    assert filled("{{a.b}}", {"a": {"b": 1}, "a.b": 2}) == 2


def test_a_backslash_makes_plain_braces_also_in_values() -> None:
    assert filled(r"\{{name}} {{v}}", {"v": r"a \{{b}}"}) == "{{name}} a {{b}}"
    assert filled(r"\{{name}}", {}) == "{{name}}"
    assert filled("{name} } } }}", {}) == "{name} } } }}"


def test_names_of_fields_are_left_alone() -> None:
    assert filled({"{{v}}": 1}, {"v": "a"}) == {"{{v}}": 1}


@pytest.mark.parametrize("value", ["{{b}}", "x {{a}}", ["{{b}}"], {"c": "{{a}}"}])
def test_a_value_that_refers_to_variables_is_refused(value: Any) -> None:
    (fault,) = faults_of("fine", {"a": value, "b": 1})
    assert fault.code == "nested-variable"
    assert fault.path[:2] == ("variables", "a")
    assert [f.code for f in faults_of("fine", {}, a=value)] == ["nested-variable"]


def test_an_unknown_name_is_told_once_a_place_with_the_nearest_name() -> None:
    faults = faults_of(["{{nmae}}", "a {{nmae}} b"], {"name": 1})
    assert [(f.code, f.path, f.hint) for f in faults] == [
        ("unknown-variable", ("x", 0), 'did you mean "name"?'),
        ("unknown-variable", ("x", 1), 'did you mean "name"?'),
    ]


@pytest.mark.parametrize("text", ["{{", "{{}}", "{{a b}}", "{{a}", "{{a-ü}}", "{{ {{a}}"])
def test_braces_that_are_no_placeholder_are_refused(text: str) -> None:
    assert [f.code for f in faults_of(text, {"a": 1})] == ["bad-placeholder"]


def test_what_variables_put_in_is_bounded() -> None:
    limits = Limits(max_nodes=1000, max_document_bytes=1000)
    many = faults_of(["{{v}}"] * 200, {"v": [1] * 9}, limits)
    assert [f.code for f in many] == ["too-many-values"]
    assert "REELKILN_MAX_NODES" in many[0].message
    long = faults_of(["<{{v}}>"] * 200, {"v": "x" * 9}, limits)
    assert [f.code for f in long] == ["too-many-values"]
    assert "REELKILN_MAX_DOCUMENT_BYTES" in long[0].message


def loaded(own: str, text: str, **variables: Any) -> Loaded:
    return load(TEXT.format(own=own, text=text).encode(), name="a.yaml", variables=variables)


def test_a_variable_of_the_command_line_reaches_the_spec_and_its_digest() -> None:
    plain, other = loaded("{n: Ada}", "Hi {{n}}"), loaded("{n: Ada}", "Hi {{n}}", n="Bo")
    assert plain.canonical()["tracks"][0]["clips"][0]["text"] == "Hi Ada"
    assert other.canonical()["tracks"][0]["clips"][0]["text"] == "Hi Bo"
    assert plain.digest != other.digest


def test_a_wrong_value_is_told_where_the_placeholder_stands_and_names_it() -> None:
    with pytest.raises(Rejected) as caught:
        loaded("{n: 5}", "{{n}}")
    (fault,) = caught.value.faults
    assert fault.code == "wrong-type"
    assert fault.message.endswith("put in by {{n}}")
    assert fault.position is not None
    assert (fault.position.line, fault.position.column) == (3, 26)
