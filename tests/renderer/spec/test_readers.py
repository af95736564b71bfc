"""The readers of JSON and YAML: exact values, exact places, faults instead of tracebacks."""

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from renderer.errors import Fault, Position, Rejected
from renderer.limits import Limits
from renderer.spec.document import parse_document
from renderer.spec.json_strict import read_json
from renderer.spec.positions import Lines
from renderer.spec.yaml12 import read_yaml

LIMITS = Limits()
PLAIN = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff"),
    max_size=8,
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=12,
)


@PLAIN
@given(_VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_is_read_as_the_standard_library_reads_it(
    value: Any, indent: Any, is_ascii: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    reading = read_json(text, LIMITS)
    assert reading.faults == []
    assert reading.is_whole
    assert repr(reading.value) == repr(json.loads(text))


@PLAIN
@given(st.text('{}[]",:0123456789.eE+-truefalsn \n\t\\u', max_size=14))
@example("[1,]")
@example('"\\ud83d\\ude00"')
@example("-")
@example("01")
@example('"\\u12')
def test_json_is_refused_where_the_standard_library_refuses_it(text: str) -> None:
    def refuse(word: str) -> None:
        raise ValueError(word)

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(items)) < len(items):
            raise ValueError("twice")
        return dict(items)

    reading = read_json(text, LIMITS)
    try:
        value = json.loads(text, parse_constant=refuse, object_pairs_hook=pairs)
    except ValueError:
        assert reading.faults
        assert all(fault.position for fault in reading.faults)
    else:
        if not reading.faults:  # ours also refuses what JSON lets pass: huge numbers, odd text
            assert repr(reading.value) == repr(value)
        else:
            odd = {"bad-number", "not-finite", "bad-character"}
            assert {fault.code for fault in reading.faults} <= odd


@PLAIN
@given(st.dictionaries(_TEXT, _VALUES, min_size=1, max_size=4), st.sampled_from([None, 2]))
def test_a_json_document_is_the_same_document_as_yaml(value: dict[str, Any], indent: Any) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    reading = read_yaml(text, LIMITS)
    assert reading.faults == []
    assert repr(reading.value) == repr(json.loads(text))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"), ("No", "No"), ("on", "on"), ("yes", "yes"), ("y", "y"), ("off", "off"),
        ("true", True), ("True", True), ("FALSE", False), ("tRue", "tRue"),
        ("null", None), ("~", None), ("", None), ("nil", "nil"), ("Null", None),
        ("12", 12), ("-12", -12), ("+12", 12), ("012", 12), ("0o14", 12), ("0x1F", 31),
        ("0b11", "0b11"), ("1_000", "1_000"), ("1:30", "1:30"), ("190:20:30", "190:20:30"),
        ("1e3", 1000.0), ("1.", 1.0), (".5", 0.5), ("6.02e-3", 0.00602), ("1.5.2", "1.5.2"),
        ("2026-01-01", "2026-01-01"), ("=", "="), ("0.1", 0.1), ("'12'", "12"), ('"true"', "true"),
        ("|\n  12", "12"), (">-\n  a\n  b", "a b"), ("!", None), ("1,5", "1,5"), ("5s", "5s"),
    ],
)  # fmt: skip
def test_scalars_mean_what_yaml_1_2_says(written: str, meant: Any) -> None:
    reading = read_yaml(f"a: {written}", LIMITS)
    if written == "!":  # a tag, and tags are refused
        assert [fault.code for fault in reading.faults] == ["bad-tag"]
        return
    assert reading.faults == []
    assert repr(reading.value["a"]) == repr(meant)


def test_aliases_are_written_out_each_with_its_own_place() -> None:
    reading = read_yaml("a: &x {b: 1}\nc: *x\n", LIMITS)
    assert reading.value == {"a": {"b": 1}, "c": {"b": 1}}
    assert reading.places[("c",)][0] == Position(line=2, column=1)


@pytest.mark.parametrize(
    ("text", "column"),
    [("{ ?foo: bar }", 4), ("[?x]", 3), ("{?'x': 1}", 3), ("key: &an:chor value", 6)],
)
def test_what_libyaml_reads_otherwise_than_yaml_means_is_refused(text: str, column: int) -> None:
    fault = read_yaml(text, LIMITS).faults[0]
    assert (fault.code, fault.position) == ("bad-yaml", Position(line=1, column=column))


@pytest.mark.parametrize("text", ["? x\n: 1", "{? x: 1}", "a: &b [1]", "[&a x,&b {}]", "?a: ?b"])
def test_question_marks_and_anchors_in_their_place_are_read(text: str) -> None:
    assert read_yaml(text, LIMITS).faults == []


def test_an_alias_bomb_is_refused_quickly_by_the_count_of_its_values() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    reading = read_yaml("\n".join(lines), Limits(max_nodes=5000))
    assert [fault.code for fault in reading.faults] == ["too-many-values"]
    assert "REELKILN_MAX_NODES" in reading.faults[0].message
    assert not reading.is_whole


@PLAIN
@given(
    st.binary(max_size=40)
    | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.text("{}[]:,-&*!|>'\"#%@`\t \nab01?<=~", max_size=40).map(str.encode),
    st.sampled_from(["a.json", "a.yaml", "a", "a.txt"]),
)
@example(b"\xef\xbb\xbf", "a.yaml")
@example(b"\xef\xbb\xbf{}", "a.json")
@example(b"\xfe\xff\x00a", "a.yaml")
@example(b"a: \xe2\x80\xa8 b", "a.yaml")
@example(b"? \n? \n", "a.yaml")
@example(b"%YAML 9.9\n---\na: 1", "a.yaml")
def test_whatever_the_bytes_the_answer_is_a_document_or_faults_with_places(
    data: bytes, name: str
) -> None:
    try:
        document = parse_document(data, name=name, limits=LIMITS)
    except Rejected as error:
        faults = error.faults
    else:
        assert isinstance(document.value, dict)
        return
    assert faults
    for fault in faults:
        assert fault.position is not None
        assert fault.excerpt.endswith("^")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("name", "text"),
    [("a.yaml", "x: 😀\ny: é\nz: 1"), ("a.json", '{"x": "😀",\n"y": "é",\n"z": 1}')],
)
def test_places_count_characters_and_ignore_a_byte_order_mark(
    mark: bytes, name: str, text: str
) -> None:
    document = parse_document(mark + text.encode(), name=name, limits=LIMITS)
    assert document.value == {"x": "😀", "y": "é", "z": 1}
    for key, line in (("x", 1), ("y", 2), ("z", 3)):
        located = document.locate(Fault(code="x", message="x", path=(key,)))
        assert located.position is not None
        assert located.position.line == line
        found = Lines(text).text_from(located.position)
        assert found.startswith(("😀", '"😀', "é", '"é', "1"))


@pytest.mark.parametrize(
    "text", ['{"a": [{"b/c": 1, "d~e": [2]}]}', "a:\n  - b/c: 1\n    d~e: [2]\n"]
)
def test_every_value_and_key_has_its_place(text: str) -> None:
    document = parse_document(text.encode(), name="a", limits=LIMITS)
    fault = Fault(code="x", message="x", path=("a", 0, "d~e", 0))
    assert fault.pointer == "/a/0/d~0e/0"
    position = document.locate(fault).position
    assert position is not None
    assert Lines(text).text_from(position).startswith("2]")
    at_key = document.locate(Fault(code="x", message="x", path=("a", 0, "b/c"), at_key=True))
    assert at_key.position is not None
    assert "b/c" in Lines(text).text_from(at_key.position)[:4]


def test_a_large_document_is_refused_before_it_is_read() -> None:
    with pytest.raises(Rejected) as caught:
        parse_document(b"[" * 2_000_000, name="a.json", limits=LIMITS)
    (fault,) = caught.value.faults
    assert fault.code == "document-too-large"
    assert "REELKILN_MAX_DOCUMENT_BYTES" in fault.message


def test_numbers_keep_their_value_and_their_kind() -> None:
    reading = read_json("[1, 1.0, 1e2, -0, 0.1, 9007199254740992]", LIMITS)
    assert [type(n) for n in reading.value] == [int, float, float, int, float, int]
    assert math.isclose(reading.value[4], 0.1)
